// SPDX-License-Identifier: GPL-2.0-only

//! The live view: the table, anew every so often, and keys as in top.

use crate::filter::Filter;
use crate::kernel::System;
use crate::process::{self, Process};
use crate::signals::{self, Signals};
use crate::sort::{self, Key};
use crate::users::Users;
use crate::{error, escape, table};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Style, Stylize};
use ratatui::text::{Line, Text};
use ratatui::{DefaultTerminal, Frame};
use rustix::event::{PollFd, PollFlags};
use signal_hook::consts::{SIGTSTP, SIGWINCH};
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::time::{Duration, Instant};

const HELP: &str = "\
q           quit
space       look again now
up, down    scroll by a line; k, j
PgUp, PgDn  scroll by a page
Home, End   to the first, to the last
P           sort by share of the soft limit
M           sort by use
N           sort by pid
<, >        sort by the key before, the key after: share, used, peak, refused, pid
u           only a user; nothing is all
/           only names with a part; nothing is all
h, ?        this

A line is bold above the threshold of the kernel, 90 % of the soft limit
if nobody has changed it. Any key goes back.";

/// Until q or a signal.
pub(crate) fn live(
    delay: Duration,
    key: Key,
    filter: Filter,
    users: &Users,
) -> io::Result<ExitCode> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(io::Error::other("the live view, -d, needs a terminal"));
    }
    let mut signals = Signals::catch()?;
    signals.wake_by(SIGWINCH)?;
    let mut view = View::new(key, filter, users)?;
    let mut screen = Screen::open()?;
    let mut due = Instant::now() + delay;
    while !view.quits && !signals.ended() {
        screen.terminal.draw(|frame| view.draw(frame))?;
        if !wait(&signals, due.saturating_duration_since(Instant::now()))? {
            break;
        }
        signals.drain();
        while event::poll(Duration::ZERO)? {
            view.event(&event::read()?);
        }
        if view.suspends {
            view.suspends = false;
            screen = screen.suspend()?;
        }
        if view.stale || Instant::now() >= due {
            view.look()?;
            due = Instant::now() + delay;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// For a key, a signal, or so long. False if the terminal is gone.
fn wait(signals: &Signals, left: Duration) -> io::Result<bool> {
    let stdin = io::stdin();
    let mut fds = [
        PollFd::new(&stdin, PollFlags::IN),
        PollFd::new(signals, PollFlags::IN),
    ];
    signals::poll(&mut fds, Some(left))?;
    Ok(!fds[0].revents().intersects(PollFlags::HUP | PollFlags::ERR))
}

/// The terminal as we use it, until it is dropped; ratatui's hook does so in a panic.
struct Screen {
    terminal: DefaultTerminal,
}

impl Screen {
    fn open() -> io::Result<Self> {
        let terminal =
            ratatui::try_init().map_err(|e| error::about("cannot use the terminal", &e))?;
        Ok(Self { terminal })
    }

    /// Stops us, as the shell expects it, and comes back.
    fn suspend(self) -> io::Result<Self> {
        drop(self);
        signal_hook::low_level::raise(SIGTSTP)?;
        Self::open()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Where it fails, the terminal is gone.
        let _ = self.terminal.show_cursor();
        let _ = ratatui::try_restore();
    }
}

/// What is asked for in the line at the top.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Question {
    User,
    Command,
}

struct View<'a> {
    key: Key,
    filter: Filter,
    users: &'a Users,
    system: System,
    processes: Vec<Process>,
    /// Processes above the first that is shown.
    above: usize,
    /// Lines for processes, as last drawn.
    page: usize,
    question: Option<(Question, String)>,
    message: Option<String>,
    help: bool,
    stale: bool,
    suspends: bool,
    quits: bool,
}

impl<'a> View<'a> {
    fn new(key: Key, filter: Filter, users: &'a Users) -> io::Result<Self> {
        let mut view = Self {
            key,
            filter,
            users,
            system: System::read(),
            processes: Vec::new(),
            above: 0,
            page: 1,
            question: None,
            message: None,
            help: false,
            stale: false,
            suspends: false,
            quits: false,
        };
        view.look()?;
        Ok(view)
    }

    /// Reads everything anew.
    fn look(&mut self) -> io::Result<()> {
        self.stale = false;
        self.system = System::read();
        self.processes = process::all(&self.filter, self.users)?;
        sort::sort(&mut self.processes, self.key);
        Ok(())
    }

    fn event(&mut self, event: &Event) {
        let Event::Key(key) = event else { return };
        if key.kind == KeyEventKind::Release {
            return;
        }
        self.message = None;
        match (key.modifiers, key.code) {
            (KeyModifiers::CONTROL, KeyCode::Char('c')) => self.quits = true,
            (KeyModifiers::CONTROL, KeyCode::Char('z')) => self.suspends = true,
            _ if self.help => self.help = false,
            _ => match self.question.take() {
                Some((question, text)) => self.answer(question, text, key),
                None => self.command(key.code),
            },
        }
    }

    fn command(&mut self, key: KeyCode) {
        match key {
            KeyCode::Char('q') => self.quits = true,
            KeyCode::Char(' ') => self.stale = true,
            KeyCode::Char('h' | '?') => self.help = true,
            KeyCode::Char('u') => self.question = Some((Question::User, String::new())),
            KeyCode::Char('/') => self.question = Some((Question::Command, String::new())),
            KeyCode::Char('P') => self.sort(Key::Share),
            KeyCode::Char('M') => self.sort(Key::Used),
            KeyCode::Char('N') => self.sort(Key::Pid),
            KeyCode::Char('<') => self.sort(self.key.step(-1)),
            KeyCode::Char('>') => self.sort(self.key.step(1)),
            KeyCode::Up | KeyCode::Char('k') => self.above = self.above.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => self.above += 1,
            KeyCode::PageUp => self.above = self.above.saturating_sub(self.page),
            KeyCode::PageDown => self.above += self.page,
            KeyCode::Home => self.above = 0,
            KeyCode::End => self.above = self.processes.len(),
            _ => (),
        }
    }

    fn sort(&mut self, key: Key) {
        self.key = key;
        sort::sort(&mut self.processes, key);
    }

    /// A key while a question is open.
    fn answer(&mut self, question: Question, mut text: String, key: &KeyEvent) {
        match key.code {
            KeyCode::Enter => return self.answered(question, &text),
            KeyCode::Esc => return,
            KeyCode::Backspace => drop(text.pop()),
            KeyCode::Char(character) if (key.modifiers - KeyModifiers::SHIFT).is_empty() => {
                text.push(character)
            }
            _ => (),
        }
        self.question = Some((question, text));
    }

    fn answered(&mut self, question: Question, text: &str) {
        match question {
            Question::User => self.message = self.filter.set_user(text, self.users).err(),
            Question::Command => self.filter.set_command(text),
        }
        self.above = 0;
        self.stale = true;
    }

    fn draw(&mut self, frame: &mut Frame) {
        if self.help {
            return frame.render_widget(Text::raw(HELP), frame.area());
        }
        let [top, heads, rows] = Layout::vertical([
            Constraint::Length(2),
            Constraint::Length(1),
            Constraint::Fill(1),
        ])
        .areas(frame.area());
        let mut lines = table::lines(&self.processes);
        let processes = lines.split_off(1);
        self.scroll(rows);
        frame.render_widget(self.top(), top);
        frame.render_widget(
            Text::from(lines.concat()).style(Style::new().reversed()),
            heads,
        );
        let shown = processes
            .into_iter()
            .zip(&self.processes)
            .skip(self.above)
            .take(self.page);
        frame.render_widget(
            Text::from_iter(
                shown.map(|(line, process)| row(line, process, self.system.threshold_percent)),
            ),
            rows,
        );
    }

    /// Not beyond the last.
    fn scroll(&mut self, rows: Rect) {
        self.page = usize::from(rows.height).max(1);
        self.above = self
            .above
            .min(self.processes.len().saturating_sub(self.page));
    }

    fn top(&self) -> Text<'static> {
        let second = match (&self.question, &self.message) {
            (Some((Question::User, text)), _) => format!("user (nothing is all): {text}_"),
            (Some((Question::Command, text)), _) => {
                format!("part of the name (nothing is all): {text}_")
            }
            (None, Some(message)) => message.clone(),
            (None, None) => format!(
                "{} processes: {}; by {}; h is help",
                self.processes.len(),
                self.filter.describe(self.users),
                self.key.name()
            ),
        };
        Text::from_iter([table::summary(&self.system), escape::for_terminal(&second)])
    }
}

fn row(line: String, process: &Process, threshold: Option<u32>) -> Line<'static> {
    match (process.share(), threshold) {
        (Some(share), Some(threshold)) if share > threshold.into() => Line::from(line).bold(),
        _ => Line::from(line),
    }
}
