// SPDX-License-Identifier: GPL-2.0-only

//! `heaptop run` and `heaptop set`, which give limits.

use crate::limit::Change;
use crate::{error, rlimit};
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

/// Becomes a command, under a limit. What returns is that it could not.
pub(crate) fn run(heap: Change, command: &[OsString]) -> io::Result<ExitCode> {
    let [program, args @ ..] = command else {
        return Err(io::Error::other("no command"));
    };
    // Before the limit, which is ours as well until then.
    let mut command = Command::new(program);
    command.args(args);
    change(0, heap).map_err(|error| error::about("cannot set the heap limit", &error))?;
    let error = command.exec();
    let problem = error::about(
        format!("cannot run {}", Path::new(program).display()),
        &error,
    );
    eprintln!("heaptop: {problem}");
    // As the shell has it.
    Ok(ExitCode::from(match error.kind() {
        io::ErrorKind::NotFound => 127,
        _ => 126,
    }))
}

/// Gives a process that runs other limits.
pub(crate) fn set(pid: i32, heap: Change) -> io::Result<()> {
    change(pid, heap).map_err(|error| {
        error::about(
            format!("cannot set the heap limit of process {pid}"),
            &error,
        )
    })
}

fn change(pid: i32, heap: Change) -> io::Result<()> {
    let new = heap.of(rlimit::get(pid)?).map_err(io::Error::other)?;
    rlimit::set(pid, new)
}
