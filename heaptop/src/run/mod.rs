// SPDX-License-Identifier: GPL-2.0-only

//! `heaptop run` and `heaptop set`, which give limits. Those of processes need nothing but
//! prlimit(2).

mod job;
mod order;
mod passed;
mod report;

use crate::error::Error;
use crate::model::limit::Change;
use crate::source::{cgroup, rlimit};
pub use order::Order;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// As env(1): we failed ourselves, it is there but cannot be run, it is not there.
pub const FAILED: u8 = 125;
const NOT_RUN: u8 = 126;
const NOT_FOUND: u8 = 127;

/// Runs a command as a job, or becomes it.
pub(crate) fn run(order: &Order) -> (ExitCode, Option<Error>) {
    let error = match order.job {
        Some(max) => match job::run(order, max) {
            Ok(status) => return (status, None),
            Err(error) => error,
        },
        None => become_command(order),
    };
    let status = match &error {
        Error::Run { why, .. } if why.kind() == io::ErrorKind::NotFound => NOT_FOUND,
        Error::Run { .. } => NOT_RUN,
        _ => FAILED,
    };
    (ExitCode::from(status), Some(error))
}

/// What returns is that it could not.
fn become_command(order: &Order) -> Error {
    // Before the limit, which is ours as well until then.
    let mut command = Command::new(&order.command);
    command.args(&order.arguments);
    match limit(order) {
        Err(error) => error,
        Ok(()) => Error::Run {
            why: command.exec(),
            command: order.command.to_string_lossy().into_owned(),
        },
    }
}

fn limit(order: &Order) -> Result<(), Error> {
    if let Some(directory) = &order.into {
        cgroup::enter(directory).map_err(Error::Job)?;
    }
    order.heap.map_or(Ok(()), |heap| rlimit::change(0, heap))
}

/// Gives a process that runs other limits.
pub(crate) fn set(pid: i32, heap: Change) -> Result<(), Error> {
    rlimit::change(pid, heap)
}
