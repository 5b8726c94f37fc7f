// SPDX-License-Identifier: GPL-2.0-only

//! How it goes on: the live view, the same printed again and again, and events.

pub(crate) mod batch;
pub(crate) mod live;
pub(crate) mod signals;
pub(crate) mod watch;
