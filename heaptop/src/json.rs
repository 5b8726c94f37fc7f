// SPDX-License-Identifier: GPL-2.0-only

//! The same for programs: exact bytes, names as they are.

use crate::kernel::System;
use crate::limit::Limit;
use crate::process::Process;
use serde::Serialize;
use std::io::{self, Write};

#[derive(Serialize)]
struct Snapshot<'a> {
    #[serde(flatten)]
    system: &'a System,
    processes: Vec<Row<'a>>,
}

/// Limits are a number, "unlimited", or null if we may not know them.
#[derive(Serialize)]
struct Row<'a> {
    pid: i32,
    uid: u32,
    user: &'a str,
    command: &'a str,
    used_bytes: u64,
    peak_bytes: u64,
    share_percent: Option<f64>,
    soft_bytes: Option<Limit>,
    hard_bytes: Option<Limit>,
    refused: u64,
    would_refuse: u64,
}

impl<'a> From<&'a Process> for Row<'a> {
    fn from(process: &'a Process) -> Self {
        Self {
            pid: process.pid,
            uid: process.uid,
            user: &process.user,
            command: &process.command,
            used_bytes: process.heap.used,
            peak_bytes: process.heap.peak,
            share_percent: process.share(),
            soft_bytes: process.limits.map(|limits| limits.soft),
            hard_bytes: process.limits.map(|limits| limits.hard),
            refused: process.heap.refused,
            would_refuse: process.heap.would_refuse,
        }
    }
}

/// Writes one object, in one line.
pub(crate) fn write(
    out: &mut impl Write,
    system: &System,
    processes: &[Process],
) -> io::Result<()> {
    let processes = processes.iter().map(Row::from).collect();
    line(out, &Snapshot { system, processes })
}

/// Writes an object and ends the line.
pub(crate) fn line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::tests::example;

    #[test]
    fn one_object() {
        let system = System {
            policy: Some("commit".into()),
            mode: None,
            threshold_percent: Some(90),
            refused: 3,
            would_refuse: 0,
        };
        let processes = [
            example(1, "a\n\"b\"", 5, Some(10)),
            example(2, "c", 0, Some(u64::MAX)),
            example(3, "d", 0, None),
        ];
        let mut out = Vec::new();
        write(&mut out, &system, &processes).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(value["policy"], "commit");
        assert_eq!(value["mode"], serde_json::Value::Null);
        assert_eq!(value["refused"], 3);
        let rows = &value["processes"];
        assert_eq!(rows[0]["command"], "a\n\"b\"");
        assert_eq!(rows[0]["soft_bytes"], 10);
        assert_eq!(rows[0]["share_percent"], 50.0);
        assert_eq!(rows[1]["soft_bytes"], "unlimited");
        assert_eq!(rows[2]["soft_bytes"], serde_json::Value::Null);
    }
}
