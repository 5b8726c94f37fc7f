// SPDX-License-Identifier: GPL-2.0-only

//! The arithmetic of the limit: what does the heap become, and may it.
//!
//! All sizes are in pages. Nothing here panics, whatever the arguments: that would take the kernel
//! down with the `mmap_lock` held.

/// What a heap becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Charge {
    /// So many pages.
    Within(usize),
    /// So many pages, more than the limit allows.
    Above(usize),
}

/// What does a heap of `total` pages become when `delta` appear, or go if negative, under a limit
/// of `limit` pages?
///
/// A heap that is above its limit, because the limit was lowered, has no room to grow, but no
/// growth at all (0 pages, heap that replaces as much heap) is always fine, and so is less.
///
/// The sum and nothing else, which is what the kernel's counter is: bounds would only hide that
/// one was wrong.
#[inline]
pub(crate) fn charge(total: usize, delta: isize, limit: usize) -> Charge {
    let sum = total.wrapping_add_signed(delta);

    if delta > 0 && is_above(total, sum, limit) {
        above(sum)
    } else {
        Charge::Within(sum)
    }
}

/// Is a heap that has grown from `total` to `sum`, which may have wrapped, above its limit?
#[inline]
fn is_above(total: usize, sum: usize, limit: usize) -> bool {
    sum > limit || sum < total
}

/// Rare, which the compiler is told by this.
#[cold]
#[inline(never)]
fn above(sum: usize) -> Charge {
    Charge::Above(sum)
}
