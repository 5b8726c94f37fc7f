// SPDX-License-Identifier: GPL-2.0-only

//! What happened to growth of a heap.

use crate::model::system::RESIDENT;
use std::time::SystemTime;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// When, by the kernel.
    pub(crate) time: SystemTime,
    /// refused, would_refuse or crossed.
    pub(crate) kind: String,
    pub(crate) pid: i32,
    /// The real user.
    pub(crate) uid: u32,
    pub(crate) command: String,
    /// What asked for it: brk, mmap, mremap, mprotect or fault.
    pub(crate) what: String,
    /// Bytes asked for.
    pub(crate) request: u64,
    /// Bytes before that, of whom the limit is: of the heap, or of what is resident of it.
    pub(crate) usage: u64,
    /// Bytes of the limit.
    pub(crate) limit: u64,
    /// The id of the cgroup whose limit it was; `None` if it was the process's own.
    pub(crate) cgroup: Option<u64>,
    pub(crate) policy: String,
}

impl Event {
    /// Is its usage what is resident? What crosses the threshold is the heap.
    pub(crate) fn is_of_resident(&self) -> bool {
        self.policy == RESIDENT && self.kind != "crossed"
    }
}
