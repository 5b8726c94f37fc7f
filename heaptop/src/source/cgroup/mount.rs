// SPDX-License-Identifier: GPL-2.0-only

//! Where cgroups are mounted, and which directory is which cgroup.

use crate::error::CgroupError;
use crate::source::root::Root;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The unified hierarchy, or the part of it that is mounted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    pub(super) point: PathBuf,
    /// The path of the cgroup that is at its top, without a slash at its end.
    top: String,
}

impl Mount {
    pub(crate) fn find(root: &Root) -> Result<Self, CgroupError> {
        let path = root.proc("self/mountinfo");
        let text = fs::read(&path).map_err(|error| CgroupError::File(path, error))?;
        let mount = Self::parse(&String::from_utf8_lossy(&text)).ok_or(CgroupError::NoMount)?;
        let point = root.mount(&mount.point);
        Ok(Self { point, ..mount })
    }

    /// The one that has most of the hierarchy, of the text of mountinfo.
    fn parse(text: &str) -> Option<Self> {
        let mounts = text.lines().filter_map(|line| {
            let (fields, rest) = line.split_once(" - ")?;
            let mut fields = fields.split(' ').skip(3);
            let (top, point) = (fields.next()?, fields.next()?);
            let top = unescaped(top).trim_end_matches('/').to_string();
            let point = unescaped(point).into();
            rest.starts_with("cgroup2 ").then_some(Self { point, top })
        });
        mounts.min_by_key(|mount| mount.top.len())
    }

    /// The cgroup that a directory is.
    pub(crate) fn path(&self, directory: &Path) -> String {
        let below = directory.strip_prefix(&self.point).unwrap_or(directory);
        format!("{}/{}", self.top, below.to_string_lossy())
    }

    /// The directory of a cgroup; `None` if it is not in what is mounted.
    pub(super) fn directory(&self, path: &str) -> Option<PathBuf> {
        let below = path.strip_prefix(&self.top)?;
        match below.trim_start_matches('/') {
            "" => Some(self.point.clone()),
            rest => below.starts_with('/').then(|| self.point.join(rest)),
        }
    }

    /// Each cgroup's id and path, of those that there are.
    pub(crate) fn ids(&self) -> Vec<(u64, String)> {
        let mut found = Vec::new();
        let mut left = vec![self.point.clone()];
        while let Some(directory) = left.pop() {
            if let Ok(metadata) = directory.metadata() {
                found.push((metadata.ino(), self.path(&directory)));
            }
            left.extend(children(&directory));
        }
        found
    }
}

/// The cgroups below one; none, if it is gone.
pub(super) fn children(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}

/// Spaces and so on are `\040` there.
fn unescaped(field: &str) -> String {
    let mut parts = field.split('\\');
    let mut text = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let code = part.get(..3).map(|code| u8::from_str_radix(code, 8));
        match code {
            Some(Ok(code)) => {
                text.push(code.into());
                text.push_str(&part[3..]);
            }
            _ => {
                text.push('\\');
                text.push_str(part);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MOUNTS: &str = "\
24 1 0:22 / /proc rw,nosuid - proc proc rw
30 24 0:26 /a/b /mnt/part rw shared:9 - cgroup2 cgroup2 rw
31 24 0:26 / /sys/fs/cgroup\\040two rw shared:9 master:1 - cgroup2 cgroup2 rw,nsdelegate
32 24 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu
";

    #[test]
    fn the_most_of_it() {
        let mount = Mount::parse(MOUNTS).unwrap();
        assert_eq!(mount.point, Path::new("/sys/fs/cgroup two"));
        let directory = mount.directory("/a/b").unwrap();
        assert_eq!(directory, Path::new("/sys/fs/cgroup two/a/b"));
        assert_eq!(mount.path(&directory), "/a/b");
        assert_eq!(mount.path(&mount.directory("/").unwrap()), "/");
        assert!(!mount
            .directory("/")
            .unwrap()
            .to_string_lossy()
            .ends_with('/'));
        assert_eq!(Mount::parse("24 1 0:22 / /proc rw - proc proc rw\n"), None);
    }

    #[test]
    fn a_part_of_it() {
        let mount = Mount::parse(MOUNTS.lines().nth(1).unwrap()).unwrap();
        let directory = mount.directory("/a/b/c").unwrap();
        assert_eq!(directory, Path::new("/mnt/part/c"));
        assert_eq!(mount.path(&directory), "/a/b/c");
        assert_eq!(mount.directory("/a/bc"), None);
        assert_eq!(mount.directory("/"), None);
    }

    proptest! {
        #[test]
        fn never_panics(text in any::<String>()) {
            Mount::parse(&text);
            unescaped(&text);
            unescaped(&format!("a\\{text}"));
        }
    }
}
