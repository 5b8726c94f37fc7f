// SPDX-License-Identifier: GPL-2.0-only

//! Cgroups (v2): where they are, what their files say of heaps.

mod heap;
mod mount;

pub(crate) use mount::Mount;
