// SPDX-License-Identifier: GPL-2.0-only

//! heaptop shows what RLIMIT_HEAP limits: the heaps of processes, their limits, and
//! what was refused. A library, so that examples/documents.rs has the options, too.
//!
//! What is read (`source`), what it is (`model`), how it is written (`output`) and how it
//! goes on (`ui`) know only what is before them; tests/layers.rs sees to that.

pub mod cli;
mod error;
mod model;
mod output;
mod run;
mod source;
mod ui;

use cli::{Cli, Command, View};
pub use error::Error;
use model::filter::Filter;
use model::group::By;
use model::rows::Look;
use source::machine::Machine;
use std::process::ExitCode;
use std::time::Duration;
use ui::batch::{Batch, Format};
use ui::live::Settings;
use ui::watch::Watch;

/// Between two looks, if nobody says it.
const DELAY: Duration = Duration::from_secs(2);

/// Does what the command line says. An error is what to tell the user, in one line.
pub fn run(cli: Cli) -> (ExitCode, Option<Error>) {
    let result = match cli.command {
        Some(Command::Run(command)) => return run::run(&command),
        Some(Command::Set { pid, heap }) => run::set(pid, heap).map(|()| ExitCode::SUCCESS),
        None => view(cli.view),
    };
    match result {
        Ok(status) => (status, None),
        Err(error) => (ExitCode::FAILURE, Some(error)),
    }
}

fn view(view: View) -> Result<ExitCode, Error> {
    let machine = Machine::open(view.sysroot.clone())?;
    let filter = filter(&view, &machine)?;
    if view.watch {
        let watch = Watch {
            filter,
            json: view.json,
            count: view.count,
            timeout: view.timeout,
        };
        return ui::watch::watch(&machine, &watch);
    }
    let format = match (view.json, view.openmetrics) {
        (true, _) => Format::Json,
        (_, true) => Format::OpenMetrics,
        _ => Format::Table,
    };
    let look = Look {
        by: match (view.cgroups, view.group_by, format) {
            (true, ..) => By::Job,
            (_, Some(by), _) => by,
            // Of processes, there would be new labels every second.
            (.., Format::OpenMetrics) => By::Unit,
            _ => By::Process,
        },
        key: view.sort,
        reverse: view.reverse,
        full: view.full,
    };
    match view.delay {
        Some(delay) if !view.batch => {
            let settings = Settings {
                filter,
                look,
                delay,
            };
            ui::live::live(&machine, settings)
        }
        delay => {
            let batch = Batch {
                filter,
                look,
                format,
                delay: delay.unwrap_or(DELAY),
                count: if view.batch { view.count } else { Some(1) },
            };
            batch.run(&machine)
        }
    }
}

fn filter(view: &View, machine: &Machine) -> Result<Filter, Error> {
    let user = view.user.clone();
    let user = user.map(|name| Ok::<_, Error>((machine.users.uid(&name)?, name)));
    Ok(Filter {
        pids: view.pid.clone(),
        user: user.transpose()?,
        command: view.command.clone(),
        full: view.full,
        limited: view.limited,
        group: None,
    })
}
