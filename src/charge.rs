// SPDX-License-Identifier: GPL-2.0-only

//! The arithmetic of the limit: may the heap grow, and what does its size become.
//!
//! All sizes are in pages. Nothing here panics, whatever the arguments: that would take the kernel
//! down with the `mmap_lock` held.

/// May a heap of `total` pages grow by `npages` under a limit of `limit` pages?
///
/// A heap that is above its limit, because the limit was lowered, has no room to grow, but no
/// growth at all (0 pages, heap that replaces as much heap) is always fine.
pub(crate) fn may_expand(total: usize, npages: usize, limit: usize) -> bool {
    npages <= limit.saturating_sub(total)
}

/// What is to happen to growth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It fails.
    Refuse,
    /// It is fine.
    Grow,
    /// It goes on, and is reported as one that would have failed.
    Report,
}

/// What is to happen when a heap of `total` pages wants `npages` more under a limit of `limit`
/// pages? An audit lets pass what it would otherwise refuse.
pub(crate) fn judge(total: usize, npages: usize, limit: usize, audit: bool) -> Verdict {
    if may_expand(total, npages, limit) {
        Verdict::Grow
    } else if audit {
        Verdict::Report
    } else {
        Verdict::Refuse
    }
}

/// The size of a heap of `total` pages after `npages` have appeared, or gone if negative.
///
/// The sum and nothing else, which is what the kernel's counter is. Bounds are for [`may_expand`]
/// to keep: here they would only hide that one was wrong.
pub(crate) fn account(total: usize, npages: isize) -> usize {
    total.wrapping_add_signed(npages)
}
