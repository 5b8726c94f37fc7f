// SPDX-License-Identifier: GPL-2.0-only

//! Events, as lines for people and as objects.

use crate::model::event::Event;
use crate::model::size::human;
use crate::output::{escape, json};
use chrono::{DateTime, Local, SecondsFormat};
use serde::Serialize;
use std::io::{self, Write};

/// What is known of the process from elsewhere.
#[derive(Debug)]
pub(crate) struct Whose {
    pub(crate) user: String,
    /// `None` if it had ended before we could look.
    pub(crate) unit: Option<String>,
    /// The cgroup whose limit it was; `None` if it was the process's own, or it is gone.
    pub(crate) cgroup: Option<String>,
}

pub(crate) fn write_heads(out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{:8} {:12} {:>7} {:8} {:8} {:>7} {:>6} {:>6} {:8} {:20} {:8} COMMAND",
        "TIME",
        "EVENT",
        "PID",
        "USER",
        "WHAT",
        "REQUEST",
        "USAGE",
        "LIMIT",
        "POLICY",
        "UNIT",
        "LIMIT-OF"
    )
}

pub(crate) fn write_row(out: &mut impl Write, event: &Event, whose: &Whose) -> io::Result<()> {
    let unit = whose.unit.as_deref().unwrap_or("?");
    writeln!(
        out,
        "{} {:12} {:>7} {:8} {:8} {:>7} {:>6} {:>6} {:8} {:20} {:8} {}",
        DateTime::<Local>::from(event.time).format("%H:%M:%S"),
        event.kind,
        event.pid,
        escape::for_terminal(&whose.user),
        event.what,
        human(event.request),
        human(event.usage),
        human(event.limit),
        event.policy,
        escape::for_terminal(unit),
        escape::for_terminal(&limit_of(event, whose)),
        escape::for_terminal(&event.command),
    )
}

/// A path, the id of a cgroup that is gone, or the process.
pub(crate) fn limit_of(event: &Event, whose: &Whose) -> String {
    match (event.cgroup, &whose.cgroup) {
        (None, _) => "process".into(),
        (Some(_), Some(path)) => path.clone(),
        (Some(id), None) => id.to_string(),
    }
}

pub(crate) fn write_json(out: &mut impl Write, event: &Event, whose: &Whose) -> io::Result<()> {
    let time = DateTime::<Local>::from(event.time);
    let of_process = event.cgroup.is_none();
    let of_resident = event.is_of_resident();
    let object = Object {
        time: time.to_rfc3339_opts(SecondsFormat::Micros, false),
        event: &event.kind,
        pid: event.pid,
        uid: event.uid,
        user: &whose.user,
        unit: whose.unit.as_deref(),
        command: &event.command,
        what: &event.what,
        request_bytes: event.request,
        used_bytes: (!of_resident).then_some(event.usage),
        resident_bytes: of_resident.then_some(event.usage),
        soft_bytes: of_process.then_some(event.limit),
        max_bytes: (!of_process).then_some(event.limit),
        limit_cgroup: whose.cgroup.as_deref(),
        limit_cgroup_id: event.cgroup,
        policy: &event.policy,
    };
    json::line(out, &object)
}

#[derive(Serialize)]
struct Object<'a> {
    time: String,
    event: &'a str,
    pid: i32,
    uid: u32,
    user: &'a str,
    unit: Option<&'a str>,
    command: &'a str,
    what: &'a str,
    request_bytes: u64,
    used_bytes: Option<u64>,
    resident_bytes: Option<u64>,
    soft_bytes: Option<u64>,
    max_bytes: Option<u64>,
    limit_cgroup: Option<&'a str>,
    limit_cgroup_id: Option<u64>,
    policy: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::time::SystemTime;

    fn event(cgroup: Option<u64>) -> Event {
        Event {
            time: SystemTime::now(),
            kind: "refused".into(),
            pid: 1,
            uid: 0,
            command: "cc1".into(),
            what: "mmap".into(),
            request: 4096,
            usage: 8192,
            limit: 16384,
            policy: "commit".into(),
            cgroup,
        }
    }

    fn whose(cgroup: Option<&str>) -> Whose {
        Whose {
            user: "root".into(),
            unit: Some("/".into()),
            cgroup: cgroup.map(str::to_string),
        }
    }

    fn row(id: Option<u64>, path: Option<&str>) -> String {
        let mut out = Vec::new();
        write_row(&mut out, &event(id), &whose(path)).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn json(id: Option<u64>, path: Option<&str>) -> Value {
        let mut out = Vec::new();
        write_json(&mut out, &event(id), &whose(path)).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn whose_limit() {
        assert!(row(None, None).ends_with(" process  cc1\n"));
        assert!(row(Some(7), Some("/a b\n")).ends_with(" /a b\\n   cc1\n"));
        assert!(row(Some(7), None).ends_with(" 7        cc1\n"));
    }

    #[test]
    fn whose_limit_in_json() {
        let own = json(None, None);
        assert_eq!(own["soft_bytes"], 16384);
        assert_eq!(own["limit_cgroup_id"], Value::Null);
        let jobs = json(Some(7), Some("/a"));
        assert_eq!(
            (&jobs["max_bytes"], &jobs["limit_cgroup"]),
            (&16384.into(), &"/a".into())
        );
        assert_eq!(
            (&jobs["soft_bytes"], &jobs["limit_cgroup_id"]),
            (&Value::Null, &7.into())
        );
    }

    #[test]
    fn usage_in_json() {
        let of = |policy: &str, kind: &str| {
            let mut event = event(None);
            event.policy = policy.into();
            event.kind = kind.into();
            let mut out = Vec::new();
            write_json(&mut out, &event, &whose(None)).unwrap();
            let value: Value = serde_json::from_slice(&out).unwrap();
            (
                value["used_bytes"].as_u64(),
                value["resident_bytes"].as_u64(),
            )
        };
        assert_eq!(of("commit", "refused"), (Some(8192), None));
        assert_eq!(of("resident", "refused"), (None, Some(8192)));
        assert_eq!(of("resident", "would_refuse"), (None, Some(8192)));
        assert_eq!(of("resident", "crossed"), (Some(8192), None));
    }
}
