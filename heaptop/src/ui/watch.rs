// SPDX-License-Identifier: GPL-2.0-only

//! Prints events as they happen.

use crate::error::Error;
use crate::model::event::Event;
use crate::model::filter::Filter;
use crate::output::event::{self as output, Whose};
use crate::source::machine::Machine;
use crate::source::trace::Trace;
use crate::ui::signals::{self, Signals};
use rustix::event::{PollFd, PollFlags};
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// As timeout(1): the time was over before there was what was waited for.
const TIMED_OUT: u8 = 124;

/// What to print, and when to end.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) filter: Filter,
    pub(crate) json: bool,
    /// So many events.
    pub(crate) count: Option<u64>,
    pub(crate) timeout: Option<Duration>,
}

/// Until there were as many events as wanted, the time is over, or a signal ends it.
pub(crate) fn watch(machine: &Machine, watch: &Watch) -> Result<ExitCode, Error> {
    let mut signals = Signals::catch()?;
    let mut trace = Trace::open()?;
    if machine.system().policy.is_none() {
        eprintln!("heaptop: no heap policy is loaded, nothing is limited until one is");
    }
    let mut printer = Printer {
        machine,
        watch,
        printed: 0,
    };
    printer.heads().map_err(Error::Write)?;
    let deadline = watch.timeout.map(|timeout| Instant::now() + timeout);
    while !printer.is_done() {
        match wait(&trace, &signals, deadline)? {
            Woken::Events => printer.print(&mut trace)?,
            Woken::Signal if signals.ended() => return Ok(ExitCode::SUCCESS),
            Woken::Signal => signals.drain(),
            Woken::Time if watch.count.is_none() && printer.printed > 0 => break,
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
fn wait(trace: &Trace, signals: &Signals, deadline: Option<Instant>) -> Result<Woken, Error> {
    let stdout = io::stdout();
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let mut fds = vec![
            PollFd::new(signals, PollFlags::IN),
            PollFd::new(&stdout, PollFlags::empty()),
        ];
        let pipes = trace.pipes();
        fds.extend(pipes.map(|pipe| PollFd::from_borrowed_fd(pipe, PollFlags::IN)));
        signals::poll(&mut fds, left)?;
        let mut woken = fds.iter().map(|fd| !fd.revents().is_empty());
        if woken.next() == Some(true) {
            return Ok(Woken::Signal);
        }
        if woken.next() == Some(true) {
            return Err(Error::Write(io::ErrorKind::BrokenPipe.into()));
        }
        if woken.any(|events| events) {
            return Ok(Woken::Events);
        }
        if left.is_some_and(|left| left.is_zero()) {
            return Ok(Woken::Time);
        }
    }
}

struct Printer<'a> {
    machine: &'a Machine,
    watch: &'a Watch,
    printed: u64,
}

impl Printer<'_> {
    fn is_done(&self) -> bool {
        self.watch.count == Some(self.printed)
    }

    /// Tells, too, that from now on everything is seen.
    fn heads(&self) -> io::Result<()> {
        if self.watch.json {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        output::write_heads(&mut out)?;
        out.flush()
    }

    fn print(&mut self, trace: &mut Trace) -> Result<(), Error> {
        let news = trace.read()?;
        if news.lost {
            eprintln!("heaptop: events were lost: there were too many at once");
        }
        for event in &news.events {
            self.event(event).map_err(Error::Write)?;
        }
        Ok(())
    }

    fn event(&mut self, event: &Event) -> io::Result<()> {
        let filter = &self.watch.filter;
        if self.is_done() || !filter.has_event(event.pid, event.uid, &event.command) {
            return Ok(());
        }
        self.printed += 1;
        let whose = Whose {
            user: self.machine.users.name(event.uid),
            unit: self.machine.unit(event.pid),
            cgroup: event.cgroup.and_then(|id| self.machine.cgroup(id)),
        };
        let mut out = io::stdout().lock();
        match self.watch.json {
            true => output::write_json(&mut out, event, &whose)?,
            false => output::write_row(&mut out, event, &whose)?,
        }
        out.flush()
    }
}
