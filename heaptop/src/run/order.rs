// SPDX-License-Identifier: GPL-2.0-only

//! What to run, as the command line says it.

use crate::model::limit::{Change, Limit};
use clap::Args;
use std::ffi::OsString;
use std::path::PathBuf;

/// A command, and its limits.
#[derive(Args, Debug)]
pub struct Order {
    /// Of each process: SOFT:HARD, SOFT:, :HARD, or one for both, as 64M or unlimited; see
    /// heaptop --help
    #[arg(
        short = 'H',
        long,
        value_name = "LIMITS",
        required_unless_present_any = ["job", "into"]
    )]
    pub heap: Option<Change>,

    /// Of the command and all that it starts, together, as 512M or unlimited: in a cgroup
    /// that is there as long as the command runs
    #[arg(short = 'J', long, value_name = "LIMIT")]
    pub job: Option<Limit>,

    /// Say at the end what the job used at most, and who was refused
    #[arg(long, requires = "job")]
    pub report: bool,

    /// The cgroup to run it in: how --job starts it
    #[arg(long, value_name = "DIR", hide = true, conflicts_with = "job")]
    pub into: Option<PathBuf>,

    /// The command
    pub command: OsString,

    /// Its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<OsString>,
}
