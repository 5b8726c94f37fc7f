// SPDX-License-Identifier: GPL-2.0-only

//! Signals that end us, as something to poll: what we changed is to be put back first.

use crate::error::Error;
use rustix::event::PollFd;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::io::Errno;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::{flag, low_level::pipe};
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

/// From now on, these signals are only seen here.
#[derive(Debug)]
pub(crate) struct Signals {
    ended: Arc<AtomicBool>,
    wake: UnixStream,
    sender: UnixStream,
}

impl Signals {
    pub(crate) fn catch() -> io::Result<Self> {
        let (wake, sender) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        let signals = Self {
            ended: Arc::default(),
            wake,
            sender,
        };
        for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
            // In this order: who wakes up finds the flag set.
            flag::register(signal, signals.ended.clone())?;
            signals.wake_by(signal)?;
        }
        Ok(signals)
    }

    /// Of a signal that is only to wake us.
    pub(crate) fn wake_by(&self, signal: i32) -> io::Result<()> {
        pipe::register(signal, self.sender.try_clone()?).map(|_| ())
    }

    /// Has there been one to end us?
    pub(crate) fn ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Makes ready for the next.
    pub(crate) fn drain(&mut self) {
        let mut bytes = [0; 64];
        while matches!(self.wake.read(&mut bytes), Ok(1..)) {}
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}

/// Waits for one of `fds`, a signal, or so long; for ever, if that is `None`.
pub(crate) fn poll(fds: &mut [PollFd], left: Option<Duration>) -> Result<(), Error> {
    match rustix::event::poll(fds, milliseconds(left)) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(errno) => Err(Error::System(errno.into())),
    }
}

/// As poll(2) takes them; rounded up, or we would spin at the end.
fn milliseconds(left: Option<Duration>) -> i32 {
    left.map_or(-1, |left| {
        i32::try_from(left.as_micros().div_ceil(1000)).unwrap_or(i32::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounded_up() {
        assert_eq!(milliseconds(None), -1);
        assert_eq!(milliseconds(Some(Duration::ZERO)), 0);
        assert_eq!(milliseconds(Some(Duration::from_micros(1))), 1);
        assert_eq!(milliseconds(Some(Duration::MAX)), i32::MAX);
    }
}
