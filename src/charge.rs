// SPDX-License-Identifier: GPL-2.0-only

//! The arithmetic of the limit: may the heap grow, and what does its size become.
//!
//! Sizes of the heap are in pages, the limit is in bytes. Nothing here wraps or panics, whatever
//! the arguments: a panic would take the kernel down with the `mmap_lock` held.

/// No limit: `RLIM_INFINITY` of `include/uapi/asm-generic/resource.h`.
pub(crate) const RLIM_INFINITY: usize = usize::MAX;

/// May a heap of `total` pages grow by `npages` under a limit of `limit` bytes?
///
/// A limit that is no multiple of the page size allows the whole pages that fit. A heap that is
/// above its limit, because the limit was lowered, may not grow, but no growth at all (0 pages,
/// heap that replaces as much heap) is always fine.
pub(crate) fn may_expand(total: usize, npages: usize, limit: usize, page_shift: usize) -> bool {
    npages == 0
        || limit == RLIM_INFINITY
        || total
            .checked_add(npages)
            .is_some_and(|pages| pages <= limit >> page_shift)
}

/// The size of a heap of `total` pages after `npages` have appeared, or gone if negative.
///
/// Saturates rather than wraps; the kernel never asks for either.
pub(crate) fn account(total: usize, npages: isize) -> usize {
    total.saturating_add_signed(npages)
}
