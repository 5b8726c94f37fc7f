// SPDX-License-Identifier: GPL-2.0-only

//! Cgroups (v2): where they are, what their files say of heaps, and one for a command.

mod base;
mod heap;
mod job;
mod lock;
mod mount;

pub(crate) use job::{enter, OwnJob};
pub(crate) use mount::Mount;
