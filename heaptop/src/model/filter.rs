// SPDX-License-Identifier: GPL-2.0-only

//! Which processes are looked at.

use crate::model::group::By;
use crate::model::job::Job;
use crate::model::process::Process;

/// What a process must be; all of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) pids: Vec<i32>,
    /// A user, and how we were told the name.
    pub(crate) user: Option<(u32, String)>,
    /// A part of the command's name.
    pub(crate) command: Option<String>,
    /// The part may be of the whole command line.
    pub(crate) full: bool,
    pub(crate) limited: bool,
    /// What it has in common with others.
    pub(crate) group: Option<(By, String)>,
}

impl Filter {
    /// Does every process pass?
    pub(crate) fn is_empty(&self) -> bool {
        self.pids.is_empty()
            && self.user.is_none()
            && self.command.is_none()
            && !self.limited
            && self.group.is_none()
    }

    pub(crate) fn has(&self, process: &Process) -> bool {
        let in_line = || self.full && self.names(&process.command_line());
        self.has_task(process.pid, process.uid)
            && (self.names(&process.command) || in_line())
            && (!self.limited || process.is_limited())
            && self.group.iter().all(|(by, name)| by.has(name, process))
    }

    /// A job, by its path; by its processes, too, if there are those that pass.
    pub(crate) fn has_job(&self, job: &Job, processes: Option<&[Process]>) -> bool {
        self.names(&job.path)
            && (!self.limited || job.is_limited())
            && processes.is_none_or(|processes| processes.iter().any(|process| job.has(process)))
    }

    /// What of it is of processes, if it is said which to look at.
    pub(crate) fn of_processes(&self) -> Option<Self> {
        let of_processes = Self {
            pids: self.pids.clone(),
            user: self.user.clone(),
            ..Self::default()
        };
        (!of_processes.is_empty()).then_some(of_processes)
    }

    /// Of what is known of one that may have ended.
    pub(crate) fn has_event(&self, pid: i32, uid: u32, command: &str) -> bool {
        self.has_task(pid, uid) && self.names(command)
    }

    fn has_task(&self, pid: i32, uid: u32) -> bool {
        (self.pids.is_empty() || self.pids.contains(&pid))
            && self.user.iter().all(|(wanted, _)| *wanted == uid)
    }

    fn names(&self, text: &str) -> bool {
        self.command.iter().all(|part| text.contains(part))
    }

    /// In words, for the live view.
    pub(crate) fn describe(&self) -> String {
        let mut words = Vec::new();
        if !self.pids.is_empty() {
            let pids: Vec<_> = self.pids.iter().map(i32::to_string).collect();
            words.push(format!("pid {}", pids.join(",")));
        }
        words.extend(self.user.iter().map(|(_, name)| format!("user {name}")));
        words.extend(self.command.iter().map(|part| format!("command {part}")));
        words.extend(self.limited.then(|| "limited".to_string()));
        let group = |(by, name): &(By, String)| format!("{} {name}", by.name());
        words.extend(self.group.iter().map(group));
        match words.is_empty() {
            true => "all".to_string(),
            false => words.join(", "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::job;
    use crate::model::process::tests::example;

    #[test]
    fn all_must_match() {
        let mut filter = Filter::default();
        let process = example(7, "python3", 1, Some(u64::MAX));
        assert!(filter.is_empty() && filter.has(&process));
        filter.command = Some("thon".into());
        filter.user = Some((1000, "me".into()));
        filter.pids = vec![6, 7];
        assert!(!filter.is_empty() && filter.has(&process));
        assert!(!filter.has(&example(8, "python3", 1, None)));
        assert!(!filter.has_event(7, 0, "python3"));
        assert!(!filter.has_event(7, 1000, "perl"));
        filter.limited = true;
        assert!(!filter.has(&process));
        assert!(filter.has(&example(7, "python3", 1, Some(9))));
    }

    #[test]
    fn whole_lines() {
        let mut filter = Filter {
            command: Some(" -x".into()),
            ..Filter::default()
        };
        assert!(!filter.has(&example(7, "a", 1, None)));
        filter.full = true;
        assert!(filter.has(&example(7, "a", 1, None)));
    }

    #[test]
    fn of_a_group() {
        let filter = Filter {
            group: Some((By::Unit, "a.service".into())),
            ..Filter::default()
        };
        let mut process = example(7, "a", 1, None);
        assert!(filter.has(&process));
        process.unit = None;
        assert!(!filter.has(&process) && !filter.is_empty());
    }

    #[test]
    fn of_a_job() {
        let filter = Filter {
            group: Some((By::Job, "/system.slice".into())),
            ..Filter::default()
        };
        assert!(filter.has(&example(7, "a", 1, None)));
    }

    #[test]
    fn jobs() {
        let job = job::tests::example("/system.slice", 1, u64::MAX);
        let mut filter = Filter::default();
        assert!(filter.of_processes().is_none() && filter.has_job(&job, None));
        filter.command = Some("slice".into());
        assert!(filter.of_processes().is_none() && filter.has_job(&job, None));
        assert!(!filter.has_job(&job, Some(&[])));
        assert!(filter.has_job(&job, Some(&[example(7, "a", 1, None)])));
        filter.pids = vec![7];
        assert_eq!(filter.of_processes().unwrap().pids, [7]);
        filter.limited = true;
        assert!(!filter.has_job(&job, None));
        filter.command = Some("other".into());
        assert!(!filter.has_job(&job::tests::example("/system.slice", 1, 2), None));
    }

    #[test]
    fn words() {
        let mut filter = Filter::default();
        assert_eq!(filter.describe(), "all");
        filter.pids = vec![1, 2];
        filter.user = Some((0, "root".into()));
        filter.command = Some("x".into());
        filter.limited = true;
        filter.group = Some((By::Unit, "a.service".into()));
        assert_eq!(
            filter.describe(),
            "pid 1,2, user root, command x, limited, unit a.service"
        );
    }
}
