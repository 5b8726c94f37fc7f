// SPDX-License-Identifier: GPL-2.0-only

//! The terminal as we use it, until it is dropped; ratatui's hook does so in a panic.

use crate::error::Error;
use ratatui::{DefaultTerminal, Frame};
use signal_hook::consts::SIGTSTP;

pub(super) struct Screen {
    terminal: DefaultTerminal,
}

impl Screen {
    pub(super) fn open() -> Result<Self, Error> {
        let terminal = ratatui::try_init().map_err(Error::Terminal)?;
        Ok(Self { terminal })
    }

    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame)) -> Result<(), Error> {
        self.terminal.draw(draw).map_err(Error::Terminal)?;
        Ok(())
    }

    /// Stops us, as the shell expects it, and comes back.
    pub(super) fn suspend(self) -> Result<Self, Error> {
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
