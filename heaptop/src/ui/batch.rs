// SPDX-License-Identifier: GPL-2.0-only

//! What there is, printed once or again and again.

use crate::error::Error;
use crate::model::filter::Filter;
use crate::model::rows::{Look, Rows};
use crate::output::{json, metrics, table};
use crate::source::machine::Machine;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// For whom it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Table,
    Json,
    OpenMetrics,
}

/// What to print, and how often.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) filter: Filter,
    pub(crate) look: Look,
    pub(crate) format: Format,
    pub(crate) delay: Duration,
    /// For ever, if there is none.
    pub(crate) count: Option<u64>,
}

impl Batch {
    pub(crate) fn run(&self, machine: &Machine) -> Result<ExitCode, Error> {
        let mut due = Instant::now();
        let mut printed = 0;
        let mut selected = false;
        while self.count != Some(printed) {
            sleep(due.saturating_duration_since(Instant::now()));
            due = Instant::now() + self.delay;
            selected |= self.print(machine, printed > 0)?;
            printed += 1;
        }
        // As ps has it; but that there is none is what a collector is to know.
        let is_found = selected || self.filter.is_empty() || self.format == Format::OpenMetrics;
        Ok(match is_found {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        })
    }

    /// False if there was nothing but heads. Tables are `apart` from what was before.
    fn print(&self, machine: &Machine, apart: bool) -> Result<bool, Error> {
        let system = machine.system();
        let rows = Rows::new(machine.look(&self.filter, self.look.by)?, self.look);
        let is_something = rows.len() > 0;
        let stdout = io::stdout();
        let width = table::width_of(&stdout);
        let mut out = BufWriter::new(stdout.lock());
        let separator = match (self.format, apart) {
            (Format::Table, true) => "\n",
            _ => "",
        };
        out.write_all(separator.as_bytes()).map_err(Error::Write)?;
        let written = match self.format {
            Format::Table => table::write(&mut out, &system, &rows, self.look.full, width),
            Format::Json => json::write(&mut out, &system, &rows),
            Format::OpenMetrics => out.write_all(metrics::text(system, rows).as_bytes()),
        };
        written.and_then(|()| out.flush()).map_err(Error::Write)?;
        Ok(is_something)
    }
}
