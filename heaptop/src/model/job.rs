// SPDX-License-Identifier: GPL-2.0-only

//! A cgroup, and the heap of all that is in it or below it.

use crate::model::cgroup;
use crate::model::limit::Limit;
use crate::model::process::{Heap, Process};
use crate::model::sort::Ranked;
use std::cmp::Ordering;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) path: String,
    pub(crate) processes: u64,
    /// The sum of theirs; its peak is of the sum.
    pub(crate) heap: Heap,
    pub(crate) max: Limit,
}

impl Job {
    pub(crate) fn is_limited(&self) -> bool {
        self.max != Limit::UNLIMITED
    }

    pub(crate) fn has(&self, process: &Process) -> bool {
        let path = process.cgroup.as_deref();
        path.is_some_and(|path| cgroup::is_in(path, &self.path))
    }
}

impl Ranked for Job {
    fn share(&self) -> Option<f64> {
        self.max.share(self.heap.judged())
    }

    fn used(&self) -> u64 {
        self.heap.used
    }

    /// It is not known: memory.current has caches, too.
    fn rss(&self) -> u64 {
        0
    }

    fn peak(&self) -> u64 {
        self.heap.peak
    }

    fn refusals(&self) -> u64 {
        self.heap.refused.saturating_add(self.heap.would_refuse)
    }

    fn by_name(&self, other: &Self) -> Ordering {
        self.path.cmp(&other.path)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::process::tests::example as process;

    pub(crate) fn example(path: &str, used: u64, max: u64) -> Job {
        Job {
            path: path.into(),
            processes: 2,
            heap: Heap {
                used,
                resident: Some(used / 4),
                peak: used,
                ..Heap::default()
            },
            max: Limit(max),
        }
    }

    #[test]
    fn limits_and_processes() {
        let mut job = example("/system.slice", 40, 80);
        assert!(job.is_limited() && !example("/a", 5, u64::MAX).is_limited());
        assert_eq!(job.share(), Some(50.0));
        assert!(job.has(&process(1, "a", 0, None)));
        assert!(!example("/system", 5, 10).has(&process(1, "a", 0, None)));
        job.heap.by_resident = true;
        assert_eq!(job.share(), Some(12.5));
    }
}
