// SPDX-License-Identifier: GPL-2.0-only

//! The program: what `heaptop::run` says becomes a message and an exit status.

use std::process::ExitCode;

fn main() -> ExitCode {
    let (status, problem) = match heaptop::cli::Cli::read() {
        Ok(cli) => heaptop::run(cli),
        Err(status) => (status, None),
    };
    match problem {
        Some(error) if error.is_broken_pipe() => end_by_sigpipe(),
        Some(error) => eprintln!("heaptop: {error}"),
        None => (),
    }
    status
}

/// As a program ends that does not ignore the signal, which Rust does: `heaptop | head -1`.
fn end_by_sigpipe() {
    let _ = signal_hook::low_level::emulate_default_handler(libc::SIGPIPE);
}
