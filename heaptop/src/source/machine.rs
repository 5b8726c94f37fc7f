// SPDX-License-Identifier: GPL-2.0-only

//! A machine, and how it is looked at.

use crate::error::Error;
use crate::model::cgroup;
use crate::model::filter::Filter;
use crate::model::group::By;
use crate::model::job::Job;
use crate::model::process::{Heap, Process};
use crate::model::rows::Seen;
use crate::model::system::{System, RESIDENT};
use crate::source::cgroup::Mount;
use crate::source::root::Root;
use crate::source::users::Users;
use crate::source::{kernel, proc};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

#[derive(Debug)]
pub(crate) struct Machine {
    root: Root,
    pub(crate) users: Users,
    /// Paths by ids, of which the kernel uses none again.
    cgroups: RefCell<HashMap<u64, String>>,
}

impl Machine {
    /// This one, or one whose files are below `root`. Fails if it has no RLIMIT_HEAP.
    pub(crate) fn open(root: Option<PathBuf>) -> Result<Self, Error> {
        let root = Root::new(root);
        kernel::check(&root)?;
        let users = Users::read(&root);
        Ok(Self {
            root,
            users,
            cgroups: RefCell::default(),
        })
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
        self.judge(processes.iter_mut().map(|process| &mut process.heap));
        processes.retain(|process| filter.has(process));
        Ok(processes)
    }

    /// What the lines are of, as far as `filter` lets it pass.
    pub(crate) fn look(&self, filter: &Filter, by: By) -> Result<Seen, Error> {
        match by {
            By::Job => self.jobs(filter).map(Seen::Jobs),
            _ => self.processes(filter).map(Seen::Processes),
        }
    }

    fn jobs(&self, filter: &Filter) -> Result<Vec<Job>, Error> {
        let processes = filter.of_processes();
        let processes = processes
            .map(|filter| self.processes(&filter))
            .transpose()?;
        let mount = Mount::find(&self.root).map_err(Error::Jobs)?;
        let mut jobs = mount.jobs().map_err(Error::Jobs)?;
        jobs.retain(|job| filter.has_job(job, processes.as_deref()));
        self.judge(jobs.iter_mut().map(|job| &mut job.heap));
        Ok(jobs)
    }

    /// Says of heaps what of them limits are of.
    fn judge<'a>(&self, heaps: impl Iterator<Item = &'a mut Heap>) {
        let by_resident = self.system().policy.as_deref() == Some(RESIDENT);
        heaps.for_each(|heap| heap.by_resident = by_resident);
    }

    /// The path of a cgroup, by its id; `None` if it is gone, and was so when we looked first.
    pub(crate) fn cgroup(&self, id: u64) -> Option<String> {
        let mut known = self.cgroups.borrow_mut();
        if !known.contains_key(&id) {
            let mount = Mount::find(&self.root).ok()?;
            known.extend(mount.ids());
        }
        known.get(&id).cloned()
    }

    /// The unit of a process that may have ended.
    pub(crate) fn unit(&self, pid: i32) -> Option<String> {
        let text = fs::read(self.root.proc(&format!("{pid}/cgroup"))).ok()?;
        cgroup::path(&String::from_utf8_lossy(&text)).map(cgroup::unit)
    }
}
