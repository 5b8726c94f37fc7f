// SPDX-License-Identifier: GPL-2.0-only

//! Processes, as /proc has them.

use crate::error::Error;
use crate::model::cgroup;
use crate::model::limit::Limits;
use crate::model::process::{Heap, Process};
use crate::source::root::Root;
use procfs::process::Process as Directory;
use std::fs;
use std::io::{self, Read};

/// Bytes of a command line that are enough to know it.
const COMMAND_LINE: u64 = 4096;

/// All that have memory of their own; their users have no names yet.
pub(crate) fn all(root: &Root) -> Result<Vec<Process>, Error> {
    let path = root.proc("");
    let directories = procfs::process::all_processes_with_root(&path)
        .map_err(|error| Error::Read(path, io::Error::other(error)))?;
    Ok(directories
        // What vanishes while we look is none.
        .filter_map(|directory| read(&directory.ok()?))
        .collect())
}

fn read(directory: &Directory) -> Option<Process> {
    let status = text(directory, "status")?;
    let heap = heap(&status)?;
    let uid = field(&status, "Uid")?.split_whitespace().nth(1)?;
    let uid = uid.parse().ok()?;
    let command = text(directory, "comm")?;
    let cgroup = text(directory, "cgroup");
    let cgroup = cgroup.as_deref().and_then(cgroup::path);
    Some(Process {
        pid: directory.pid(),
        uid,
        user: String::new(),
        command: command.strip_suffix('\n').unwrap_or(&command).to_string(),
        arguments: arguments(&text(directory, "cmdline").unwrap_or_default()),
        cgroup: cgroup.map(str::to_string),
        unit: cgroup.map(cgroup::unit),
        heap,
        rss: kilobytes(&status, "VmRSS").unwrap_or(0),
        limits: text(directory, "limits").and_then(|text| limits(&text)),
    })
}

/// A file of a process, or its beginning; names in it may be any bytes.
fn text(directory: &Directory, file: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let length = match file {
        "cmdline" => COMMAND_LINE,
        _ => u64::MAX,
    };
    let file = directory.open_relative(file).ok()?;
    file.take(length).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Each ends with a NUL; a program that wrote its own line may have left more of them.
fn arguments(line: &str) -> Vec<String> {
    match line.trim_end_matches('\0') {
        "" => Vec::new(),
        line => line.split('\0').map(str::to_string).collect(),
    }
}

const USED: &str = "VmHeap";
const RESIDENT: &str = "VmHeapResident";
const PEAK: &str = "VmHeapPeak";
const REFUSED: &str = "HeapRefused";
const WOULD_REFUSE: &str = "HeapWouldRefuse";

/// The first field of a status that a kernel with the limit has and this one has not.
pub(crate) fn missing_field(status: &str) -> Option<&'static str> {
    [USED, PEAK, REFUSED, WOULD_REFUSE]
        .into_iter()
        .find(|name| field(status, name).is_none())
}

/// How often growth was refused to children that we have waited for, and to theirs.
pub(crate) fn refused_children() -> Option<u64> {
    field(&own_status(), "HeapRefusedChildren")?.parse().ok()
}

/// Signals that we ignore: bit 0 is signal 1.
pub(crate) fn ignored_signals() -> u64 {
    let status = own_status();
    let mask = field(&status, "SigIgn").map(|mask| u64::from_str_radix(mask, 16));
    mask.and_then(Result::ok).unwrap_or(0)
}

fn own_status() -> String {
    fs::read("/proc/self/status").map_or(String::new(), |text| {
        String::from_utf8_lossy(&text).into_owned()
    })
}

fn heap(status: &str) -> Option<Heap> {
    let count = |name| field(status, name)?.parse().ok();
    Some(Heap {
        used: kilobytes(status, USED)?,
        resident: kilobytes(status, RESIDENT),
        by_resident: false,
        peak: kilobytes(status, PEAK)?,
        refused: count(REFUSED)?,
        would_refuse: count(WOULD_REFUSE)?,
    })
}

/// The bytes of a field in kB.
fn kilobytes(status: &str, name: &str) -> Option<u64> {
    let number = field(status, name)?.strip_suffix(" kB")?;
    number.parse::<u64>().ok()?.checked_mul(1024)
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
mod tests {
    use super::*;
    use crate::model::limit::Limit;

    const STATUS: &str = "Name:\tVmHeap:\\n 1 kB\nUid:\t0\t33\t0\t0\nVmData:\t    9 kB\n\
        VmHeapPeak:\t    3456 kB\nVmHeap:\t    3400 kB\nVmHeapResident:\t    2100 kB\n\
        HeapRefused:\t7\nHeapWouldRefuse:\t2\n";

    #[test]
    fn status() {
        let expected = Heap {
            used: 3400 << 10,
            resident: Some(2100 << 10),
            by_resident: false,
            peak: 3456 << 10,
            refused: 7,
            would_refuse: 2,
        };
        assert_eq!(heap(STATUS), Some(expected));
        assert_eq!(missing_field(STATUS), None);
        let older = STATUS.replace("VmHeapResident", "VmOther");
        assert_eq!(heap(&older).map(|heap| heap.resident), Some(None));
        assert_eq!(missing_field(&older), None);
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
    fn command_lines() {
        assert_eq!(arguments("sh\0-c\0\0a b\0"), ["sh", "-c", "", "a b"]);
        assert_eq!(arguments("postgres: writer\0\0\0"), ["postgres: writer"]);
        assert!(arguments("").is_empty() && arguments("\0").is_empty());
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
        assert!(read(&directory).is_none());
    }
}
