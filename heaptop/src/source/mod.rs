// SPDX-License-Identifier: GPL-2.0-only

//! Where it comes from: /proc, /sys, trace events, and the lists of users.

pub(crate) mod cgroup;
pub(crate) mod kernel;
pub(crate) mod machine;
pub(crate) mod proc;
pub(crate) mod process;
pub(crate) mod rlimit;
pub(crate) mod root;
pub(crate) mod trace;
pub(crate) mod users;
