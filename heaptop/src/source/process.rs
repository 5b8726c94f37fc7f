// SPDX-License-Identifier: GPL-2.0-only

//! What can be done to a process.

use crate::error::Error;
use rustix::io::Errno;
use rustix::process::{kill_process, Pid, Signal};

pub(crate) fn signal(pid: i32, signal: i32) -> Result<(), Error> {
    let sent = match (Pid::from_raw(pid), Signal::from_raw(signal)) {
        (Some(pid), Some(signal)) => kill_process(pid, signal),
        _ => Err(Errno::INVAL),
    };
    sent.map_err(|errno| Error::Signal {
        pid,
        why: errno.into(),
    })
}
