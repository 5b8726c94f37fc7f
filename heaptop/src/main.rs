// SPDX-License-Identifier: GPL-2.0-only

//! The program: what `heaptop::run` says becomes a message and an exit status.

use clap::Parser;
use std::io;
use std::process::ExitCode;

fn main() -> ExitCode {
    match heaptop::run(heaptop::cli::Cli::parse()) {
        Ok(status) => status,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => end_by_sigpipe(),
        Err(error) => {
            eprintln!("heaptop: {error}");
            ExitCode::FAILURE
        }
    }
}

/// As a program ends that does not ignore the signal, which Rust does: `heaptop | head -1`.
fn end_by_sigpipe() -> ExitCode {
    let _ = signal_hook::low_level::emulate_default_handler(libc::SIGPIPE);
    ExitCode::FAILURE
}
