// SPDX-License-Identifier: GPL-2.0-only

//! prlimit(2) of RLIMIT_HEAP, which neither glibc nor rustix knows.

use crate::limit::{Limit, Limits};
use std::{io, ptr};

const RLIMIT_HEAP: libc::__rlimit_resource_t = 16;

/// The limits of a process; of ourselves if `pid` is 0.
pub(crate) fn get(pid: i32) -> io::Result<Limits> {
    prlimit(pid, None)
}

/// Gives limits to a process; to ourselves if `pid` is 0.
pub(crate) fn set(pid: i32, limits: Limits) -> io::Result<()> {
    prlimit(pid, Some(limits)).map(|_| ())
}

/// Sets the limits, if there are new ones, and returns those from before.
fn prlimit(pid: i32, new: Option<Limits>) -> io::Result<Limits> {
    let new = new.map(|limits| libc::rlimit64 {
        rlim_cur: limits.soft.0,
        rlim_max: limits.hard.0,
    });
    let mut old = libc::rlimit64 {
        rlim_cur: 0,
        rlim_max: 0,
    };
    let new = new.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: `new` is null or points to the struct above, `old` is ours, and both are
    // there until the call is over. The call reads and writes nothing else.
    match unsafe { libc::prlimit64(pid, RLIMIT_HEAP, new, &mut old) } {
        0 => Ok(Limits {
            soft: Limit(old.rlim_cur),
            hard: Limit(old.rlim_max),
        }),
        _ => Err(io::Error::last_os_error()),
    }
}
