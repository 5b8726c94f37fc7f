// SPDX-License-Identifier: GPL-2.0-only

//! Heads and cells, for the printed table and the live view.

use crate::model::group::{By, Group};
use crate::model::job::Job;
use crate::model::limit::Limit;
use crate::model::process::Process;
use crate::model::rows::Rows;
use crate::model::size::human;
use crate::model::sort::Ranked;
use crate::output::escape;
use ratatui::layout::Constraint;
use ratatui::style::Stylize;
use ratatui::text::{Line, Text};
use ratatui::widgets::{Cell, Row, Table};

/// Where words are, not numbers: they begin together.
const WORDS: [&str; 3] = ["USER", "UNIT", "COMMAND"];
/// What is left out first where there is no room for the last column.
const DISPENSABLE: [&str; 5] = ["UNIT", "HARD", "WOULD-BE", "RSS", "RESIDENT"];
/// Columns that the last one needs to be of use.
const LAST: usize = 15;

/// All of it as text.
#[derive(Debug)]
pub(crate) struct Grid {
    heads: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Grid {
    pub(crate) fn new(rows: &Rows, full: bool) -> Self {
        match rows {
            Rows::Processes(processes) => Self {
                heads: vec![
                    "PID", "USER", "USED", "RESIDENT", "RSS", "PEAK", "%SOFT", "SOFT", "HARD",
                    "REFUSED", "WOULD-BE", "UNIT", "COMMAND",
                ],
                rows: processes.iter().map(|p| process(p, full)).collect(),
            },
            Rows::Groups(by, groups) => Self {
                heads: vec![
                    "PROCS",
                    "USED",
                    "RESIDENT",
                    "RSS",
                    "PEAK",
                    "%SOFT",
                    "REFUSED",
                    "WOULD-BE",
                    head(*by),
                ],
                rows: groups.iter().map(group).collect(),
            },
            Rows::Jobs(jobs) => Self {
                heads: vec![
                    "PROCS", "USED", "RESIDENT", "PEAK", "%MAX", "MAX", "REFUSED", "WOULD-BE",
                    "PATH",
                ],
                rows: jobs.iter().map(job).collect(),
            },
        }
    }

    /// As it fits into `width` columns: what is dispensable goes, and then what is beyond.
    pub(crate) fn fitted(mut self, width: usize) -> Self {
        for head in DISPENSABLE {
            let widths = self.widths();
            let (last, others) = widths.split_last().unwrap_or((&0, &[]));
            let needed = others.iter().map(|width| width + 1).sum::<usize>() + (*last).min(LAST);
            let at = self.heads.iter().position(|&known| known == head);
            if let (true, Some(at)) = (needed > width, at.filter(|at| *at < others.len())) {
                self.heads.remove(at);
                self.rows.iter_mut().for_each(|row| drop(row.remove(at)));
            }
        }
        self
    }

    /// A table that is not wider than `width`, with rows in bold that are `marked`.
    pub(crate) fn table(&self, width: usize, marked: impl Fn(usize) -> bool) -> Table<'static> {
        let head = self.heads.iter().map(|head| self.cell(head, head));
        let rows = self.rows.iter().enumerate().map(|(at, row)| {
            let cells = self.heads.iter().zip(row);
            let row = Row::new(cells.map(|(head, text)| self.cell(head, text)));
            match marked(at) {
                true => row.bold(),
                false => row,
            }
        });
        let mut left = width;
        let widths = self.widths().into_iter().map_while(|wanted| {
            let width = wanted.min(left);
            left = left.saturating_sub(width + 1);
            let length = u16::try_from(width).unwrap_or(u16::MAX);
            (width > 0).then_some(Constraint::Length(length))
        });
        Table::new(rows, widths)
            .header(Row::new(head).reversed())
            .column_spacing(1)
    }

    /// Columns that it takes.
    pub(crate) fn width(&self) -> usize {
        let widths = self.widths();
        widths.iter().sum::<usize>() + widths.len().saturating_sub(1)
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    fn cell(&self, head: &str, text: &str) -> Cell<'static> {
        let text = Text::raw(text.to_string());
        let is_word = WORDS.contains(&head) || self.heads.last() == Some(&head);
        Cell::new(match is_word {
            true => text,
            false => text.right_aligned(),
        })
    }

    fn widths(&self) -> Vec<usize> {
        let width = |text: &str| Line::raw(text).width();
        let mut widths: Vec<_> = self.heads.iter().map(|head| width(head)).collect();
        for row in &self.rows {
            for (known, text) in widths.iter_mut().zip(row) {
                *known = width(text).max(*known);
            }
        }
        widths
    }
}

fn head(by: By) -> &'static str {
    match by {
        By::Process => "PID",
        By::Unit => "UNIT",
        By::User => "USER",
        By::Command => "COMMAND",
        By::Job => "PATH",
    }
}

fn process(process: &Process, full: bool) -> Vec<String> {
    let limit = |limit: Option<Limit>| limit.map_or("?".into(), |limit| limit.to_string());
    let command = match full {
        true => process.command_line(),
        false => process.command.clone(),
    };
    vec![
        process.pid.to_string(),
        escape::for_terminal(&process.user),
        human(process.heap.used),
        known(process.heap.resident),
        human(process.rss),
        human(process.heap.peak),
        match process.limits {
            None => "?".into(),
            Some(_) => share(process.share()),
        },
        limit(process.limits.map(|limits| limits.soft)),
        limit(process.limits.map(|limits| limits.hard)),
        process.heap.refused.to_string(),
        process.heap.would_refuse.to_string(),
        escape::for_terminal(process.unit.as_deref().unwrap_or("?")),
        escape::for_terminal(&command),
    ]
}

fn group(group: &Group) -> Vec<String> {
    vec![
        group.processes.to_string(),
        human(group.used),
        known(group.resident),
        human(group.rss),
        human(group.peak),
        share(group.share),
        group.refused.to_string(),
        group.would_refuse.to_string(),
        escape::for_terminal(&group.name),
    ]
}

fn job(job: &Job) -> Vec<String> {
    vec![
        job.processes.to_string(),
        human(job.heap.used),
        known(job.heap.resident),
        human(job.heap.peak),
        share(job.share()),
        job.max.to_string(),
        job.heap.refused.to_string(),
        job.heap.would_refuse.to_string(),
        escape::for_terminal(&job.path),
    ]
}

/// What an older kernel does not say is unknown.
pub(crate) fn known(bytes: Option<u64>) -> String {
    bytes.map_or("?".into(), human)
}

fn share(share: Option<f64>) -> String {
    share.map_or("-".into(), |share| format!("{share:.1}"))
}
