// SPDX-License-Identifier: GPL-2.0-only

//! documents DIR: writes heaptop's man page and its completions for shells.

use clap::CommandFactory;
use clap_complete::{generate_to, Shell};
use std::{env, io};

fn main() -> io::Result<()> {
    let Some(directory) = env::args_os().nth(1) else {
        return Err(io::Error::other("usage: documents DIR"));
    };
    let mut command = heaptop::cli::Cli::command();
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        generate_to(shell, &mut command, "heaptop", &directory)?;
    }
    clap_mangen::generate_to(command, &directory)
}
