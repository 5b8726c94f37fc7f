// SPDX-License-Identifier: GPL-2.0-only

//! documents DIR: writes heaptop's man pages and its completions for shells.

use clap::CommandFactory;
use clap_complete::{generate_to, Shell};
use clap_mangen::roff::{roman, Roff};
use clap_mangen::Man;
use heaptop::cli::{Cli, EXAMPLES, KEYS, SECTIONS};
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let Some(directory) = env::args_os().nth(1) else {
        return Err(io::Error::other("usage: documents DIR"));
    };
    let mut command = Cli::command();
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        generate_to(shell, &mut command, "heaptop", &directory)?;
    }
    // Those of run and set, too, and one of all that the next replaces.
    clap_mangen::generate_to(command, &directory)?;
    fs::write(Path::new(&directory).join("heaptop.1"), page()?)
}

/// The main page: the sections have titles of their own here.
fn page() -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let mut command = Cli::command().after_long_help("");
    command.build();
    let man = Man::new(command);
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    man.render_subcommands_section(&mut page)?;
    for (title, text) in SECTIONS {
        Roff::new()
            .control("SH", [title.to_uppercase().as_str()])
            .text([roman(text)])
            .to_writer(&mut page)?;
    }
    for (title, text) in [("KEYS", KEYS), ("EXAMPLES", EXAMPLES)] {
        Roff::new()
            .control("SH", [title])
            .control("nf", [])
            .text([roman(text)])
            .control("fi", [])
            .to_writer(&mut page)?;
    }
    Ok(page)
}
