// SPDX-License-Identifier: GPL-2.0-only

//! The table for people, printed.

use crate::model::rows::Rows;
use crate::model::system::System;
use crate::output::grid::Grid;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;
use ratatui::widgets::{StatefulWidget, TableState};
use std::io::{self, Write};
use std::os::fd::AsFd;

/// So wide that the heads and a row are an area.
const WIDEST: u16 = u16::MAX / 2;

/// Writes all of it, each line cut at `width` columns, if there is a width.
pub(crate) fn write(
    out: &mut impl Write,
    system: &System,
    rows: &Rows,
    full: bool,
    width: Option<usize>,
) -> io::Result<()> {
    let width = width.unwrap_or(usize::MAX);
    let grid = Grid::new(rows, full).fitted(width);
    writeln!(out, "{}", cut(&summary(system), width))?;
    write_grid(out, &grid, width.min(grid.width()))
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

/// The columns, if it is a terminal that says how many.
pub(crate) fn width_of(terminal: impl AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(terminal).ok()?;
    (size.ws_col > 0).then_some(size.ws_col.into())
}

/// What of a line fits; it is ASCII.
fn cut(line: &str, width: usize) -> &str {
    line.get(..width).unwrap_or(line)
}

/// As a terminal would show it, in parts: there is a limit to the cells of an area.
fn write_grid(out: &mut impl Write, grid: &Grid, width: usize) -> io::Result<()> {
    let width = width.clamp(1, WIDEST.into());
    let table = grid.table(width, |_| false);
    let width = u16::try_from(width).unwrap_or(WIDEST);
    let height = u16::MAX / width;
    let area = Rect::new(0, 0, width, height);
    let page = usize::from(height) - 1;
    let mut shown = 0;
    loop {
        let mut buffer = Buffer::empty(area);
        let mut state = TableState::new().with_offset(shown);
        StatefulWidget::render(&table, area, &mut buffer, &mut state);
        let rows = page.min(grid.len() - shown);
        // The heads are in each part.
        let first = usize::from(shown > 0);
        for line in lines(&buffer).skip(first).take(rows + 1 - first) {
            writeln!(out, "{}", line.trim_end())?;
        }
        shown += rows;
        if shown == grid.len() {
            return Ok(());
        }
    }
}

fn lines(buffer: &Buffer) -> impl Iterator<Item = String> + '_ {
    let width = usize::from(buffer.area.width).max(1);
    buffer.content().chunks(width).map(|cells| {
        let mut line = String::new();
        let mut covered = 0;
        for cell in cells {
            // Behind what is two columns wide there is a cell that does not count.
            if covered == 0 {
                line.push_str(cell.symbol());
                covered = Span::raw(cell.symbol()).width();
            }
            covered = covered.saturating_sub(1);
        }
        line
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::group::By;
    use crate::model::job::tests::example as job;
    use crate::model::process::tests::example;
    use crate::model::process::Process;
    use crate::model::rows::{Look, Seen};
    use crate::model::sort::Key;

    fn system() -> System {
        System {
            policy: None,
            mode: None,
            threshold_percent: None,
            refused: 3,
            would_refuse: 0,
        }
    }

    fn shown(processes: Vec<Process>, by: By, full: bool, width: Option<usize>) -> Vec<String> {
        shown_of(Seen::Processes(processes), by, full, width)
    }

    fn shown_of(seen: Seen, by: By, full: bool, width: Option<usize>) -> Vec<String> {
        let look = Look {
            by,
            key: Key::Pid,
            reverse: false,
            full,
        };
        let mut out = Vec::new();
        let rows = Rows::new(seen, look);
        write(&mut out, &system(), &rows, full, width).unwrap();
        let text = String::from_utf8(out).unwrap();
        text.lines().skip(1).map(str::to_string).collect()
    }

    fn processes() -> Vec<Process> {
        let mut processes = vec![
            example(1, "a\nb", 32 << 20, Some(64 << 20)),
            example(4711, "python3", 4096, Some(u64::MAX)),
            example(12, "日本", 0, None),
        ];
        processes[2].heap.resident = None;
        processes
    }

    #[test]
    fn aligned() {
        assert_eq!(
            shown(processes(), By::Process, false, None),
            [
                " PID USER  USED RESIDENT   RSS  PEAK %SOFT      SOFT      HARD REFUSED WOULD-BE UNIT      COMMAND",
                "   1 me    32Mi    8.0Mi  16Mi  32Mi  50.0      64Mi unlimited       0        0 a.service a\\nb",
                "  12 me      0B        ?    0B    0B     ?         ?         ?       0        0 a.service 日本",
                "4711 me   4.0Ki    1.0Ki 2.0Ki 4.0Ki     - unlimited unlimited       0        0 a.service python3",
            ]
        );
    }

    #[test]
    fn whole_command_lines() {
        let lines = shown(processes(), By::Process, true, None);
        assert!(lines[1].ends_with(" a\\nb -x"), "{lines:?}");
    }

    #[test]
    fn grouped() {
        assert_eq!(
            shown(processes(), By::Unit, false, None),
            [
                "PROCS USED RESIDENT  RSS PEAK %SOFT REFUSED WOULD-BE UNIT",
                "    3 32Mi    8.0Mi 16Mi 32Mi  50.0       0        0 a.service",
            ]
        );
    }

    #[test]
    fn of_jobs() {
        let mut jobs = vec![job("/a b", 32 << 20, 64 << 20), job("/c", 0, u64::MAX)];
        jobs[1].heap.resident = None;
        assert_eq!(
            shown_of(Seen::Jobs(jobs), By::Job, false, None),
            [
                "PROCS USED RESIDENT PEAK %MAX       MAX REFUSED WOULD-BE PATH",
                "    2 32Mi    8.0Mi 32Mi 50.0      64Mi       0        0 /a b",
                "    2   0B        ?   0B    - unlimited       0        0 /c",
            ]
        );
    }

    #[test]
    fn cut_by_columns() {
        let lines = |width| shown(processes(), By::Process, false, Some(width));
        assert_eq!(
            lines(81)[2],
            "  12 me      0B        ?    0B    0B     ?         ?       0        0 日本"
        );
        assert_eq!(lines(8)[0], " PID USE");
        assert_eq!(lines(3)[1], "  1");
        // Half of one is none.
        let last = lines(64);
        assert!(last[0].contains(" RESIDENT ") && !lines(60)[0].contains("RESIDENT"));
        assert!(
            last[2].ends_with(" 0 日本") || last[2].ends_with('日'),
            "{last:?}"
        );
    }

    #[test]
    fn long_ones() {
        let many = (1..=3000).map(|pid| example(pid, "a", 0, None)).collect();
        let lines = shown(many, By::Process, false, None);
        assert_eq!(lines.len(), 3001);
        for (pid, line) in lines.iter().enumerate().skip(1) {
            assert_eq!(line.split_whitespace().next(), Some(&*pid.to_string()));
        }
        let mut long = example(1, "a", 0, None);
        long.arguments = vec!["x".repeat(30_000)];
        let lines = shown(vec![long.clone(), long], By::Process, true, None);
        assert!(lines.len() == 3 && lines[2].len() > 30_000);
    }

    #[test]
    fn without_a_policy() {
        assert_eq!(
            summary(&system()),
            "policy: none (nothing is limited), mode: none, refused: 3, would-be: 0"
        );
    }
}
