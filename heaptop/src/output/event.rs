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
}

pub(crate) fn write_heads(out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{:8} {:12} {:>7} {:8} {:8} {:>7} {:>6} {:>6} {:8} {:20} COMMAND",
        "TIME", "EVENT", "PID", "USER", "WHAT", "REQUEST", "USED", "LIMIT", "POLICY", "UNIT"
    )
}

pub(crate) fn write_row(out: &mut impl Write, event: &Event, whose: &Whose) -> io::Result<()> {
    let unit = whose.unit.as_deref().unwrap_or("?");
    writeln!(
        out,
        "{} {:12} {:>7} {:8} {:8} {:>7} {:>6} {:>6} {:8} {:20} {}",
        DateTime::<Local>::from(event.time).format("%H:%M:%S"),
        event.kind,
        event.pid,
        escape::for_terminal(&whose.user),
        event.what,
        human(event.request),
        human(event.used),
        human(event.limit),
        event.policy,
        escape::for_terminal(unit),
        escape::for_terminal(&event.command),
    )
}

pub(crate) fn write_json(out: &mut impl Write, event: &Event, whose: &Whose) -> io::Result<()> {
    let time = DateTime::<Local>::from(event.time);
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
        used_bytes: event.used,
        soft_bytes: event.limit,
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
    used_bytes: u64,
    soft_bytes: u64,
    policy: &'a str,
}
