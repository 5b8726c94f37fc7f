// SPDX-License-Identifier: GPL-2.0-only

//! What processes used at each look.

use crate::model::process::Process;
use std::collections::{HashMap, VecDeque};

/// Looks that are remembered: columns of a wide terminal.
const LOOKS: usize = 500;

#[derive(Debug, Default)]
pub(super) struct History(HashMap<i32, VecDeque<u64>>);

impl History {
    /// One look more; what has ended is forgotten.
    pub(super) fn record(&mut self, processes: &[Process]) {
        let mut before = std::mem::take(&mut self.0);
        for process in processes {
            let mut used = before.remove(&process.pid).unwrap_or_default();
            if used.len() == LOOKS {
                used.pop_front();
            }
            used.push_back(process.heap.used);
            self.0.insert(process.pid, used);
        }
    }

    /// The last looks at a process, so many at the most.
    pub(super) fn last(&self, pid: i32, count: usize) -> Vec<u64> {
        let Some(used) = self.0.get(&pid) else {
            return Vec::new();
        };
        let skipped = used.len().saturating_sub(count);
        used.iter().skip(skipped).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::process::tests::example;

    #[test]
    fn remembered_and_forgotten() {
        let mut history = History::default();
        for used in 0..LOOKS as u64 + 10 {
            history.record(&[example(1, "a", used, None)]);
        }
        assert_eq!(history.last(1, 3), [507, 508, 509]);
        assert_eq!(history.last(1, usize::MAX).len(), LOOKS);
        history.record(&[example(2, "b", 7, None)]);
        assert_eq!(history.last(1, 3), [0; 0]);
        assert_eq!(history.last(2, 3), [7]);
    }
}
