// SPDX-License-Identifier: GPL-2.0-only

//! A cgroup for a command, as long as the command runs.

use crate::error::CgroupError;
use crate::model::job::Job;
use crate::model::limit::Limit;
use crate::source::cgroup::base::{remove, Base, PREFIX};
use crate::source::cgroup::heap::MAX;
use crate::source::cgroup::lock;
use crate::source::cgroup::mount::Mount;
use crate::source::root::Root;
use rustix::event::{poll, PollFd, PollFlags};
use rustix::io::Errno;
use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// For processes to end that were killed.
const PATIENCE: Duration = Duration::from_secs(10);

/// It is removed by `end`; if we are killed, by whoever is the next to make one.
#[derive(Debug)]
pub(crate) struct OwnJob {
    mount: Mount,
    base: Base,
    pub(crate) directory: PathBuf,
    /// As long as we have it, nobody takes the cgroup for one that was left.
    lock: File,
}

impl OwnJob {
    /// A cgroup with that limit, and nothing in it.
    pub(crate) fn create(max: Limit) -> Result<Self, CgroupError> {
        let root = Root::new(None);
        let mount = Mount::find(&root)?;
        let base = Base::find(&mount, &root)?;
        let _locked = base.lock()?;
        base.sweep();
        let job = base.enable().and_then(|()| limited(&base, max));
        match job {
            Ok((directory, lock)) => Ok(Self {
                mount,
                base,
                directory,
                lock,
            }),
            Err(error) => {
                base.restore();
                Err(error)
            }
        }
    }

    /// What it is known by in events.
    pub(crate) fn id(&self) -> Option<u64> {
        Some(self.directory.metadata().ok()?.ino())
    }

    /// What its files say.
    pub(crate) fn look(&self) -> Option<Job> {
        self.mount.job(&self.directory, 0)
    }

    /// Ends all that is in it.
    pub(crate) fn kill(&self) -> Result<(), CgroupError> {
        let write = fs::write(self.directory.join("cgroup.kill"), "1");
        let killed = write.and_then(|()| until_empty(&self.directory));
        killed.map_err(|error| CgroupError::File(self.directory.clone(), error))
    }

    /// Removes it.
    pub(crate) fn remove(self) -> Result<(), CgroupError> {
        let _locked = self.base.lock()?;
        drop(self.lock);
        remove(&self.directory).map_err(|error| CgroupError::File(self.directory, error))?;
        self.base.restore();
        Ok(())
    }
}

/// Moves us into a cgroup.
pub(crate) fn enter(directory: &Path) -> Result<(), CgroupError> {
    let path = directory.join("cgroup.procs");
    fs::write(&path, "0").map_err(|error| CgroupError::File(path, error))
}

/// Makes one, which is gone again if it cannot have a limit.
fn limited(base: &Base, max: Limit) -> Result<(PathBuf, File), CgroupError> {
    let directory = named(&base.directory)?;
    let lock = set(&directory, max);
    if lock.is_err() {
        let _ = remove(&directory);
    }
    Ok((directory, lock?))
}

fn set(directory: &Path, max: Limit) -> Result<File, CgroupError> {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |error| CgroupError::File(path, error)
    };
    let lock = lock::own(directory).map_err(failed(directory))?;
    let path = directory.join(MAX);
    if !path.exists() {
        return Err(CgroupError::NoFiles(directory.into()));
    }
    let text = max.bytes().map_or("max".into(), |bytes| bytes.to_string());
    fs::write(&path, text).map_err(failed(&path))?;
    Ok(lock)
}

/// A new one of ours. One that has its name has processes of somebody with our pid.
fn named(base: &Path) -> Result<PathBuf, CgroupError> {
    let pid = std::process::id();
    let mut directory = base.join(format!("{PREFIX}{pid}"));
    for number in 2.. {
        match fs::create_dir(&directory) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => (),
            Err(error) => return Err(CgroupError::File(directory, error)),
            Ok(()) => break,
        }
        directory = base.join(format!("{PREFIX}{pid}-{number}"));
    }
    Ok(directory)
}

fn until_empty(directory: &Path) -> io::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let mut events = File::open(directory.join("cgroup.events"))?;
    loop {
        let mut text = String::new();
        events.rewind()?;
        events.read_to_string(&mut text)?;
        let left = deadline.saturating_duration_since(Instant::now());
        if text.lines().any(|line| line == "populated 0") {
            return Ok(());
        }
        if left.is_zero() {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        let milliseconds = i32::try_from(left.as_millis()).unwrap_or(i32::MAX);
        let woken = poll(
            &mut [PollFd::new(&events, PollFlags::PRI)],
            milliseconds.max(1),
        );
        woken
            .map(drop)
            .or_else(|errno| (errno == Errno::INTR).then_some(()).ok_or(errno))?;
    }
}
