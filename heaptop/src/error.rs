// SPDX-License-Identifier: GPL-2.0-only

//! What goes wrong, each as one line for the user: what, why, and what to do.

use crate::model::limit::Beyond;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// A failure, whose text is the message.
#[derive(Debug, Error)]
pub enum Error {
    #[error(
        "this kernel has no RLIMIT_HEAP (no {field} in {}): boot one with the rlimit-heap patches",
        .path.display()
    )]
    NoField { field: &'static str, path: PathBuf },

    #[error("this kernel has no RLIMIT_HEAP: boot one with the rlimit-heap patches")]
    NoResource,

    #[error("cannot read {}: {}", .0.display(), words(.1))]
    Read(PathBuf, #[source] io::Error),

    #[error("cannot write the output: {}", words(.0))]
    Write(#[source] io::Error),

    #[error("user '{0}' does not exist")]
    NoUser(String),

    #[error(transparent)]
    Beyond(#[from] Beyond),

    #[error("cannot set the heap limit{}: {why}", of_process(*.pid))]
    SetLimit { pid: i32, why: Box<Error> },

    #[error("cannot run {command}: {}", words(.why))]
    Run { command: String, why: io::Error },

    #[error("cannot signal process {pid}: {}", words(.why))]
    Signal { pid: i32, why: io::Error },

    #[error("'{0}' is no signal: use a name or a number, as TERM or 15")]
    NoSignal(String),

    #[error("the live view, -d, needs a terminal: use -b without one")]
    NoTerminal,

    #[error("cannot use the terminal: {}", words(.0))]
    Terminal(#[source] io::Error),

    #[error("cannot trace: {0}")]
    Trace(#[from] TraceError),

    #[error("cannot limit a job: {0}")]
    Job(#[source] CgroupError),

    #[error("cannot show cgroups: {0}")]
    Jobs(#[source] CgroupError),

    #[error("{}", words(.0))]
    System(#[from] io::Error),
}

/// Why there are no events to see.
#[derive(Debug, Error)]
pub enum TraceError {
    #[error("only root can: {}", words(.0))]
    NotRoot(#[source] io::Error),

    #[error("this kernel has no tracefs")]
    NoTracefs,

    #[error("tracefs is not mounted: mount -t tracefs tracefs {}", .0.display())]
    NotMounted(PathBuf),

    #[error(
        "this kernel has no heap_limit events: it needs CONFIG_FTRACE and the rlimit-heap patches"
    )]
    NoEvents,

    #[error("this kernel describes its events in words not understood: {0}")]
    Format(String),

    #[error("{}: {}", .0.display(), words(.1))]
    File(PathBuf, #[source] io::Error),
}

/// Why there is no limit of a cgroup.
#[derive(Debug, Error)]
pub enum CgroupError {
    #[error("no cgroup v2 is mounted: boot with cgroup_no_v1=all, mount -t cgroup2 cgroup2 /sys/fs/cgroup")]
    NoMount,

    #[error("cgroup {0} is not below what is mounted: mount all of the hierarchy")]
    NotMounted(String),

    #[error(
        "no memory controller in {}: boot with cgroup_no_v1=memory, and a kernel with CONFIG_MEMCG",
        .0.display()
    )]
    NoController(PathBuf),

    #[error(
        "no memory.heap.max in {}: boot a kernel with the rlimit-heap patches and CONFIG_MEMCG_HEAP",
        .0.display()
    )]
    NoFiles(PathBuf),

    #[error("cgroup {0} is not delegated: {OWN}")]
    NotDelegated(String),

    #[error("the memory controller is not delegated to cgroup {0}: {OWN}")]
    NotEnabled(String),

    #[error("{}: {}{}", .0.display(), words(.1), advice(.1))]
    File(PathBuf, #[source] io::Error),
}

/// How to get a cgroup that is ours.
const OWN: &str = "start heaptop by systemd-run --scope -p Delegate=yes, --user if not root";

fn advice(error: &io::Error) -> String {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    match error.kind() {
        PermissionDenied | ReadOnlyFilesystem => format!(": {OWN}"),
        _ => String::new(),
    }
}

impl Error {
    /// Has the reader of our output gone?
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Error::Write(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// The system's words, without the number that Rust adds.
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error ") {
        Some((words, _)) => words.to_string(),
        None => text,
    }
}

/// Ourselves, if it is 0.
fn of_process(pid: i32) -> String {
    match pid {
        0 => String::new(),
        _ => format!(" of process {pid}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_numbers() {
        let why = Box::new(Error::System(io::Error::from_raw_os_error(libc::EPERM)));
        assert_eq!(
            Error::SetLimit { pid: 1, why }.to_string(),
            "cannot set the heap limit of process 1: Operation not permitted"
        );
    }

    #[test]
    fn advice_to_who_has_no_rights() {
        let file = |code| {
            let error = io::Error::from_raw_os_error(code);
            Error::Job(CgroupError::File("/a".into(), error)).to_string()
        };
        let refused = "cannot limit a job: /a: Permission denied: start heaptop by systemd-run ";
        assert!(file(libc::EACCES).starts_with(refused));
        let busy = "cannot limit a job: /a: Device or resource busy";
        assert_eq!(file(libc::EBUSY), busy);
    }

    #[test]
    fn ours_is_not_named() {
        let why = Box::new(Error::NoResource);
        assert_eq!(
            Error::SetLimit { pid: 0, why }.to_string(),
            "cannot set the heap limit: this kernel has no RLIMIT_HEAP: boot one with the rlimit-heap patches"
        );
    }
}
