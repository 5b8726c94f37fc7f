// SPDX-License-Identifier: GPL-2.0-only

//! A machine, and how it is looked at.

use crate::error::Error;
use crate::model::cgroup;
use crate::model::filter::Filter;
use crate::model::process::Process;
use crate::model::system::System;
use crate::source::root::Root;
use crate::source::users::Users;
use crate::source::{kernel, proc};
use std::fs;
use std::path::PathBuf;

#[derive(Debug)]
pub(crate) struct Machine {
    root: Root,
    pub(crate) users: Users,
}

impl Machine {
    /// This one, or one whose files are below `root`. Fails if it has no RLIMIT_HEAP.
    pub(crate) fn open(root: Option<PathBuf>) -> Result<Self, Error> {
        let root = Root::new(root);
        kernel::check(&root)?;
        let users = Users::read(&root);
        Ok(Self { root, users })
    }

    pub(crate) fn system(&self) -> System {
        kernel::system(&self.root)
    }

    /// All processes that `filter` lets pass.
    pub(crate) fn processes(&self, filter: &Filter) -> Result<Vec<Process>, Error> {
        let mut processes = proc::all(&self.root)?;
        self.users
            .learn(processes.iter().map(|process| process.uid));
        for process in &mut processes {
            process.user = self.users.name(process.uid);
        }
        processes.retain(|process| filter.has(process));
        Ok(processes)
    }

    /// The unit of a process that may have ended.
    pub(crate) fn unit(&self, pid: i32) -> Option<String> {
        let text = fs::read(self.root.proc(&format!("{pid}/cgroup"))).ok()?;
        cgroup::path(&String::from_utf8_lossy(&text)).map(cgroup::unit)
    }
}
