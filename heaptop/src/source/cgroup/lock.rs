// SPDX-License-Identifier: GPL-2.0-only

//! Locks of cgroups, which the kernel gives back when we are gone. They are of files that
//! only those can write to whose cgroup it is, so that nobody else can hold us up.
//!
//! We open these files nowhere else: a lock ends when its process closes the file, however
//! often it has opened it.

use rustix::fs::{fcntl_lock, FlockOperation};
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Waits until nobody else makes or removes cgroups below this one.
pub(super) fn children(cgroup: &Path) -> io::Result<File> {
    let file = cgroup.join("cgroup.threads");
    lock(&file, FlockOperation::LockExclusive)
}

/// Takes a cgroup of ours, or fails, if it is somebody's. Not by the file above: what runs in
/// it may make cgroups below it.
pub(super) fn own(cgroup: &Path) -> io::Result<File> {
    let file = cgroup.join("cgroup.freeze");
    lock(&file, FlockOperation::NonBlockingLockExclusive)
}

fn lock(path: &Path, how: FlockOperation) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    fcntl_lock(&file, how)?;
    Ok(file)
}
