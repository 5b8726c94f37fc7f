// SPDX-License-Identifier: GPL-2.0-only

//! Processes, as /proc has them.

use crate::filter::Filter;
use crate::limit::{Limit, Limits};
use crate::users::Users;
use procfs::process::Process as Directory;
use std::io::{self, Read};

/// A process that has memory of its own: no thread of the kernel, no zombie.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    /// The effective user.
    pub(crate) uid: u32,
    pub(crate) user: String,
    /// The name, of 15 bytes at most, as the process chose it.
    pub(crate) command: String,
    pub(crate) heap: Heap,
    /// `None` if we may not know.
    pub(crate) limits: Option<Limits>,
}

/// What /proc/PID/status says of the heap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heap {
    /// Bytes.
    pub(crate) used: u64,
    /// Bytes, the most there ever were.
    pub(crate) peak: u64,
    /// Times that growth was refused.
    pub(crate) refused: u64,
    /// Times that audit mode let growth pass.
    pub(crate) would_refuse: u64,
}

impl Process {
    /// The share of the soft limit in percent; none if there is no limit that we know.
    pub(crate) fn share(&self) -> Option<f64> {
        match self.limits?.soft.bytes()? {
            // Nothing more fits into it.
            0 => Some(100.0),
            soft => Some(self.heap.used as f64 * 100.0 / soft as f64),
        }
    }

    /// Does it have a limit, as far as we know?
    pub(crate) fn is_limited(&self) -> bool {
        self.limits.is_some_and(|l| l.soft != Limit::UNLIMITED)
    }
}

/// All processes that `filter` lets pass.
pub(crate) fn all(filter: &Filter, users: &Users) -> io::Result<Vec<Process>> {
    let directories = procfs::process::all_processes()
        .map_err(|error| io::Error::other(format!("cannot read /proc: {error}")))?;
    Ok(directories
        // What vanishes while we look is none.
        .filter_map(|directory| read(&directory.ok()?, users))
        .filter(|process| filter.has(process))
        .collect())
}

fn read(directory: &Directory, users: &Users) -> Option<Process> {
    let status = text(directory, "status")?;
    let heap = heap(&status)?;
    let uid = field(&status, "Uid")?.split_whitespace().nth(1)?;
    let uid = uid.parse().ok()?;
    let command = text(directory, "comm")?;
    Some(Process {
        pid: directory.pid(),
        uid,
        user: users.name(uid),
        command: command.strip_suffix('\n').unwrap_or(&command).to_string(),
        heap,
        limits: text(directory, "limits").and_then(|text| limits(&text)),
    })
}

/// A file of a process; a name in it may be any bytes.
fn text(directory: &Directory, file: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut file = directory.open_relative(file).ok()?;
    file.read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

const USED: &str = "VmHeap";
const PEAK: &str = "VmHeapPeak";
const REFUSED: &str = "HeapRefused";
const WOULD_REFUSE: &str = "HeapWouldRefuse";

/// The first field of a status that a kernel with the limit has and this one has not.
pub(crate) fn missing_field(status: &str) -> Option<&'static str> {
    [USED, PEAK, REFUSED, WOULD_REFUSE]
        .into_iter()
        .find(|name| field(status, name).is_none())
}

fn heap(status: &str) -> Option<Heap> {
    let bytes = |name| {
        field(status, name)?
            .strip_suffix(" kB")?
            .parse::<u64>()
            .ok()?
            .checked_mul(1024)
    };
    let count = |name| field(status, name)?.parse().ok();
    Some(Heap {
        used: bytes(USED)?,
        peak: bytes(PEAK)?,
        refused: count(REFUSED)?,
        would_refuse: count(WOULD_REFUSE)?,
    })
}

/// The value of a line `name:\tvalue`. A name of a process has no newline here.
fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map(str::trim)
}

/// The heap's row of a limits file.
fn limits(text: &str) -> Option<Limits> {
    let row = text
        .lines()
        .find_map(|line| line.strip_prefix("Max heap size"))?;
    let mut values = row.split_whitespace().map(str::parse);
    match (values.next()?, values.next()?) {
        (Ok(soft), Ok(hard)) => Some(Limits { soft, hard }),
        _ => None,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A process of user 1000.
    pub(crate) fn example(pid: i32, command: &str, used: u64, soft: Option<u64>) -> Process {
        Process {
            pid,
            uid: 1000,
            user: "me".into(),
            command: command.into(),
            heap: Heap {
                used,
                peak: used,
                ..Heap::default()
            },
            limits: soft.map(|soft| Limits {
                soft: Limit(soft),
                hard: Limit::UNLIMITED,
            }),
        }
    }

    const STATUS: &str = "Name:\tVmHeap:\\n 1 kB\nUid:\t0\t33\t0\t0\nVmData:\t    9 kB\n\
        VmHeapPeak:\t    3456 kB\nVmHeap:\t    3400 kB\nHeapRefused:\t7\nHeapWouldRefuse:\t2\n";

    #[test]
    fn status() {
        let expected = Heap {
            used: 3400 << 10,
            peak: 3456 << 10,
            refused: 7,
            would_refuse: 2,
        };
        assert_eq!(heap(STATUS), Some(expected));
        assert_eq!(missing_field(STATUS), None);
        assert_eq!(heap("Name:\tkthreadd\nHeapRefused:\t0\n"), None);
        assert_eq!(missing_field("VmHeapPeak:\t 1 kB\n"), Some("VmHeap"));
    }

    #[test]
    fn limits_row() {
        let text = "Limit  Soft Limit  Hard Limit  Units\nMax data size  1  2  bytes\n\
            Max heap size             67108864             unlimited            bytes     \n";
        let expected = Limits {
            soft: Limit(64 << 20),
            hard: Limit::UNLIMITED,
        };
        assert_eq!(limits(text), Some(expected));
        assert_eq!(limits("Max data size  1  2  bytes\n"), None);
    }

    #[test]
    fn share() {
        let share = |used, soft| example(1, "a", used, soft).share();
        assert_eq!(share(32, Some(64)), Some(50.0));
        assert_eq!(share(128, Some(64)), Some(200.0));
        assert_eq!(share(1, Some(0)), Some(100.0));
        assert_eq!(share(1, Some(u64::MAX)), None);
        assert_eq!(share(1, None), None);
    }

    #[test]
    fn vanished() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let directory = Directory::new(child.id().try_into().unwrap()).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(read(&directory, &Users::default()).is_none());
    }
}
