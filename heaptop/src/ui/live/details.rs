// SPDX-License-Identifier: GPL-2.0-only

//! One process: all that is known of it, and what it used.

use crate::model::limit::Limit;
use crate::model::process::Process;
use crate::model::size::human;
use crate::output::escape;
use crate::output::grid::known;
use crate::ui::live::history::History;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Stylize;
use ratatui::text::{Line, Text};
use ratatui::widgets::{Paragraph, Sparkline, Wrap};
use ratatui::Frame;

/// Lines of the history; of less than that there is nothing to see.
const HEIGHT: u16 = 7;

pub(super) fn draw(frame: &mut Frame, area: Rect, process: &Process, history: &History) {
    let [facts, title, graph] = Layout::vertical([
        Constraint::Fill(1),
        Constraint::Length(1),
        Constraint::Max(HEIGHT),
    ])
    .areas(area);
    let text = Text::from_iter(lines(process));
    frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: false }), facts);
    let used = history.last(process.pid, graph.width.into());
    let top = top(process, &used);
    let words = format!("USED at each look, up to {}", human(top));
    frame.render_widget(Line::from(words).reversed(), title);
    frame.render_widget(Sparkline::default().data(&used).max(top), graph);
}

/// What the whole height is: the soft limit if there is one.
fn top(process: &Process, used: &[u64]) -> u64 {
    let most = used.iter().copied().max().unwrap_or(0);
    let soft = process.limits.and_then(|limits| limits.soft.bytes());
    soft.unwrap_or(most).max(most)
}

fn lines(process: &Process) -> Vec<Line<'static>> {
    let text = |text: &Option<String>| escape::for_terminal(text.as_deref().unwrap_or("?"));
    let limit = |limit: Option<Limit>| limit.map_or("?".into(), |limit| limit.to_string());
    let heap = &process.heap;
    // Beside what the limit is of.
    let share = |of_resident| match process.share() {
        Some(share) if heap.by_resident == of_resident => format!(", {share:.1} % of SOFT"),
        _ => String::new(),
    };
    [
        ("process", process.pid.to_string()),
        (
            "user",
            format!("{} ({})", escape::for_terminal(&process.user), process.uid),
        ),
        ("unit", text(&process.unit)),
        ("cgroup", text(&process.cgroup)),
        ("used", format!("{}{}", human(heap.used), share(false))),
        ("resident", known(heap.resident) + &share(true)),
        ("peak", human(heap.peak)),
        ("rss", human(process.rss)),
        ("soft", limit(process.limits.map(|limits| limits.soft))),
        ("hard", limit(process.limits.map(|limits| limits.hard))),
        ("refused", heap.refused.to_string()),
        ("would-be", heap.would_refuse.to_string()),
        ("command", escape::for_terminal(&process.command)),
        ("line", escape::for_terminal(&process.command_line())),
    ]
    .into_iter()
    .map(|(name, value)| Line::from(format!("{name:10}{value}")))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::process::tests::example;

    #[test]
    fn share_beside_what_it_is_of() {
        let mut process = example(1, "a", 32, Some(64));
        let shown = |process: &Process| -> Vec<_> {
            let lines = lines(process).into_iter().map(|line| line.to_string());
            lines.skip(4).take(2).collect()
        };
        let expected = ["used      32B, 50.0 % of SOFT", "resident  8B"];
        assert_eq!(shown(&process), expected);
        process.heap.by_resident = true;
        let expected = ["used      32B", "resident  8B, 12.5 % of SOFT"];
        assert_eq!(shown(&process), expected);
    }
}
