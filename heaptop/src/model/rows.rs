// SPDX-License-Identifier: GPL-2.0-only

//! What is shown: the lines, in their order.

use crate::model::group::{groups, By, Group};
use crate::model::process::Process;
use crate::model::sort::{sort, Key};

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

/// A line each.
#[derive(Clone, Debug)]
pub(crate) enum Rows {
    Processes(Vec<Process>),
    Groups(By, Vec<Group>),
}

impl Rows {
    pub(crate) fn new(mut processes: Vec<Process>, look: Look) -> Self {
        if look.by == By::Process {
            sort(&mut processes, look.key, look.reverse);
            return Self::Processes(processes);
        }
        let mut groups = groups(&processes, look.by);
        sort(&mut groups, look.key, look.reverse);
        Self::Groups(look.by, groups)
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Processes(processes) => processes.len(),
            Self::Groups(_, groups) => groups.len(),
        }
    }

    /// The share of a line.
    pub(crate) fn share(&self, at: usize) -> Option<f64> {
        match self {
            Self::Processes(processes) => processes.get(at)?.share(),
            Self::Groups(_, groups) => groups.get(at)?.share,
        }
    }

    /// By what a line is found again when there are others: its pid, or its name.
    pub(crate) fn identity(&self, at: usize) -> Option<String> {
        match self {
            Self::Processes(processes) => processes.get(at).map(|p| p.pid.to_string()),
            Self::Groups(_, groups) => groups.get(at).map(|group| group.name.clone()),
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

    fn rows(by: By, reverse: bool) -> Vec<String> {
        let look = Look {
            by,
            key: Key::Used,
            reverse,
            full: false,
        };
        let rows = Rows::new(processes(), look);
        (0..rows.len()).filter_map(|at| rows.identity(at)).collect()
    }

    #[test]
    fn in_order() {
        assert_eq!(rows(By::Process, false), ["3", "2", "1"]);
        assert_eq!(rows(By::Process, true), ["1", "2", "3"]);
        assert_eq!(rows(By::User, false), ["root", "me"]);
        assert_eq!(rows(By::Command, true), ["b", "a"]);
    }
}
