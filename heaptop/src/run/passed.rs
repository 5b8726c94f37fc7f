// SPDX-License-Identifier: GPL-2.0-only

//! Signals that others send to us, and mean the command.

use crate::source::proc;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::process::{kill_process, Pid, Signal};
use signal_hook::consts::{SIGALRM, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook_registry::register_sigaction;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;

const PASSED: [i32; 7] = [SIGHUP, SIGINT, SIGQUIT, SIGALRM, SIGTERM, SIGUSR1, SIGUSR2];

/// From now on, these signals are only seen here.
#[derive(Debug)]
pub(super) struct Signals {
    seen: UnixStream,
}

impl Signals {
    /// What is ignored stays so, for the command, too: nohup(1).
    pub(super) fn catch() -> io::Result<Self> {
        let (seen, sender) = UnixStream::pair()?;
        seen.set_nonblocking(true)?;
        sender.set_nonblocking(true)?;
        let ignored = proc::ignored_signals();
        for signal in PASSED {
            if ignored & (1 << (signal - 1)) == 0 {
                note(signal, sender.try_clone()?)?;
            }
        }
        Ok(Self { seen })
    }

    /// Sends to a process what has come since.
    pub(super) fn pass_on(&mut self, pid: Pid) {
        let mut signals = [0; 64];
        while let Ok(length @ 1..) = self.seen.read(&mut signals) {
            for signal in &signals[..length] {
                if let Some(signal) = Signal::from_raw((*signal).into()) {
                    // One that we may not signal has become another user.
                    let _ = kill_process(pid, signal);
                }
            }
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.seen.as_fd()
    }
}

/// Writes to `sender` that there was a signal, if a process has sent it. What the terminal
/// sends, the command gets from it, too: it is of our process group.
fn note(signal: i32, sender: UnixStream) -> io::Result<()> {
    let byte = [signal as u8];
    let action = move |info: &libc::siginfo_t| {
        if info.si_code <= 0 {
            let _ = rustix::io::write(&sender, &byte);
        }
    };
    // SAFETY: all that the action does is a system call, write(2), which is safe in a handler
    // of signals, on a descriptor that it owns.
    unsafe { register_sigaction(signal, action) }.map(|_| ())
}
