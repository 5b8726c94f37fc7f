// SPDX-License-Identifier: GPL-2.0-only

//! The order of processes.

use crate::process::Process;
use clap::ValueEnum;
use std::cmp::{Ordering, Reverse};

/// What comes first: the most of it, or the lowest pid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Key {
    /// Share of the soft limit; those without one last, by use
    Share,
    /// Heap in use
    Used,
    /// Most heap there ever was
    Peak,
    /// Growth refused, or let pass by audit mode
    Refused,
    /// Process
    Pid,
}

impl Key {
    const ALL: [Key; 5] = [Key::Share, Key::Used, Key::Peak, Key::Refused, Key::Pid];

    /// The one `step` further, or the last.
    pub(crate) fn step(self, step: isize) -> Self {
        let at = Self::ALL.iter().position(|&key| key == self).unwrap_or(0);
        let last = Self::ALL.len() - 1;
        Self::ALL[at.saturating_add_signed(step).min(last)]
    }

    /// As in the options.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Key::Share => "share",
            Key::Used => "used",
            Key::Peak => "peak",
            Key::Refused => "refused",
            Key::Pid => "pid",
        }
    }
}

pub(crate) fn sort(processes: &mut [Process], key: Key) {
    processes.sort_by(|a, b| {
        by(key, a, b)
            .then(by(Key::Used, a, b))
            .then(a.pid.cmp(&b.pid))
    });
}

fn by(key: Key, a: &Process, b: &Process) -> Ordering {
    let refusals = |p: &Process| p.heap.refused.saturating_add(p.heap.would_refuse);
    match key {
        // No share is less than none.
        Key::Share => b.share().partial_cmp(&a.share()).unwrap_or(Ordering::Equal),
        Key::Used => Reverse(a.heap.used).cmp(&Reverse(b.heap.used)),
        Key::Peak => Reverse(a.heap.peak).cmp(&Reverse(b.heap.peak)),
        Key::Refused => Reverse(refusals(a)).cmp(&Reverse(refusals(b))),
        Key::Pid => a.pid.cmp(&b.pid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::tests::example;

    fn order(key: Key) -> Vec<i32> {
        let mut processes = vec![
            example(1, "unlimited", 900, Some(u64::MAX)),
            example(2, "half", 50, Some(100)),
            example(3, "full", 20, Some(20)),
            example(4, "unknown", 800, None),
            example(5, "half, too", 60, Some(120)),
        ];
        processes[1].heap.refused = 1;
        processes[2].heap.would_refuse = 2;
        processes[2].heap.peak = 1000;
        sort(&mut processes, key);
        processes.iter().map(|process| process.pid).collect()
    }

    #[test]
    fn orders() {
        assert_eq!(order(Key::Share), [3, 5, 2, 1, 4]);
        assert_eq!(order(Key::Used), [1, 4, 5, 2, 3]);
        assert_eq!(order(Key::Peak), [3, 1, 4, 5, 2]);
        assert_eq!(order(Key::Refused), [3, 2, 1, 4, 5]);
        assert_eq!(order(Key::Pid), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn steps_end() {
        assert_eq!(Key::Share.step(1), Key::Used);
        assert_eq!(Key::Share.step(-1), Key::Share);
        assert_eq!(Key::Pid.step(1), Key::Pid);
    }

    #[test]
    fn names_are_those_of_options() {
        for key in Key::ALL {
            assert_eq!(Key::from_str(key.name(), false), Ok(key));
        }
    }
}
