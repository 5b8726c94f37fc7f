// SPDX-License-Identifier: GPL-2.0-only

//! The order of lines.

use crate::model::process::Process;
use clap::ValueEnum;
use std::cmp::Ordering;

/// What comes first: the most of it, or the lowest pid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Key {
    /// Share of the soft limit; those without one last, by use
    Share,
    /// Heap in use
    Used,
    /// Memory that is there, of whatever kind; not with --cgroups
    Rss,
    /// Most heap there ever was
    Peak,
    /// Growth refused, or let pass by audit mode
    Refused,
    /// Process; with --group-by, the name; with --cgroups, the path
    Pid,
}

impl Key {
    const ALL: [Key; 6] = [
        Key::Share,
        Key::Used,
        Key::Rss,
        Key::Peak,
        Key::Refused,
        Key::Pid,
    ];

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
            Key::Rss => "rss",
            Key::Peak => "peak",
            Key::Refused => "refused",
            Key::Pid => "pid",
        }
    }
}

/// What has an order: a process, a group of them, or a job.
pub(crate) trait Ranked {
    fn share(&self) -> Option<f64>;
    fn used(&self) -> u64;
    fn rss(&self) -> u64;
    fn peak(&self) -> u64;
    fn refusals(&self) -> u64;
    fn by_name(&self, other: &Self) -> Ordering;
}

impl Ranked for Process {
    fn share(&self) -> Option<f64> {
        self.share()
    }

    fn used(&self) -> u64 {
        self.heap.used
    }

    fn rss(&self) -> u64 {
        self.rss
    }

    fn peak(&self) -> u64 {
        self.heap.peak
    }

    fn refusals(&self) -> u64 {
        self.heap.refused.saturating_add(self.heap.would_refuse)
    }

    fn by_name(&self, other: &Self) -> Ordering {
        self.pid.cmp(&other.pid)
    }
}

pub(crate) fn sort<T: Ranked>(rows: &mut [T], key: Key, reverse: bool) {
    rows.sort_by(|a, b| by(key, a, b).then(by(Key::Used, a, b)).then(a.by_name(b)));
    if reverse {
        rows.reverse();
    }
}

fn by<T: Ranked>(key: Key, a: &T, b: &T) -> Ordering {
    match key {
        // No share is less than none.
        Key::Share => b.share().partial_cmp(&a.share()).unwrap_or(Ordering::Equal),
        Key::Used => b.used().cmp(&a.used()),
        Key::Rss => b.rss().cmp(&a.rss()),
        Key::Peak => b.peak().cmp(&a.peak()),
        Key::Refused => b.refusals().cmp(&a.refusals()),
        Key::Pid => a.by_name(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::process::tests::example;

    fn order(key: Key, reverse: bool) -> Vec<i32> {
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
        processes[3].rss = 5000;
        sort(&mut processes, key, reverse);
        processes.iter().map(|process| process.pid).collect()
    }

    #[test]
    fn orders() {
        assert_eq!(order(Key::Share, false), [3, 5, 2, 1, 4]);
        assert_eq!(order(Key::Used, false), [1, 4, 5, 2, 3]);
        assert_eq!(order(Key::Rss, false), [4, 1, 5, 2, 3]);
        assert_eq!(order(Key::Peak, false), [3, 1, 4, 5, 2]);
        assert_eq!(order(Key::Refused, false), [3, 2, 1, 4, 5]);
        assert_eq!(order(Key::Pid, false), [1, 2, 3, 4, 5]);
        assert_eq!(order(Key::Share, true), [4, 1, 2, 5, 3]);
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
