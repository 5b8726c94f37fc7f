// SPDX-License-Identifier: GPL-2.0-only

//! The live view: the table, anew every so often, and keys as in top.

mod details;
pub(crate) mod help;
mod history;
mod keys;
mod prompt;
mod screen;
mod view;

use crate::error::Error;
use crate::source::machine::Machine;
use crate::ui::signals::{self, Signals};
use ratatui::crossterm::event;
use rustix::event::{PollFd, PollFlags};
use screen::Screen;
use signal_hook::consts::SIGWINCH;
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::time::{Duration, Instant};
pub(crate) use view::Settings;
use view::View;

/// Until q or a signal.
pub(crate) fn live(machine: &Machine, settings: Settings) -> Result<ExitCode, Error> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(Error::NoTerminal);
    }
    let mut signals = Signals::catch()?;
    signals.wake_by(SIGWINCH)?;
    let mut view = View::new(machine, settings)?;
    let mut screen = Screen::open()?;
    let mut looked = Instant::now();
    while !view.quits && !signals.ended() {
        screen.draw(|frame| view.draw(frame))?;
        let due = looked + view.settings.delay;
        if !wait(&signals, due.saturating_duration_since(Instant::now()))? {
            break;
        }
        signals.drain();
        while event::poll(Duration::ZERO)? {
            keys::event(&mut view, &event::read()?);
        }
        if view.suspends {
            view.suspends = false;
            screen = screen.suspend()?;
        }
        if view.stale || Instant::now() >= looked + view.settings.delay {
            view.look()?;
            looked = Instant::now();
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// For a key, a signal, or so long. False if the terminal is gone.
fn wait(signals: &Signals, left: Duration) -> Result<bool, Error> {
    let stdin = io::stdin();
    let mut fds = [
        PollFd::new(&stdin, PollFlags::IN),
        PollFd::new(signals, PollFlags::IN),
    ];
    signals::poll(&mut fds, Some(left))?;
    Ok(!fds[0].revents().intersects(PollFlags::HUP | PollFlags::ERR))
}
