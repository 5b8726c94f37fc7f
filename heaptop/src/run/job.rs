// SPDX-License-Identifier: GPL-2.0-only

//! `heaptop run --job`: a command in a cgroup of its own, and us beside it until it ends.

use crate::error::Error;
use crate::model::limit::Limit;
use crate::run::order::Order;
use crate::run::passed::Signals;
use crate::run::report::Report;
use crate::source::cgroup::OwnJob;
use rustix::event::{poll, PollFd, PollFlags};
use rustix::io::Errno;
use rustix::process::{pidfd_open, set_dumpable_behavior, DumpableBehavior, Pid, PidfdFlags};
use signal_hook::low_level::{emulate_default_handler, raise};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitCode, ExitStatus};

/// Us as a program, also if the file is gone by now.
const SELF: &str = "/proc/self/exe";

/// Until the command has ended, and all of its job.
pub(super) fn run(order: &Order, max: Limit) -> Result<ExitCode, Error> {
    let mut signals = Signals::catch()?;
    let job = OwnJob::create(max).map_err(Error::Job)?;
    let report = order.report.then(|| Report::begin(&job));
    let ended = start(order, &job).and_then(|child| wait(child, &mut signals));
    if let Err(error) = job.kill() {
        eprintln!("heaptop: cannot end the job: {error}");
    }
    if let Some(report) = report {
        report.print(&job);
    }
    if let Err(error) = job.remove() {
        eprintln!("heaptop: cannot remove the job: {error}");
    }
    ended.map(end_as)
}

/// Another of us enters the cgroup, limits itself, and becomes the command: who fails says
/// so, with the status that is his.
fn start(order: &Order, job: &OwnJob) -> Result<Child, Error> {
    let mut command = Command::new(SELF);
    command.arg0("heaptop").arg("run");
    command.arg("--into").arg(&job.directory);
    if let Some(heap) = order.heap {
        command.arg(format!("--heap={heap}"));
    }
    command.arg("--").arg(&order.command);
    Ok(command.args(&order.arguments).spawn()?)
}

/// Passes signals on until the command ends.
fn wait(mut child: Child, signals: &mut Signals) -> Result<ExitStatus, Error> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or(Errno::SRCH).map_err(std::io::Error::from)?;
    let ended = pidfd_open(pid, PidfdFlags::empty()).map_err(std::io::Error::from)?;
    loop {
        let mut fds = [
            PollFd::new(&ended, PollFlags::IN),
            PollFd::new(&*signals, PollFlags::IN),
        ];
        match poll(&mut fds, -1) {
            Ok(_) | Err(Errno::INTR) => (),
            Err(errno) => return Err(Error::System(errno.into())),
        }
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        // It is there until we have waited for it.
        signals.pass_on(pid);
    }
}

/// Ends us as the command has ended.
fn end_as(status: ExitStatus) -> ExitCode {
    let signal = match (status.code(), status.signal()) {
        (Some(code), _) => return ExitCode::from(code as u8),
        (_, signal) => signal.unwrap_or(0),
    };
    // The core is the command's.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = emulate_default_handler(signal);
    // There is no handler of SIGKILL.
    let _ = raise(signal);
    ExitCode::from(128 + signal as u8)
}
