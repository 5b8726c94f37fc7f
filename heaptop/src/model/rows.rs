// SPDX-License-Identifier: GPL-2.0-only

//! What is shown: the lines, in their order.

use crate::model::group::{groups, By, Group};
use crate::model::job::Job;
use crate::model::process::Process;
use crate::model::sort::{sort, Key, Ranked};

/// How processes are to be shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) by: By,
    pub(crate) key: Key,
    /// What would come last comes first.
    pub(crate) reverse: bool,
    /// Whole command lines instead of names.
    pub(crate) full: bool,
}

/// What was read, in no order.
#[derive(Clone, Debug)]
pub(crate) enum Seen {
    Processes(Vec<Process>),
    Jobs(Vec<Job>),
}

/// A line each.
#[derive(Clone, Debug)]
pub(crate) enum Rows {
    Processes(Vec<Process>),
    Groups(By, Vec<Group>),
    Jobs(Vec<Job>),
}

impl Rows {
    pub(crate) fn new(seen: Seen, look: Look) -> Self {
        match seen {
            Seen::Processes(mut processes) if look.by == By::Process => {
                sort(&mut processes, look.key, look.reverse);
                Self::Processes(processes)
            }
            Seen::Processes(processes) => {
                let mut groups = groups(&processes, look.by);
                sort(&mut groups, look.key, look.reverse);
                Self::Groups(look.by, groups)
            }
            Seen::Jobs(mut jobs) => {
                sort(&mut jobs, look.key, look.reverse);
                Self::Jobs(jobs)
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Processes(processes) => processes.len(),
            Self::Groups(_, groups) => groups.len(),
            Self::Jobs(jobs) => jobs.len(),
        }
    }

    /// The share of a line.
    pub(crate) fn share(&self, at: usize) -> Option<f64> {
        match self {
            Self::Processes(processes) => processes.get(at)?.share(),
            Self::Groups(_, groups) => groups.get(at)?.share,
            Self::Jobs(jobs) => jobs.get(at)?.share(),
        }
    }

    /// By what a line is found again when there are others: its pid, name or path.
    pub(crate) fn identity(&self, at: usize) -> Option<String> {
        match self {
            Self::Processes(processes) => processes.get(at).map(|p| p.pid.to_string()),
            Self::Groups(_, groups) => groups.get(at).map(|group| group.name.clone()),
            Self::Jobs(jobs) => jobs.get(at).map(|job| job.path.clone()),
        }
    }

    /// Where a line is now.
    pub(crate) fn position(&self, identity: &str) -> Option<usize> {
        (0..self.len()).find(|&at| self.identity(at).is_some_and(|it| it == identity))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::group::tests::processes;
    use crate::model::job::tests::example as job;

    fn rows(by: By, reverse: bool) -> Vec<String> {
        let look = Look {
            by,
            key: Key::Used,
            reverse,
            full: false,
        };
        let rows = Rows::new(Seen::Processes(processes()), look);
        (0..rows.len()).filter_map(|at| rows.identity(at)).collect()
    }

    #[test]
    fn in_order() {
        assert_eq!(rows(By::Process, false), ["3", "2", "1"]);
        assert_eq!(rows(By::Process, true), ["1", "2", "3"]);
        assert_eq!(rows(By::User, false), ["root", "me"]);
        assert_eq!(rows(By::Command, true), ["b", "a"]);
    }

    #[test]
    fn jobs_in_order() {
        let look = |key| Look {
            by: By::Job,
            key,
            reverse: false,
            full: false,
        };
        let jobs = vec![
            job("/a", 10, 100),
            job("/a/b", 5, 10),
            job("/c", 90, u64::MAX),
        ];
        for (key, expected) in [
            (Key::Share, ["/a/b", "/a", "/c"]),
            (Key::Used, ["/c", "/a", "/a/b"]),
            (Key::Pid, ["/a", "/a/b", "/c"]),
        ] {
            let rows = Rows::new(Seen::Jobs(jobs.clone()), look(key));
            let paths: Vec<_> = (0..rows.len()).filter_map(|at| rows.identity(at)).collect();
            assert_eq!(paths, expected);
        }
        let rows = Rows::new(Seen::Jobs(jobs), look(Key::Share));
        assert_eq!((rows.share(0), rows.share(2)), (Some(50.0), None));
    }
}
