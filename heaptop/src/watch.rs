// SPDX-License-Identifier: GPL-2.0-only

//! Prints events as they happen.

use crate::cli::View;
use crate::event::{Event, Parser, Record};
use crate::filter::Filter;
use crate::kernel::System;
use crate::signals::{self, Signals};
use crate::size::human;
use crate::trace::Trace;
use crate::users::Users;
use crate::{escape, json};
use chrono::{DateTime, Local, SecondsFormat};
use rustix::event::{PollFd, PollFlags};
use serde::Serialize;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Instant;

/// As timeout(1): the time was over before there was what was waited for.
const TIMED_OUT: u8 = 124;
const PAGE: usize = 4096;

/// Until there were as many events as wanted, the time is over, or a signal ends it.
pub(crate) fn watch(view: &View, filter: &Filter, users: &Users) -> io::Result<ExitCode> {
    let mut signals = Signals::catch()?;
    let mut trace = Trace::open()?;
    if System::read().policy.is_none() {
        eprintln!("heaptop: no heap policy is loaded, nothing is limited until one is");
    }
    let mut printer = Printer::new(view, filter, users);
    printer.head()?;
    let deadline = view.timeout.map(|timeout| Instant::now() + timeout);
    while !printer.is_done() {
        match wait(&trace, &signals, deadline)? {
            Woken::Events => printer.print(&mut trace)?,
            Woken::Signal if signals.ended() => return Ok(ExitCode::SUCCESS),
            Woken::Signal => signals.drain(),
            Woken::Time if view.count.is_none() && printer.printed > 0 => break,
            Woken::Time => return Ok(ExitCode::from(TIMED_OUT)),
        }
    }
    Ok(ExitCode::SUCCESS)
}

enum Woken {
    Events,
    Signal,
    Time,
}

/// Waits, and fails if nobody reads what we print any more.
fn wait(trace: &Trace, signals: &Signals, deadline: Option<Instant>) -> io::Result<Woken> {
    let stdout = io::stdout();
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let mut fds = [
            PollFd::new(signals, PollFlags::IN),
            PollFd::new(&stdout, PollFlags::empty()),
            PollFd::new(trace, PollFlags::IN),
        ];
        signals::poll(&mut fds, left)?;
        let [signal, reader, events] = fds.map(|fd| !fd.revents().is_empty());
        if signal {
            return Ok(Woken::Signal);
        }
        if reader {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if events {
            return Ok(Woken::Events);
        }
        if left.is_some_and(|left| left.is_zero()) {
            return Ok(Woken::Time);
        }
    }
}

struct Printer<'a> {
    json: bool,
    filter: &'a Filter,
    users: &'a Users,
    parser: Parser,
    printed: u64,
    wanted: u64,
}

impl<'a> Printer<'a> {
    fn new(view: &View, filter: &'a Filter, users: &'a Users) -> Self {
        Self {
            json: view.json,
            filter,
            users,
            parser: Parser::default(),
            printed: 0,
            wanted: view.count.unwrap_or(u64::MAX),
        }
    }

    fn is_done(&self) -> bool {
        self.printed == self.wanted
    }

    /// Tells, too, that from now on everything is seen.
    fn head(&self) -> io::Result<()> {
        if self.json {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        writeln!(
            out,
            "{:8} {:12} {:>7} {:8} {:8} {:>7} {:>6} {:>6} {:8} COMMAND",
            "TIME", "EVENT", "PID", "USER", "WHAT", "REQUEST", "USED", "LIMIT", "POLICY"
        )?;
        out.flush()
    }

    fn print(&mut self, trace: &mut Trace) -> io::Result<()> {
        let mut buffer = [0; PAGE];
        let text = trace.read(&mut buffer)?;
        for record in self.parser.push(text) {
            match record {
                Record::Lost(count) => eprintln!("heaptop: {count} events were lost"),
                Record::Event(event) => self.event(&event)?,
            }
        }
        Ok(())
    }

    fn event(&mut self, event: &Event) -> io::Result<()> {
        let passes = self.filter.has_task(event.pid, event.uid, &event.command);
        if !passes || self.is_done() {
            return Ok(());
        }
        self.printed += 1;
        let mut out = io::stdout().lock();
        let time = Local::now();
        let user = self.users.name(event.uid);
        match self.json {
            true => json::line(&mut out, &Line::new(event, time, &user))?,
            false => writeln!(out, "{}", row(event, time, &user))?,
        }
        out.flush()
    }
}

fn row(event: &Event, time: DateTime<Local>, user: &str) -> String {
    format!(
        "{} {:12} {:>7} {:8} {:8} {:>7} {:>6} {:>6} {:8} {}",
        time.format("%H:%M:%S"),
        event.kind,
        event.pid,
        escape::for_terminal(user),
        event.what,
        human(event.request),
        human(event.used),
        human(event.limit),
        event.policy,
        escape::for_terminal(&event.command),
    )
}

/// An event as an object.
#[derive(Serialize)]
struct Line<'a> {
    time: String,
    event: &'a str,
    pid: i32,
    uid: u32,
    user: &'a str,
    command: &'a str,
    what: &'a str,
    request_bytes: u64,
    used_bytes: u64,
    soft_bytes: u64,
    policy: &'a str,
}

impl<'a> Line<'a> {
    fn new(event: &'a Event, time: DateTime<Local>, user: &'a str) -> Self {
        Self {
            time: time.to_rfc3339_opts(SecondsFormat::Millis, false),
            event: &event.kind,
            pid: event.pid,
            uid: event.uid,
            user,
            command: &event.command,
            what: &event.what,
            request_bytes: event.request,
            used_bytes: event.used,
            soft_bytes: event.limit,
            policy: &event.policy,
        }
    }
}
