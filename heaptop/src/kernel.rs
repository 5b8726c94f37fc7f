// SPDX-License-Identifier: GPL-2.0-only

//! What the kernel as a whole says: is the limit there, who decides, what was refused.

use crate::{error, process};
use serde::Serialize;
use std::{fs, io};

const SETTINGS: &str = "/sys/kernel/mm/heap_limit";

/// Fails if the kernel has no RLIMIT_HEAP.
pub(crate) fn check() -> io::Result<()> {
    let status = fs::read("/proc/self/status")
        .map_err(|error| error::about("cannot read /proc/self/status", &error))?;
    match process::missing_field(&String::from_utf8_lossy(&status)) {
        Some(field) => Err(io::Error::other(format!(
            "this kernel has no RLIMIT_HEAP (no {field} in /proc/self/status): \
             boot one with the rlimit-heap patches"
        ))),
        None => Ok(()),
    }
}

/// Settings and totals.
#[derive(Debug, Serialize)]
pub(crate) struct System {
    /// The policy that decides what is heap; none, and nothing is limited.
    pub(crate) policy: Option<String>,
    /// What becomes of growth beyond a limit: enforce or audit.
    pub(crate) mode: Option<String>,
    /// The share of a soft limit from which on a heap is nearly full.
    pub(crate) threshold_percent: Option<u32>,
    /// Growth refused since boot, of all processes that there were.
    pub(crate) refused: u64,
    /// Growth that audit mode let pass.
    pub(crate) would_refuse: u64,
}

impl System {
    pub(crate) fn read() -> Self {
        let vmstat = procfs::vmstat().unwrap_or_default();
        let count = |name| vmstat.get(name).and_then(|&n| n.try_into().ok());
        Self {
            policy: chosen(&setting("policy")),
            mode: chosen(&setting("mode")),
            threshold_percent: setting("threshold").trim_end().parse().ok(),
            refused: count("heap_refused").unwrap_or(0),
            would_refuse: count("heap_would_refuse").unwrap_or(0),
        }
    }
}

/// Nothing, where it cannot be read.
fn setting(name: &str) -> String {
    fs::read_to_string(format!("{SETTINGS}/{name}")).unwrap_or_default()
}

/// The one in brackets.
fn chosen(setting: &str) -> Option<String> {
    let (_, rest) = setting.split_once('[')?;
    let (name, _) = rest.split_once(']')?;
    Some(name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choice() {
        assert_eq!(chosen("addr0 [commit]\n"), Some("commit".into()));
        assert_eq!(chosen("none\n"), None);
        assert_eq!(chosen(""), None);
    }
}
