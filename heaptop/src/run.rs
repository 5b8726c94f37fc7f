// SPDX-License-Identifier: GPL-2.0-only

//! `heaptop run` and `heaptop set`, which give limits and need nothing but prlimit(2).

use crate::error::Error;
use crate::model::limit::Change;
use crate::source::rlimit;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// As env(1): we failed ourselves, it is there but cannot be run, it is not there.
pub const FAILED: u8 = 125;
const NOT_RUN: u8 = 126;
const NOT_FOUND: u8 = 127;

/// Becomes a command, under a limit. What returns is that it could not.
pub(crate) fn run(heap: Change, program: &OsStr, arguments: &[OsString]) -> (Error, ExitCode) {
    match become_command(heap, program, arguments) {
        Error::Run { command, why } => {
            let status = match why.kind() {
                io::ErrorKind::NotFound => NOT_FOUND,
                _ => NOT_RUN,
            };
            (Error::Run { command, why }, ExitCode::from(status))
        }
        error => (error, ExitCode::from(FAILED)),
    }
}

fn become_command(heap: Change, program: &OsStr, arguments: &[OsString]) -> Error {
    // Before the limit, which is ours as well until then.
    let mut command = Command::new(program);
    command.args(arguments);
    match rlimit::change(0, heap) {
        Err(error) => error,
        Ok(()) => Error::Run {
            why: command.exec(),
            command: program.to_string_lossy().into_owned(),
        },
    }
}

/// Gives a process that runs other limits.
pub(crate) fn set(pid: i32, heap: Change) -> Result<(), Error> {
    rlimit::change(pid, heap)
}
