// SPDX-License-Identifier: GPL-2.0-only

//! The same for programs: exact bytes, names as they are.

use crate::model::group::{By, Group};
use crate::model::job::Job;
use crate::model::limit::Limit;
use crate::model::process::Process;
use crate::model::rows::Rows;
use crate::model::sort::Ranked;
use crate::model::system::System;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::io::{self, Write};

#[derive(Serialize)]
struct Snapshot<'a> {
    #[serde(flatten)]
    system: &'a System,
    #[serde(flatten)]
    lines: Lines<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Lines<'a> {
    Processes {
        processes: Vec<ProcessLine<'a>>,
    },
    Groups {
        group_by: &'static str,
        groups: Vec<GroupLine<'a>>,
    },
    Jobs {
        cgroups: Vec<JobLine<'a>>,
    },
}

/// Limits are a number, "unlimited", or null if we may not know them.
#[derive(Serialize)]
struct ProcessLine<'a> {
    pid: i32,
    uid: u32,
    user: &'a str,
    command: &'a str,
    arguments: &'a [String],
    unit: Option<&'a str>,
    cgroup: Option<&'a str>,
    used_bytes: u64,
    resident_bytes: Option<u64>,
    rss_bytes: u64,
    peak_bytes: u64,
    share_percent: Option<f64>,
    soft_bytes: Option<Limit>,
    hard_bytes: Option<Limit>,
    refused: u64,
    would_refuse: u64,
}

impl<'a> From<&'a Process> for ProcessLine<'a> {
    fn from(process: &'a Process) -> Self {
        Self {
            pid: process.pid,
            uid: process.uid,
            user: &process.user,
            command: &process.command,
            arguments: &process.arguments,
            unit: process.unit.as_deref(),
            cgroup: process.cgroup.as_deref(),
            used_bytes: process.heap.used,
            resident_bytes: process.heap.resident,
            rss_bytes: process.rss,
            peak_bytes: process.heap.peak,
            share_percent: process.share(),
            soft_bytes: process.limits.map(|limits| limits.soft),
            hard_bytes: process.limits.map(|limits| limits.hard),
            refused: process.heap.refused,
            would_refuse: process.heap.would_refuse,
        }
    }
}

#[derive(Serialize)]
struct JobLine<'a> {
    path: &'a str,
    processes: u64,
    used_bytes: u64,
    resident_bytes: Option<u64>,
    peak_bytes: u64,
    share_percent: Option<f64>,
    max_bytes: Limit,
    refused: u64,
    would_refuse: u64,
}

impl<'a> From<&'a Job> for JobLine<'a> {
    fn from(job: &'a Job) -> Self {
        Self {
            path: &job.path,
            processes: job.processes,
            used_bytes: job.heap.used,
            resident_bytes: job.heap.resident,
            peak_bytes: job.heap.peak,
            share_percent: job.share(),
            max_bytes: job.max,
            refused: job.heap.refused,
            would_refuse: job.heap.would_refuse,
        }
    }
}

/// Its name is called what the groups have in common.
struct GroupLine<'a>(By, &'a Group);

impl Serialize for GroupLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(by, group) = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(by.name(), &group.name)?;
        map.serialize_entry("processes", &group.processes)?;
        map.serialize_entry("used_bytes", &group.used)?;
        map.serialize_entry("resident_bytes", &group.resident)?;
        map.serialize_entry("rss_bytes", &group.rss)?;
        map.serialize_entry("peak_bytes", &group.peak)?;
        map.serialize_entry("share_percent", &group.share)?;
        map.serialize_entry("refused", &group.refused)?;
        map.serialize_entry("would_refuse", &group.would_refuse)?;
        map.end()
    }
}

/// Writes one object, in one line.
pub(crate) fn write(out: &mut impl Write, system: &System, rows: &Rows) -> io::Result<()> {
    let lines = match rows {
        Rows::Processes(processes) => Lines::Processes {
            processes: processes.iter().map(ProcessLine::from).collect(),
        },
        Rows::Groups(by, groups) => Lines::Groups {
            group_by: by.name(),
            groups: groups.iter().map(|group| GroupLine(*by, group)).collect(),
        },
        Rows::Jobs(jobs) => Lines::Jobs {
            cgroups: jobs.iter().map(JobLine::from).collect(),
        },
    };
    line(out, &Snapshot { system, lines })
}

/// Writes an object and ends the line.
pub(crate) fn line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::group::groups;
    use crate::model::job::tests::example as job;
    use crate::model::process::tests::example;
    use serde_json::Value;

    fn written(rows: &Rows) -> Value {
        let system = System {
            policy: Some("commit".into()),
            mode: None,
            threshold_percent: Some(90),
            refused: 3,
            would_refuse: 0,
        };
        let mut out = Vec::new();
        write(&mut out, &system, rows).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    fn processes() -> Vec<Process> {
        vec![
            example(1, "a\n\"b\"", 5, Some(10)),
            example(2, "c", 0, Some(u64::MAX)),
            example(3, "d", 0, None),
        ]
    }

    #[test]
    fn one_object() {
        let value = written(&Rows::Processes(processes()));
        assert_eq!(value["policy"], "commit");
        assert_eq!(value["mode"], Value::Null);
        assert_eq!(value["refused"], 3);
        let rows = &value["processes"];
        assert_eq!(rows[0]["command"], "a\n\"b\"");
        assert_eq!(rows[0]["arguments"][1], "-x");
        assert_eq!(rows[0]["unit"], "a.service");
        assert_eq!(rows[0]["cgroup"], "/system.slice/a.service");
        assert_eq!(rows[0]["soft_bytes"], 10);
        assert_eq!(rows[0]["resident_bytes"], 1);
        assert_eq!(rows[0]["share_percent"], 50.0);
        assert_eq!(rows[1]["soft_bytes"], "unlimited");
        assert_eq!(rows[2]["soft_bytes"], Value::Null);
    }

    #[test]
    fn of_groups() {
        let rows = Rows::Groups(By::Unit, groups(&processes(), By::Unit));
        let value = written(&rows);
        assert_eq!(value["group_by"], "unit");
        let group = &value["groups"][0];
        assert_eq!(group["unit"], "a.service");
        assert_eq!(group["processes"], 3);
        assert_eq!(group["used_bytes"], 5);
        assert_eq!(group["resident_bytes"], 1);
        assert_eq!(group["share_percent"], 50.0);
    }

    #[test]
    fn of_jobs() {
        let jobs = vec![job("/a", 5, 10), job("/b", 5, u64::MAX)];
        let value = written(&Rows::Jobs(jobs));
        let jobs = &value["cgroups"];
        assert_eq!(
            (&jobs[0]["path"], &jobs[0]["processes"]),
            (&"/a".into(), &2.into())
        );
        assert_eq!(
            (&jobs[0]["max_bytes"], &jobs[0]["share_percent"]),
            (&10.into(), &50.0.into())
        );
        assert_eq!(jobs[1]["max_bytes"], "unlimited");
        assert_eq!(jobs[1]["share_percent"], Value::Null);
    }
}
