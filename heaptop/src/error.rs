// SPDX-License-Identifier: GPL-2.0-only

//! Errors are `io::Error`s whose text is a message for the user.

use std::fmt::Display;
use std::io;

/// `error`, with what it is about before it.
pub(crate) fn about(what: impl Display, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {}", reason(error)))
}

/// The system's words, without the number that Rust adds.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error ") {
        Some((words, _)) => words.to_string(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_numbers() {
        let error = io::Error::from_raw_os_error(libc::EPERM);
        assert_eq!(
            about("process 1", &error).to_string(),
            "process 1: Operation not permitted"
        );
    }
}
