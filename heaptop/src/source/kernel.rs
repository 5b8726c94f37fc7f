// SPDX-License-Identifier: GPL-2.0-only

//! The kernel as a whole: is the limit there, and what are settings and totals?

use crate::error::Error;
use crate::model::system::System;
use crate::source::proc::missing_field;
use crate::source::root::Root;
use std::fs;

/// Fails if the kernel has no RLIMIT_HEAP.
pub(crate) fn check(root: &Root) -> Result<(), Error> {
    let path = root.proc("self/status");
    match fs::read(&path) {
        Err(error) => Err(Error::Read(path, error)),
        Ok(status) => match missing_field(&String::from_utf8_lossy(&status)) {
            Some(field) => Err(Error::NoField { field, path }),
            None => Ok(()),
        },
    }
}

pub(crate) fn system(root: &Root) -> System {
    let setting = |name| fs::read_to_string(root.setting(name)).unwrap_or_default();
    let vmstat = fs::read_to_string(root.proc("vmstat")).unwrap_or_default();
    System {
        policy: chosen(&setting("policy")),
        mode: chosen(&setting("mode")),
        threshold_percent: setting("threshold").trim_end().parse().ok(),
        refused: count(&vmstat, "heap_refused"),
        would_refuse: count(&vmstat, "heap_would_refuse"),
    }
}

/// The one in brackets.
fn chosen(setting: &str) -> Option<String> {
    let (_, rest) = setting.split_once('[')?;
    let (name, _) = rest.split_once(']')?;
    Some(name.to_string())
}

/// None, if there is no such count.
fn count(vmstat: &str, name: &str) -> u64 {
    vmstat
        .lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(known, _)| *known == name)
        .and_then(|(_, count)| count.parse().ok())
        .unwrap_or(0)
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

    #[test]
    fn counts() {
        let vmstat = "nr_free_pages 7\nheap_refused 67\nheap_would_refuse 2\n";
        assert_eq!(count(vmstat, "heap_refused"), 67);
        assert_eq!(count(vmstat, "heap"), 0);
    }
}
