// SPDX-License-Identifier: GPL-2.0-only

//! What the files of cgroups say of heaps.

use crate::error::CgroupError;
use crate::model::job::Job;
use crate::model::limit::Limit;
use crate::model::process::Heap;
use crate::source::cgroup::mount::{children, Mount};
use std::fs;
use std::path::Path;

const CURRENT: &str = "memory.heap.current";
const RESIDENT: &str = "memory.heap.resident";
const PEAK: &str = "memory.heap.peak";
pub(super) const MAX: &str = "memory.heap.max";
const EVENTS: &str = "memory.heap.events";
/// What is there if the memory controller is, with any kernel.
const MEMORY: &str = "memory.current";

impl Mount {
    /// All cgroups that have a heap; the root has none.
    pub(crate) fn jobs(&self) -> Result<Vec<Job>, CgroupError> {
        if !has_memory(&self.point) {
            return Err(CgroupError::NoController(self.point.clone()));
        }
        let mut found = Found::default();
        found.visit(self, &self.point);
        match found.lacks {
            Some(lacks) if found.jobs.is_empty() => Err(CgroupError::NoFiles(lacks)),
            _ => Ok(found.jobs),
        }
    }

    /// What the files of one say; `None` if it has none, or is gone.
    pub(super) fn job(&self, directory: &Path, processes: u64) -> Option<Job> {
        let text = |file| fs::read_to_string(directory.join(file)).ok();
        let bytes = |file| text(file)?.trim_end().parse().ok();
        let events = text(EVENTS)?;
        Some(Job {
            path: self.path(directory),
            processes,
            heap: Heap {
                used: bytes(CURRENT)?,
                resident: bytes(RESIDENT),
                by_resident: false,
                peak: bytes(PEAK)?,
                refused: count(&events, "max"),
                would_refuse: count(&events, "would_refuse"),
            },
            max: limit(&text(MAX)?)?,
        })
    }
}

/// Can a cgroup limit the memory of those below it?
pub(super) fn has_memory(directory: &Path) -> bool {
    has_word(directory, "cgroup.controllers")
}

pub(super) fn has_word(directory: &Path, file: &str) -> bool {
    let text = fs::read_to_string(directory.join(file)).unwrap_or_default();
    text.split_whitespace().any(|word| word == "memory")
}

/// Processes in a cgroup; none, if it is gone or its processes are those of one above it.
pub(super) fn processes(directory: &Path) -> Vec<String> {
    let text = fs::read_to_string(directory.join("cgroup.procs")).unwrap_or_default();
    text.lines().map(str::to_string).collect()
}

#[derive(Default)]
struct Found {
    jobs: Vec<Job>,
    /// One that has the controller, and no file of ours.
    lacks: Option<std::path::PathBuf>,
}

impl Found {
    /// The number of processes in a cgroup and below.
    fn visit(&mut self, mount: &Mount, directory: &Path) -> u64 {
        let own = processes(directory).len() as u64;
        let below = children(directory);
        let all = own
            + below
                .iter()
                .map(|child| self.visit(mount, child))
                .sum::<u64>();
        match mount.job(directory, all) {
            Some(job) => self.jobs.push(job),
            None if directory.join(MEMORY).exists() => self.lacks = Some(directory.into()),
            None => (),
        }
        all
    }
}

/// None, if there is no such line.
fn count(events: &str, name: &str) -> u64 {
    let lines = events.lines().filter_map(|line| line.split_once(' '));
    let mut counts = lines.filter(|(known, _)| *known == name);
    counts
        .next()
        .and_then(|(_, count)| count.parse().ok())
        .unwrap_or(0)
}

fn limit(text: &str) -> Option<Limit> {
    match text.trim_end() {
        "max" => Some(Limit::UNLIMITED),
        bytes => bytes.parse().ok().map(Limit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files() {
        assert_eq!(count("max 7\nwould_refuse 2\n", "max"), 7);
        assert_eq!(count("max 7\nwould_refuse 2\n", "would_refuse"), 2);
        assert_eq!(count("max 7\n", "would_refuse"), 0);
        assert_eq!(limit("max\n"), Some(Limit::UNLIMITED));
        assert_eq!(limit("4096\n"), Some(Limit(4096)));
        assert_eq!(limit("\n"), None);
    }
}
