// SPDX-License-Identifier: GPL-2.0-only

//! What is seen of the processes, and what is selected.

use crate::error::Error;
use crate::model::filter::Filter;
use crate::model::process::Process;
use crate::model::rows::{Look, Rows, Seen};
use crate::model::system::System;
use crate::output::grid::Grid;
use crate::output::{escape, table};
use crate::source::machine::Machine;
use crate::ui::live::details;
use crate::ui::live::help::HELP;
use crate::ui::live::history::History;
use crate::ui::live::prompt::Prompt;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Style, Stylize};
use ratatui::text::Text;
use ratatui::widgets::TableState;
use ratatui::Frame;
use std::time::Duration;

/// What the command line says, and keys change.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) filter: Filter,
    pub(crate) look: Look,
    pub(crate) delay: Duration,
}

/// What is below the two lines at the top.
#[derive(Debug)]
pub(super) enum Pane {
    Rows,
    /// Of a process, as it was last seen.
    Details(Box<Process>),
    Help,
}

pub(super) struct View<'a> {
    pub(super) machine: &'a Machine,
    pub(super) settings: Settings,
    system: System,
    /// What cgroups are shown, while those of one are.
    pub(super) of_jobs: Filter,
    seen: Seen,
    rows: Rows,
    history: History,
    /// By what the selected line is found again.
    selected: Option<String>,
    state: TableState,
    /// Lines for processes, as last drawn.
    page: usize,
    pub(super) pane: Pane,
    pub(super) prompt: Option<Prompt>,
    pub(super) message: Option<String>,
    pub(super) stale: bool,
    pub(super) suspends: bool,
    pub(super) quits: bool,
}

impl<'a> View<'a> {
    pub(super) fn new(machine: &'a Machine, settings: Settings) -> Result<Self, Error> {
        let mut view = Self {
            machine,
            settings,
            system: machine.system(),
            of_jobs: Filter::default(),
            seen: Seen::Processes(Vec::new()),
            rows: Rows::Processes(Vec::new()),
            history: History::default(),
            selected: None,
            state: TableState::new(),
            page: 1,
            pane: Pane::Rows,
            prompt: None,
            message: None,
            stale: false,
            suspends: false,
            quits: false,
        };
        view.look()?;
        Ok(view)
    }

    /// Reads everything anew.
    pub(super) fn look(&mut self) -> Result<(), Error> {
        self.stale = false;
        self.system = self.machine.system();
        let settings = &self.settings;
        self.seen = self.machine.look(&settings.filter, settings.look.by)?;
        self.arrange();
        let Seen::Processes(processes) = &self.seen else {
            return Ok(());
        };
        self.history.record(processes);
        if let Pane::Details(shown) = &mut self.pane {
            match processes.iter().find(|now| now.pid == shown.pid) {
                Some(now) => **shown = now.clone(),
                None => self.message = Some(format!("process {} is gone", shown.pid)),
            }
        }
        Ok(())
    }

    /// Puts what was read in order.
    pub(super) fn arrange(&mut self) {
        self.rows = Rows::new(self.seen.clone(), self.settings.look);
        let selected = self.selected.take();
        let at = selected.and_then(|identity| self.rows.position(&identity));
        self.select(at);
    }

    pub(super) fn select(&mut self, at: Option<usize>) {
        let last = self.rows.len().checked_sub(1);
        let at = at.and_then(|at| last.map(|last| at.min(last)));
        self.selected = at.and_then(|at| self.rows.identity(at));
        self.state.select(at);
    }

    /// The line so many below the selected one; at first, the first that is seen.
    pub(super) fn step(&mut self, step: isize) {
        self.select(Some(match self.state.selected() {
            Some(at) => at.saturating_add_signed(step),
            None => self.state.offset(),
        }));
    }

    pub(super) fn page(&self) -> isize {
        self.page.try_into().unwrap_or(isize::MAX)
    }

    /// The process that keys are about, if one is selected.
    pub(super) fn process(&self) -> Option<&Process> {
        match (&self.pane, &self.rows) {
            (Pane::Details(process), _) => Some(process),
            (_, Rows::Processes(processes)) => processes.get(self.state.selected()?),
            (_, Rows::Groups(..) | Rows::Jobs(_)) => None,
        }
    }

    /// The name of the group, or the path of the cgroup, that is selected.
    pub(super) fn group(&self) -> Option<&String> {
        self.selected
            .as_ref()
            .filter(|_| !matches!(self.rows, Rows::Processes(_)))
    }

    pub(super) fn draw(&mut self, frame: &mut Frame) {
        let [top, rest] =
            Layout::vertical([Constraint::Length(2), Constraint::Fill(1)]).areas(frame.area());
        match &self.pane {
            Pane::Help => return frame.render_widget(Text::raw(HELP), frame.area()),
            Pane::Details(process) => details::draw(frame, rest, process, &self.history),
            Pane::Rows => self.draw_rows(frame, rest),
        }
        self.draw_top(frame, top);
    }

    fn draw_rows(&mut self, frame: &mut Frame, area: Rect) {
        self.page = usize::from(area.height).saturating_sub(1).max(1);
        let width = area.width.into();
        let grid = Grid::new(&self.rows, self.settings.look.full).fitted(width);
        let table = grid
            .table(width, |at| self.is_near(at))
            .highlight_style(Style::new().reversed());
        frame.render_stateful_widget(table, area, &mut self.state);
    }

    /// Is a line above the threshold?
    fn is_near(&self, at: usize) -> bool {
        match (self.rows.share(at), self.system.threshold_percent) {
            (Some(share), Some(threshold)) => share > threshold.into(),
            _ => false,
        }
    }

    fn draw_top(&self, frame: &mut Frame, area: Rect) {
        let second = match (&self.prompt, &self.message) {
            (Some(prompt), _) => {
                let (line, column) = prompt.line();
                let column = u16::try_from(column).unwrap_or(u16::MAX);
                frame.set_cursor_position((area.x.saturating_add(column), area.y + 1));
                line
            }
            (None, Some(message)) => message.clone(),
            (None, None) => self.describe(),
        };
        let lines = [table::summary(&self.system), escape::for_terminal(&second)];
        frame.render_widget(Text::from_iter(lines), area);
    }

    fn describe(&self) -> String {
        if matches!(self.pane, Pane::Details(_)) {
            return "l changes its limits, x sends it a signal, Esc goes back".to_string();
        }
        let look = self.settings.look;
        let what = match &self.rows {
            Rows::Processes(_) => "processes".to_string(),
            Rows::Groups(by, _) => format!("{}s", by.name()),
            Rows::Jobs(_) => "cgroups".to_string(),
        };
        format!(
            "{} {what}: {}; by {}{}; every {} s; h is help",
            self.rows.len(),
            self.settings.filter.describe(),
            look.key.name(),
            if look.reverse { ", reversed" } else { "" },
            self.settings.delay.as_secs_f64()
        )
    }
}
