// SPDX-License-Identifier: GPL-2.0-only

//! Which processes are looked at.

use crate::cli::View;
use crate::process::Process;
use crate::users::Users;
use std::io;

/// What a process must be; all of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pids: Vec<i32>,
    uid: Option<u32>,
    /// A part of the command's name.
    command: Option<String>,
    limited: bool,
}

impl Filter {
    /// The one that the options say.
    pub(crate) fn new(view: &View, users: &Users) -> io::Result<Self> {
        let user = view.user.as_deref();
        Ok(Self {
            pids: view.pid.clone(),
            uid: user
                .map(|user| users.uid(user))
                .transpose()
                .map_err(io::Error::other)?,
            command: view.command.clone(),
            limited: view.limited,
        })
    }

    /// Of one user, by name or number; of all, if there is no name.
    pub(crate) fn set_user(&mut self, user: &str, users: &Users) -> Result<(), String> {
        self.uid = match user {
            "" => None,
            _ => Some(users.uid(user)?),
        };
        Ok(())
    }

    /// With a name that has this part.
    pub(crate) fn set_command(&mut self, part: &str) {
        self.command = (!part.is_empty()).then(|| part.to_string());
    }

    /// Does every process pass?
    pub(crate) fn is_empty(&self) -> bool {
        self.pids.is_empty() && self.uid.is_none() && self.command.is_none() && !self.limited
    }

    pub(crate) fn has(&self, process: &Process) -> bool {
        self.has_task(process.pid, process.uid, &process.command)
            && (!self.limited || process.is_limited())
    }

    /// Of what an event knows.
    pub(crate) fn has_task(&self, pid: i32, uid: u32, command: &str) -> bool {
        (self.pids.is_empty() || self.pids.contains(&pid))
            && self.uid.is_none_or(|wanted| wanted == uid)
            && self
                .command
                .as_ref()
                .is_none_or(|part| command.contains(part))
    }

    /// In words, for the live view.
    pub(crate) fn describe(&self, users: &Users) -> String {
        let mut words = Vec::new();
        if !self.pids.is_empty() {
            let pids: Vec<_> = self.pids.iter().map(i32::to_string).collect();
            words.push(format!("pid {}", pids.join(",")));
        }
        words.extend(self.uid.map(|uid| format!("user {}", users.name(uid))));
        words.extend(self.command.as_ref().map(|part| format!("command {part}")));
        words.extend(self.limited.then(|| "limited".to_string()));
        match words.is_empty() {
            true => "all".to_string(),
            false => words.join(", "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::tests::example;

    #[test]
    fn all_must_match() {
        let mut filter = Filter::default();
        let process = example(7, "python3", 1, Some(u64::MAX));
        assert!(filter.is_empty() && filter.has(&process));
        filter.set_command("thon");
        filter.uid = Some(1000);
        filter.pids = vec![6, 7];
        assert!(!filter.is_empty() && filter.has(&process));
        assert!(!filter.has(&example(8, "python3", 1, None)));
        assert!(!filter.has_task(7, 0, "python3"));
        assert!(!filter.has_task(7, 1000, "perl"));
        filter.limited = true;
        assert!(!filter.has(&process));
        assert!(filter.has(&example(7, "python3", 1, Some(9))));
    }

    #[test]
    fn nothing_is_all() {
        let mut filter = Filter::default();
        filter.set_command("x");
        filter.set_command("");
        assert!(filter.is_empty());
        assert_eq!(filter.set_user("4711", &Users::default()), Ok(()));
        assert_eq!(filter.describe(&Users::default()), "user 4711");
        assert!(filter.set_user("nobody at all", &Users::default()).is_err());
        assert_eq!(filter.set_user("", &Users::default()), Ok(()));
        assert_eq!(filter.describe(&Users::default()), "all");
    }
}
