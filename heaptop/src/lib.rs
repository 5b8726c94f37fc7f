// SPDX-License-Identifier: GPL-2.0-only

//! heaptop shows what RLIMIT_HEAP limits: the heaps of processes, their limits, and
//! what was refused. A library, so that examples/documents.rs has the options, too.

pub mod cli;
mod error;
mod escape;
mod event;
mod filter;
mod json;
mod kernel;
mod limit;
mod live;
mod metrics;
mod process;
mod rlimit;
mod run;
mod signals;
mod size;
mod sort;
mod table;
mod trace;
mod users;
mod watch;

use cli::{Cli, Command, View};
use filter::Filter;
use kernel::System;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use users::Users;

/// Does what the command line says. An error is what to tell the user, in one line.
pub fn run(cli: Cli) -> io::Result<ExitCode> {
    kernel::check()?;
    match cli.command {
        Some(Command::Run { heap, command }) => run::run(heap, &command),
        Some(Command::Set { pid, heap }) => run::set(pid, heap).map(|()| ExitCode::SUCCESS),
        None => view(cli.view),
    }
}

fn view(view: View) -> io::Result<ExitCode> {
    let users = Users::read();
    let filter = Filter::new(&view, &users)?;
    if view.watch {
        return watch::watch(&view, &filter, &users);
    }
    if let Some(delay) = view.delay {
        return live::live(delay, view.sort, filter, &users);
    }
    show(&view, &filter, &users)
}

/// What there is now, once.
fn show(view: &View, filter: &Filter, users: &Users) -> io::Result<ExitCode> {
    let system = System::read();
    let mut processes = process::all(filter, users)?;
    sort::sort(&mut processes, view.sort);
    let selected = !processes.is_empty() || filter.is_empty();
    let stdout = io::stdout();
    let width = table::width_of(&stdout);
    let mut out = BufWriter::new(stdout.lock());
    if view.json {
        json::write(&mut out, &system, &processes)?;
    } else if view.openmetrics {
        out.write_all(metrics::text(system, processes).as_bytes())?;
    } else {
        table::write(&mut out, &system, &processes, width)?;
    }
    out.flush()?;
    // As ps has it; but that there is none is what a collector is to know.
    Ok(match selected || view.openmetrics {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
