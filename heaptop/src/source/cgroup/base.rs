// SPDX-License-Identifier: GPL-2.0-only

//! The cgroup below which ours are: the one we are in, if it is ours to divide.
//!
//! One that has processes cannot give its children controllers, but for the root. Where
//! it has, all of them move to a child of their own, as podman's split cgroups and
//! Docker's entry point do it; afterwards they move back.

use crate::error::CgroupError;
use crate::model::cgroup;
use crate::source::cgroup::heap::{has_memory, has_word, processes};
use crate::source::cgroup::lock;
use crate::source::cgroup::mount::{children, Mount};
use crate::source::root::Root;
use rustix::fs::getxattr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// What the names of our cgroups begin with.
pub(super) const PREFIX: &str = "heaptop-";
/// Where processes are that were in the way.
const REST: &str = "heaptop-rest";
const CONTROL: &str = "cgroup.subtree_control";
const PROCESSES: &str = "cgroup.procs";
/// How often to move what was started while we moved the others.
const MOVES: u32 = 100;

#[derive(Debug)]
pub(super) struct Base {
    pub(super) directory: PathBuf,
}

impl Base {
    /// Fails, if we may not divide it.
    pub(super) fn find(mount: &Mount, root: &Root) -> Result<Self, CgroupError> {
        let path = root.proc("self/cgroup");
        let text = fs::read(&path).map_err(|error| CgroupError::File(path, error))?;
        let text = String::from_utf8_lossy(&text);
        let own = cgroup::unified(&text).ok_or(CgroupError::NoMount)?;
        let own = own.strip_suffix(&format!("/{REST}")).unwrap_or(own);
        let directory = mount.directory(own);
        let directory = directory.ok_or_else(|| CgroupError::NotMounted(own.into()))?;
        let is_root = !directory.join("cgroup.type").exists();
        match (has_memory(&directory), is_root) {
            (false, true) => return Err(CgroupError::NoController(directory)),
            (false, false) => return Err(CgroupError::NotEnabled(own.into())),
            (true, _) => (),
        }
        if !is_delegated(&directory, &mount.point) {
            return Err(CgroupError::NotDelegated(own.into()));
        }
        Ok(Self { directory })
    }

    /// Until it is dropped, nobody else makes or removes cgroups of ours.
    pub(super) fn lock(&self) -> Result<File, CgroupError> {
        lock::children(&self.directory).map_err(|error| self.failed("cgroup.threads", error))
    }

    /// Lets our cgroups limit memory.
    pub(super) fn enable(&self) -> Result<(), CgroupError> {
        let mut enabled = self.control("+memory");
        for _ in 0..MOVES {
            match &enabled {
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy => (),
                _ => break,
            }
            self.clear()?;
            enabled = self.control("+memory");
        }
        enabled.map_err(|error| self.failed(CONTROL, error))
    }

    /// Removes what others of us left who were killed.
    pub(super) fn sweep(&self) {
        for left in children(&self.directory) {
            let name = left.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with(PREFIX) && name != REST && lock::own(&left).is_ok() {
                // It fails as long as there are processes in it.
                let _ = remove(&left);
            }
        }
    }

    /// If nobody needs it any more, puts back what was in the way.
    pub(super) fn restore(&self) {
        let rest = self.directory.join(REST);
        if children(&self.directory) != [rest.clone()] || self.control("-memory").is_err() {
            return;
        }
        for _ in 0..MOVES {
            if move_all(&rest, &self.directory).is_ok_and(|moved| moved == 0) {
                break;
            }
        }
        let _ = fs::remove_dir(rest);
    }

    fn clear(&self) -> Result<(), CgroupError> {
        let rest = self.directory.join(REST);
        match fs::create_dir(&rest) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(CgroupError::File(rest, error));
            }
            _ => (),
        }
        move_all(&self.directory, &rest)
            .map(|_| ())
            .map_err(|error| CgroupError::File(rest, error))
    }

    fn control(&self, what: &str) -> io::Result<()> {
        if what == "+memory" && has_word(&self.directory, CONTROL) {
            return Ok(());
        }
        fs::write(self.directory.join(CONTROL), what)
    }

    fn failed(&self, file: &str, error: io::Error) -> CgroupError {
        CgroupError::File(self.directory.join(file), error)
    }
}

/// Removes a cgroup and those below it.
pub(super) fn remove(directory: &Path) -> io::Result<()> {
    for child in children(directory) {
        remove(&child)?;
    }
    match fs::remove_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Moves the processes of one cgroup to another; how many there were.
fn move_all(from: &Path, to: &Path) -> io::Result<usize> {
    let pids = processes(from);
    let procs = to.join(PROCESSES);
    for pid in &pids {
        match fs::write(&procs, pid) {
            // It has ended.
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => (),
            result => result?,
        }
    }
    Ok(pids.len())
}

/// Does the manager of the innermost unit leave it to others, if there is one? systemd says so
/// by an attribute; that of a user sets none, and who may write there decides.
fn is_delegated(directory: &Path, top: &Path) -> bool {
    let name = |directory: &Path| {
        let name = directory.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    };
    let mut units = directory
        .ancestors()
        .take_while(|other| *other != top)
        .filter(|other| cgroup::is_of_systemd(&name(other)));
    let Some(unit) = units.next() else {
        return true;
    };
    has_attribute(unit)
        || units.any(|outer| name(outer).starts_with("user@") && has_attribute(outer))
}

fn has_attribute(unit: &Path) -> bool {
    ["user.delegate", "trusted.delegate"].iter().any(|name| {
        let mut value = [0; 1];
        getxattr(unit, *name, &mut value).is_ok() && value == *b"1"
    })
}
