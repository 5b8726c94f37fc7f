// SPDX-License-Identifier: GPL-2.0-only

//! An instance of our own in tracefs: others who trace notice nothing.

use crate::error::TraceError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const TRACING: &str = "/sys/kernel/tracing";

/// More than any file that is read here has.
const LONGEST: usize = 1 << 16;

/// A file of tracefs, of all instances. In one piece: some have nothing but their
/// beginning, of whatever length is asked for.
pub(super) fn read(file: &str) -> Result<String, TraceError> {
    let path = Path::new(TRACING).join(file);
    let read = || {
        let mut text = vec![0; LONGEST];
        let mut length = 0;
        let mut file = File::open(&path)?;
        loop {
            match file.read(&mut text[length..])? {
                0 => return Ok(String::from_utf8_lossy(&text[..length]).into_owned()),
                more => length += more,
            }
        }
    };
    read().map_err(|error| TraceError::File(path.clone(), error))
}

/// Says what is missing, if something is.
pub(super) fn check() -> Result<(), TraceError> {
    let exists = |path| {
        let path = Path::new(TRACING).join(path);
        path.try_exists().map_err(TraceError::NotRoot)
    };
    if !exists("")? {
        return Err(TraceError::NoTracefs);
    }
    if !exists("instances")? {
        return Err(TraceError::NotMounted(TRACING.into()));
    }
    if !exists("events/heap_limit")? {
        return Err(TraceError::NoEvents);
    }
    Ok(())
}

/// A directory with buffers and settings that are ours.
#[derive(Debug)]
pub(super) struct Instance {
    path: PathBuf,
}

impl Instance {
    pub(super) fn create() -> Result<Self, TraceError> {
        let name = format!("heaptop-{}", std::process::id());
        let path = Path::new(TRACING).join("instances").join(name);
        let result = match fs::create_dir(&path) {
            // Of one with our pid that was killed; if it is in use, it cannot be removed.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                fs::remove_dir(&path).and_then(|()| fs::create_dir(&path))
            }
            result => result,
        };
        match result {
            Ok(()) => Ok(Self { path }),
            Err(error) => Err(TraceError::File(path, error)),
        }
    }

    pub(super) fn set(&self, file: &str, value: &str) -> Result<(), TraceError> {
        let path = self.path.join(file);
        fs::write(&path, value).map_err(|error| TraceError::File(path, error))
    }

    /// The buffers of all CPUs.
    pub(super) fn pipes(&self) -> Result<Vec<File>, TraceError> {
        let path = self.path.join("per_cpu");
        let open = |entry: io::Result<fs::DirEntry>| {
            OpenOptions::new()
                .read(true)
                .custom_flags(libc::O_NONBLOCK)
                .open(entry?.path().join("trace_pipe_raw"))
        };
        fs::read_dir(&path)
            .and_then(|entries| entries.map(open).collect())
            .map_err(|error| TraceError::File(path, error))
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir(&self.path) {
            let problem = TraceError::File(self.path.clone(), error);
            eprintln!("heaptop: cannot remove what traced: {problem}");
        }
    }
}
