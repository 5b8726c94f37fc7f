// SPDX-License-Identifier: GPL-2.0-only

//! What is looked at: values that know nothing of where they come from or where they go.

pub(crate) mod cgroup;
pub(crate) mod delay;
pub(crate) mod event;
pub(crate) mod filter;
pub(crate) mod group;
pub(crate) mod job;
pub mod limit;
pub(crate) mod process;
pub(crate) mod rows;
pub(crate) mod signal;
pub(crate) mod size;
pub(crate) mod sort;
pub(crate) mod system;
