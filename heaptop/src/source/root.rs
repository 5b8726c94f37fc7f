// SPDX-License-Identifier: GPL-2.0-only

//! Where /proc, /sys and /etc are: in /, or in a tree that is a copy of them.

use std::path::{Path, PathBuf};

#[derive(Clone, Debug)]
pub(crate) struct Root(PathBuf);

impl Root {
    /// That of `path`; of this machine, if there is none.
    pub(crate) fn new(path: Option<PathBuf>) -> Self {
        Self(path.unwrap_or_else(|| "/".into()))
    }

    /// Is it the machine we run on, so that its services know more than its files?
    pub(crate) fn is_ours(&self) -> bool {
        self.0 == Path::new("/")
    }

    pub(crate) fn proc(&self, file: &str) -> PathBuf {
        self.0.join("proc").join(file)
    }

    /// A setting of the limit.
    pub(crate) fn setting(&self, name: &str) -> PathBuf {
        self.0.join("sys/kernel/mm/heap_limit").join(name)
    }

    /// Where something is mounted.
    pub(crate) fn mount(&self, point: &Path) -> PathBuf {
        self.0.join(point.strip_prefix("/").unwrap_or(point))
    }

    pub(crate) fn passwd(&self) -> PathBuf {
        self.0.join("etc/passwd")
    }
}
