// SPDX-License-Identifier: GPL-2.0-only

//! prlimit(2) of RLIMIT_HEAP, which neither glibc nor rustix knows.

use crate::error::Error;
use crate::model::limit::{Change, Limit, Limits};
use std::{io, ptr};

const RLIMIT_HEAP: libc::__rlimit_resource_t = 16;

/// Changes the limits of a process; our own if `pid` is 0.
pub(crate) fn change(pid: i32, heap: Change) -> Result<(), Error> {
    let change = || {
        // That of others may be forbidden, in a kernel without the resource too.
        prlimit(0, None)?;
        let new = heap.of(prlimit(pid, None)?)?;
        prlimit(pid, Some(new)).map(|_| ())
    };
    change().map_err(|why| Error::SetLimit {
        pid,
        why: Box::new(why),
    })
}

/// Sets the limits, if there are new ones, and returns those from before.
fn prlimit(pid: i32, new: Option<Limits>) -> Result<Limits, Error> {
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
        _ => Err(failure(io::Error::last_os_error())),
    }
}

/// A kernel that does not know the resource says EINVAL, as it does for nothing else here:
/// a soft limit is never above the hard one.
fn failure(error: io::Error) -> Error {
    match error.raw_os_error() {
        Some(libc::EINVAL) => Error::NoResource,
        _ => Error::System(error),
    }
}
