// SPDX-License-Identifier: GPL-2.0-only

//! What keys do.

use crate::error::Error;
use crate::model::delay;
use crate::model::group::By;
use crate::model::limit::{BadChange, Change};
use crate::model::signal;
use crate::model::sort::Key;
use crate::source::{process, rlimit};
use crate::ui::live::prompt::{Next, Prompt, Question};
use crate::ui::live::view::{Pane, View};
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

pub(super) fn event(view: &mut View, event: &Event) {
    let Event::Key(key) = event else { return };
    if key.kind == KeyEventKind::Release {
        return;
    }
    view.message = None;
    match (key.modifiers, key.code) {
        (KeyModifiers::CONTROL, KeyCode::Char('c')) => view.quits = true,
        (KeyModifiers::CONTROL, KeyCode::Char('z')) => view.suspends = true,
        _ => match view.prompt.take() {
            Some(prompt) => prompted(view, prompt, key),
            None => command(view, key.code),
        },
    }
}

fn prompted(view: &mut View, prompt: Prompt, key: &KeyEvent) {
    match prompt.key(key) {
        Next::More(prompt) => view.prompt = Some(prompt),
        Next::Nothing => (),
        Next::Answer(question, answer) => {
            if let Err(problem) = answered(view, question, &answer) {
                view.message = Some(problem);
            }
            view.stale = true;
        }
    }
}

fn command(view: &mut View, key: KeyCode) {
    match view.pane {
        Pane::Help => view.pane = Pane::Rows,
        Pane::Details(_) => in_details(view, key),
        Pane::Rows => in_rows(view, key),
    }
}

fn in_details(view: &mut View, key: KeyCode) {
    match key {
        KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q') => view.pane = Pane::Rows,
        _ => common(view, key),
    }
}

/// What can be done wherever a process is selected.
fn common(view: &mut View, key: KeyCode) {
    match key {
        KeyCode::Char(' ') => view.stale = true,
        KeyCode::Char('l') => ask_about_process(view, Question::Limits),
        KeyCode::Char('x') | KeyCode::F(9) => ask_about_process(view, Question::Signal),
        KeyCode::Char('d') => ask(view, Question::Delay),
        KeyCode::Char('+') => {
            view.settings.delay = view.settings.delay.saturating_mul(2).min(delay::MOST);
        }
        KeyCode::Char('-') => {
            view.settings.delay = (view.settings.delay / 2).max(delay::LEAST);
        }
        _ => (),
    }
}

fn in_rows(view: &mut View, key: KeyCode) {
    let look = &mut view.settings.look;
    match key {
        KeyCode::Char('q') => view.quits = true,
        KeyCode::Char('h' | '?') => view.pane = Pane::Help,
        KeyCode::Char('u') => ask(view, Question::User),
        KeyCode::Char('/') => ask(view, Question::Command),
        KeyCode::Char('c') => look.full = !look.full,
        KeyCode::Char('P') => sort(view, Key::Share),
        KeyCode::Char('M') => sort(view, Key::Used),
        KeyCode::Char('N') => sort(view, Key::Pid),
        KeyCode::Char('<') => sort(view, view.settings.look.key.step(-1)),
        KeyCode::Char('>') => sort(view, view.settings.look.key.step(1)),
        KeyCode::Char('R') => {
            look.reverse = !look.reverse;
            view.arrange();
        }
        KeyCode::Char('g') => {
            let next = look.by.next();
            group(view, next);
        }
        KeyCode::Char('C') => cgroups(view),
        KeyCode::Up | KeyCode::Char('k') => view.step(-1),
        KeyCode::Down | KeyCode::Char('j') => view.step(1),
        KeyCode::PageUp => view.step(-view.page()),
        KeyCode::PageDown => view.step(view.page()),
        KeyCode::Home => view.select(Some(0)),
        KeyCode::End => view.select(Some(usize::MAX)),
        KeyCode::Enter => enter(view),
        KeyCode::Esc => leave(view),
        _ => common(view, key),
    }
}

fn sort(view: &mut View, key: Key) {
    view.settings.look.key = key;
    view.arrange();
}

/// Lines are something else now, and no group is looked into.
fn group(view: &mut View, by: By) {
    let were_jobs = view.settings.look.by == By::Job;
    view.settings.look.by = by;
    view.select(None);
    let in_group = view.settings.filter.group.take().is_some();
    view.stale = in_group || were_jobs || by == By::Job;
    view.arrange();
}

/// Cgroups instead of processes, where there are any; and back.
fn cgroups(view: &mut View) {
    match view.settings.look.by {
        By::Job => group(view, By::Process),
        _ => match view.machine.look(&view.settings.filter, By::Job) {
            Ok(_) => group(view, By::Job),
            Err(error) => view.message = Some(error.to_string()),
        },
    }
}

/// Details of a process, or the processes of a group or cgroup.
fn enter(view: &mut View) {
    if let Some(process) = view.process() {
        view.pane = Pane::Details(Box::new(process.clone()));
    } else if let Some(name) = view.group().cloned() {
        let by = view.settings.look.by;
        let of_jobs = view.settings.filter.clone();
        group(view, By::Process);
        if by == By::Job {
            // What was looked for among cgroups, we do not look for among processes.
            view.settings.filter = of_jobs.of_processes().unwrap_or_default();
            view.of_jobs = of_jobs;
        }
        view.settings.filter.group = Some((by, name));
        view.stale = true;
    } else {
        view.message = Some(SELECT.to_string());
    }
}

/// What is selected, or the group that is looked into.
fn leave(view: &mut View) {
    match view.settings.filter.group.clone() {
        Some((By::Job, _)) => {
            group(view, By::Job);
            view.settings.filter = std::mem::take(&mut view.of_jobs);
        }
        Some((by, _)) => group(view, by),
        None => view.select(None),
    }
}

const SELECT: &str = "select a line first: up, down";

fn ask(view: &mut View, question: Question) {
    view.prompt = Some(Prompt::new(question));
}

fn ask_about_process(view: &mut View, question: fn(i32) -> Question) {
    match view.process().map(|process| process.pid) {
        Some(pid) => ask(view, question(pid)),
        None if view.group().is_some() => {
            view.message = Some("this is of a process: Enter shows those of the group".to_string());
        }
        None => view.message = Some(SELECT.to_string()),
    }
}

/// An error is what to tell.
fn answered(view: &mut View, question: Question, answer: &str) -> Result<(), String> {
    let text = |error: Error| error.to_string();
    match question {
        Question::User => {
            view.settings.filter.user = match answer {
                "" => None,
                name => Some((
                    view.machine.users.uid(name).map_err(text)?,
                    name.to_string(),
                )),
            };
            view.select(None);
        }
        Question::Command => {
            view.settings.filter.command = (!answer.is_empty()).then(|| answer.to_string());
            view.select(None);
        }
        Question::Delay => {
            view.settings.delay = delay::parse(answer).map_err(|error| error.to_string())?;
        }
        Question::Limits(pid) => {
            let change: Change = answer
                .parse()
                .map_err(|error: BadChange| error.to_string())?;
            rlimit::change(pid, change).map_err(text)?;
        }
        Question::Signal(pid) => {
            let name = if answer.is_empty() { "TERM" } else { answer };
            let signal = signal::parse(name);
            let signal = signal.ok_or_else(|| text(Error::NoSignal(name.to_string())))?;
            process::signal(pid, signal).map_err(text)?;
        }
    }
    Ok(())
}
