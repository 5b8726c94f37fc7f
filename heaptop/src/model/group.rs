// SPDX-License-Identifier: GPL-2.0-only

//! Processes that have something in common, and their sums.

use crate::model::cgroup;
use crate::model::process::Process;
use crate::model::sort::Ranked;
use clap::ValueEnum;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// What is one line: a process, or all that have something in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// Each process by itself
    Process,
    /// Unit of systemd, or cgroup where there is none
    Unit,
    /// Effective user
    User,
    /// Name of the command
    Command,
    /// Cgroup, whose sums are the kernel's
    #[value(skip)]
    Job,
}

impl By {
    const ALL: [By; 4] = [By::Process, By::Unit, By::User, By::Command];

    /// As in the options, and in JSON and metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            By::Process => "process",
            By::Unit => "unit",
            By::User => "user",
            By::Command => "command",
            By::Job => "cgroup",
        }
    }

    /// The one after it; after the last, and after cgroups, the first.
    pub(crate) fn next(self) -> Self {
        let at = Self::ALL.iter().position(|&by| by == self);
        Self::ALL[at.map_or(0, |at| at + 1) % Self::ALL.len()]
    }

    /// What a process has in common with others.
    pub(crate) fn of(self, process: &Process) -> String {
        match self {
            By::Process => process.pid.to_string(),
            By::Unit => process.unit.clone().unwrap_or_else(|| "?".into()),
            By::User => process.user.clone(),
            By::Command => process.command.clone(),
            By::Job => process.cgroup.clone().unwrap_or_else(|| "?".into()),
        }
    }

    /// Is a process in the group of that name?
    pub(crate) fn has(self, name: &str, process: &Process) -> bool {
        match self {
            By::Job => cgroup::is_in(&self.of(process), name),
            _ => self.of(process) == name,
        }
    }
}

/// Sums over the processes of a group.
#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) processes: u64,
    pub(crate) used: u64,
    pub(crate) resident: Option<u64>,
    pub(crate) rss: u64,
    /// Of the peaks, which were not at the same time.
    pub(crate) peak: u64,
    /// Of the process that is fullest.
    pub(crate) share: Option<f64>,
    pub(crate) refused: u64,
    pub(crate) would_refuse: u64,
}

impl Group {
    fn add(&mut self, process: &Process) {
        let sum = |a: u64, b| a.saturating_add(b);
        self.processes += 1;
        self.used = sum(self.used, process.heap.used);
        if let Some(resident) = process.heap.resident {
            self.resident = Some(sum(self.resident.unwrap_or(0), resident));
        }
        self.rss = sum(self.rss, process.rss);
        self.peak = sum(self.peak, process.heap.peak);
        self.refused = sum(self.refused, process.heap.refused);
        self.would_refuse = sum(self.would_refuse, process.heap.would_refuse);
        if process.share() > self.share {
            self.share = process.share();
        }
    }
}

impl Ranked for Group {
    fn share(&self) -> Option<f64> {
        self.share
    }

    fn used(&self) -> u64 {
        self.used
    }

    fn rss(&self) -> u64 {
        self.rss
    }

    fn peak(&self) -> u64 {
        self.peak
    }

    fn refusals(&self) -> u64 {
        self.refused.saturating_add(self.would_refuse)
    }

    fn by_name(&self, other: &Self) -> Ordering {
        self.name.cmp(&other.name)
    }
}

/// The groups that there are.
pub(crate) fn groups(processes: &[Process], by: By) -> Vec<Group> {
    let mut groups = BTreeMap::<String, Group>::new();
    for process in processes {
        groups.entry(by.of(process)).or_default().add(process);
    }
    let named = |(name, group)| Group { name, ..group };
    groups.into_iter().map(named).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::process::tests::example;

    /// Two of user me, one of root.
    pub(crate) fn processes() -> Vec<Process> {
        let mut processes = vec![
            example(1, "a", 10, Some(100)),
            example(2, "b", 20, Some(40)),
            example(3, "a", 40, None),
        ];
        processes[1].heap.refused = 3;
        processes[2].heap.would_refuse = 4;
        processes[2].user = "root".into();
        processes[2].unit = None;
        processes[2].heap.resident = None;
        processes
    }

    #[test]
    fn sums() {
        let groups = groups(&processes(), By::User);
        let [me, root] = &groups[..] else {
            panic!("{groups:?}")
        };
        assert_eq!((me.name.as_str(), me.processes), ("me", 2));
        assert_eq!((me.used, me.rss, me.peak), (30, 15, 30));
        assert_eq!((me.resident, root.resident), (Some(7), None));
        assert_eq!((me.share, me.refused, me.would_refuse), (Some(50.0), 3, 0));
        assert_eq!((root.name.as_str(), root.processes), ("root", 1));
        assert_eq!((root.share, root.would_refuse), (None, 4));
    }

    #[test]
    fn names() {
        let names = |by| -> Vec<_> {
            let groups = groups(&processes(), by).into_iter();
            groups.map(|group| group.name).collect()
        };
        assert_eq!(names(By::Unit), ["?", "a.service"]);
        assert_eq!(names(By::Command), ["a", "b"]);
        assert_eq!(names(By::Process), ["1", "2", "3"]);
    }

    #[test]
    fn round_and_names_are_those_of_options() {
        assert_eq!(By::Process.next(), By::Unit);
        assert_eq!(By::Command.next(), By::Process);
        assert_eq!(By::Job.next(), By::Process);
        for by in By::ALL {
            assert_eq!(By::from_str(by.name(), false), Ok(by));
        }
    }
}
