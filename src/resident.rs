// SPDX-License-Identifier: GPL-2.0-only

//! Policy `resident`: what is heap under `commit` is limited by what of it is there.
//!
//! Pools of threads, fibers and runtimes that reserve much have memory that is writable and was
//! never touched, or was given back by `madvise(2)`. That is nobody's loss: the heap may grow
//! above its limit as long as the pages that are there, in memory or swapped out, and those asked
//! for do not exceed it.
//!
//! A leak ends at the limit, as it touches what it gets. Nothing is asked when pages are touched,
//! so that who asks for much and fills it later passes the limit, until the next request.

pub(crate) use crate::commit::classify;

/// May a heap that is above `limit`, of which `resident` pages are there, grow by `request`?
///
/// Of `MAP_NORESERVE` memory nothing is requested: nothing is promised of it.
pub(crate) fn admits(resident: usize, request: usize, limit: usize) -> bool {
    resident
        .checked_add(request)
        .is_some_and(|sum| sum <= limit)
}
