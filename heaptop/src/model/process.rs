// SPDX-License-Identifier: GPL-2.0-only

//! A process and its heap.

use crate::model::limit::{Limit, Limits};

/// A process that has memory of its own: no thread of the kernel, no zombie.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    /// The effective user.
    pub(crate) uid: u32,
    pub(crate) user: String,
    /// The name, of 15 bytes at most, as the process chose it.
    pub(crate) command: String,
    /// What it was called with, or says that it was; nothing if it says nothing.
    pub(crate) arguments: Vec<String>,
    /// The cgroup, as a path; `None` if the kernel has none or we may not know.
    pub(crate) cgroup: Option<String>,
    /// The unit of systemd that the cgroup belongs to, or the cgroup.
    pub(crate) unit: Option<String>,
    pub(crate) heap: Heap,
    /// Bytes of all its memory that are there, of whatever kind.
    pub(crate) rss: u64,
    /// `None` if we may not know.
    pub(crate) limits: Option<Limits>,
}

/// What /proc/PID/status says of a heap, and the files of a cgroup of all in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heap {
    /// Bytes.
    pub(crate) used: u64,
    /// Bytes of it that are there, in memory or swapped out; `None` if the kernel does not say.
    pub(crate) resident: Option<u64>,
    /// Are limits of that, by the policy?
    pub(crate) by_resident: bool,
    /// Bytes, the most there ever were.
    pub(crate) peak: u64,
    /// Times that growth was refused.
    pub(crate) refused: u64,
    /// Times that audit mode let growth pass.
    pub(crate) would_refuse: u64,
}

impl Heap {
    /// Bytes that a limit is of.
    pub(crate) fn judged(&self) -> u64 {
        match self.resident {
            Some(resident) if self.by_resident => resident,
            _ => self.used,
        }
    }
}

impl Process {
    /// The share of the soft limit in percent; none if there is no limit that we know.
    pub(crate) fn share(&self) -> Option<f64> {
        self.limits?.soft.share(self.heap.judged())
    }

    /// Does it have a limit, as far as we know?
    pub(crate) fn is_limited(&self) -> bool {
        self.limits.is_some_and(|l| l.soft != Limit::UNLIMITED)
    }

    /// The whole command line; in brackets, as ps has it, the name if there is none.
    pub(crate) fn command_line(&self) -> String {
        match self.arguments.is_empty() {
            true => format!("[{}]", self.command),
            false => self.arguments.join(" "),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A process of user 1000.
    pub(crate) fn example(pid: i32, command: &str, used: u64, soft: Option<u64>) -> Process {
        Process {
            pid,
            uid: 1000,
            user: "me".into(),
            command: command.into(),
            arguments: vec![command.into(), "-x".into()],
            cgroup: Some("/system.slice/a.service".into()),
            unit: Some("a.service".into()),
            heap: Heap {
                used,
                resident: Some(used / 4),
                peak: used,
                ..Heap::default()
            },
            rss: used / 2,
            limits: soft.map(|soft| Limits {
                soft: Limit(soft),
                hard: Limit::UNLIMITED,
            }),
        }
    }

    #[test]
    fn share() {
        let share = |used, soft| example(1, "a", used, soft).share();
        assert_eq!(share(32, Some(64)), Some(50.0));
        assert_eq!(share(128, Some(64)), Some(200.0));
        assert_eq!(share(1, Some(0)), Some(100.0));
        assert_eq!(share(1, Some(u64::MAX)), None);
        assert_eq!(share(1, None), None);
    }

    #[test]
    fn share_of_what_is_judged() {
        let mut process = example(1, "a", 32, Some(64));
        process.heap.by_resident = true;
        assert_eq!(process.share(), Some(12.5));
        process.heap.resident = None;
        assert_eq!(process.share(), Some(50.0));
    }

    #[test]
    fn command_lines() {
        let mut process = example(1, "a", 0, None);
        assert_eq!(process.command_line(), "a -x");
        process.arguments.clear();
        assert_eq!(process.command_line(), "[a]");
    }
}
