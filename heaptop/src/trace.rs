// SPDX-License-Identifier: GPL-2.0-only

//! The tracepoints, by an instance of our own: others who trace notice nothing.

use crate::error;
use rustix::fd::{AsFd, BorrowedFd};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const TRACING: &str = "/sys/kernel/tracing";

/// What is traced, from when it is opened until it is dropped.
#[derive(Debug)]
pub(crate) struct Trace {
    // Dropped first: the instance stays as long as its pipe is open.
    pipe: File,
    _instance: Instance,
}

impl Trace {
    pub(crate) fn open() -> io::Result<Self> {
        check()?;
        Self::start().map_err(|error| error::about("cannot trace", &error))
    }

    fn start() -> io::Result<Self> {
        let instance = Instance::create()?;
        // Nothing but the events; a name in front of them could hold a newline.
        instance.set("trace_options", "nocontext-info")?;
        let pipe = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(instance.path.join("trace_pipe"))?;
        instance.set("events/heap_limit/enable", "1")?;
        Ok(Self {
            pipe,
            _instance: instance,
        })
    }

    /// The text there is; none if there is none yet.
    pub(crate) fn read<'a>(&mut self, buffer: &'a mut [u8]) -> io::Result<&'a [u8]> {
        match self.pipe.read(buffer) {
            Ok(length) => Ok(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(&[]),
            Err(error) => Err(error::about("cannot read the trace", &error)),
        }
    }
}

impl AsFd for Trace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}

/// Says what is missing, if something is.
fn check() -> io::Result<()> {
    let exists = |path: &str| match Path::new(TRACING).join(path).try_exists() {
        Err(error) => Err(error::about("cannot trace, only root can", &error)),
        Ok(exists) => Ok(exists),
    };
    if !exists("")? {
        return Err(io::Error::other("cannot trace: this kernel has no tracefs"));
    }
    if !exists("instances")? {
        return Err(io::Error::other(format!(
            "cannot trace: tracefs is not mounted: mount -t tracefs tracefs {TRACING}"
        )));
    }
    if !exists("events/heap_limit")? {
        return Err(io::Error::other(
            "cannot trace: this kernel has no heap_limit events",
        ));
    }
    Ok(())
}

/// A directory with buffers and settings that are ours.
#[derive(Debug)]
struct Instance {
    path: PathBuf,
}

impl Instance {
    fn create() -> io::Result<Self> {
        let path = PathBuf::from(format!(
            "{TRACING}/instances/heaptop-{}",
            std::process::id()
        ));
        match fs::create_dir(&path) {
            // Of one with our pid that was killed; if it is in use, it cannot be removed.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                fs::remove_dir(&path)?;
                fs::create_dir(&path)?;
            }
            result => result?,
        }
        Ok(Self { path })
    }

    fn set(&self, file: &str, value: &str) -> io::Result<()> {
        fs::write(self.path.join(file), value).map_err(|error| error::about(file, &error))
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir(&self.path) {
            let path = self.path.display();
            eprintln!(
                "heaptop: {}",
                error::about(format!("cannot remove {path}"), &error)
            );
        }
    }
}
