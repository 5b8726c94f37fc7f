// SPDX-License-Identifier: GPL-2.0-only

//! The table for people, of lines that the live view has, too.

use crate::escape;
use crate::kernel::System;
use crate::limit::Limit;
use crate::process::Process;
use crate::size::human;
use std::io::{self, Write};
use std::os::fd::AsFd;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

const COLUMNS: usize = 10;
const HEADS: [&str; COLUMNS] = [
    "PID", "USER", "USED", "PEAK", "%SOFT", "SOFT", "HARD", "REFUSED", "WOULD-BE", "COMMAND",
];
/// Of words, not of numbers: they begin together.
const LEFT: [usize; 2] = [1, 9];

/// Writes all of it, each line cut at `width` columns, if there is a width.
pub(crate) fn write(
    out: &mut impl Write,
    system: &System,
    processes: &[Process],
    width: Option<usize>,
) -> io::Result<()> {
    for line in std::iter::once(summary(system)).chain(lines(processes)) {
        writeln!(out, "{}", cut(&line, width.unwrap_or(usize::MAX)))?;
    }
    Ok(())
}

/// The line above the table.
pub(crate) fn summary(system: &System) -> String {
    let policy = system.policy.as_deref();
    format!(
        "policy: {}, mode: {}, refused: {}, would-be: {}",
        policy.unwrap_or("none (nothing is limited)"),
        system.mode.as_deref().unwrap_or("none"),
        system.refused,
        system.would_refuse
    )
}

/// The heads, and a line for each process.
pub(crate) fn lines(processes: &[Process]) -> Vec<String> {
    let mut rows = vec![HEADS.map(String::from)];
    rows.extend(processes.iter().map(cells));
    let width = |column: usize| {
        rows.iter()
            .map(|row: &[String; COLUMNS]| row[column].width())
            .max()
    };
    let widths: Vec<_> = (0..COLUMNS)
        .map(|column| width(column).unwrap_or(0))
        .collect();
    rows.iter().map(|row| line(row, &widths)).collect()
}

fn cells(process: &Process) -> [String; COLUMNS] {
    let limit = |limit: Option<Limit>| limit.map_or("?".into(), |limit| limit.to_string());
    let share = match (process.limits, process.share()) {
        (None, _) => "?".into(),
        (_, None) => "-".into(),
        (_, Some(share)) => format!("{share:.1}"),
    };
    [
        process.pid.to_string(),
        escape::for_terminal(&process.user),
        human(process.heap.used),
        human(process.heap.peak),
        share,
        limit(process.limits.map(|limits| limits.soft)),
        limit(process.limits.map(|limits| limits.hard)),
        process.heap.refused.to_string(),
        process.heap.would_refuse.to_string(),
        escape::for_terminal(&process.command),
    ]
}

fn line(row: &[String; COLUMNS], widths: &[usize]) -> String {
    let mut line = String::new();
    for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
        let padding = " ".repeat(width - cell.width());
        match LEFT.contains(&column) {
            true => line.extend([cell, &padding, " "]),
            false => line.extend([&padding, cell, " "]),
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// What of a line fits into `width` columns.
pub(crate) fn cut(line: &str, width: usize) -> &str {
    let mut used = 0;
    let end = line.char_indices().find(|(_, character)| {
        used += character.width().unwrap_or(0);
        used > width
    });
    end.map_or(line, |(at, _)| &line[..at])
}

/// The columns, if it is a terminal that says how many.
pub(crate) fn width_of(terminal: impl AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(terminal).ok()?;
    (size.ws_col > 0).then_some(size.ws_col.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::tests::example;

    #[test]
    fn aligned() {
        let processes = [
            example(1, "a\nb", 32 << 20, Some(64 << 20)),
            example(4711, "python3", 4096, Some(u64::MAX)),
            example(12, "secret", 0, None),
        ];
        assert_eq!(
            lines(&processes),
            [
                " PID USER  USED  PEAK %SOFT      SOFT      HARD REFUSED WOULD-BE COMMAND",
                "   1 me    32Mi  32Mi  50.0      64Mi unlimited       0        0 a\\nb",
                "4711 me   4.0Ki 4.0Ki     - unlimited unlimited       0        0 python3",
                "  12 me      0B    0B     ?         ?         ?       0        0 secret",
            ]
        );
    }

    #[test]
    fn cut_by_columns() {
        assert_eq!(cut("abc", 2), "ab");
        assert_eq!(cut("abc", 3), "abc");
        // Each of these takes two.
        assert_eq!(cut("日本", 3), "日");
        assert_eq!(cut("", 0), "");
    }

    #[test]
    fn without_a_policy() {
        let system = System {
            policy: None,
            mode: None,
            threshold_percent: None,
            refused: 3,
            would_refuse: 0,
        };
        assert_eq!(
            summary(&system),
            "policy: none (nothing is limited), mode: none, refused: 3, would-be: 0"
        );
    }
}
