// SPDX-License-Identifier: GPL-2.0-only

//! Names of signals, as kill(1) takes them.

use signal_hook::low_level::signal_name;

/// The last that has a name.
const LAST: i32 = 31;

/// The number of a signal that is given by number or name, with or without SIG.
pub(crate) fn parse(text: &str) -> Option<i32> {
    let name = text.to_ascii_uppercase();
    let name = name.strip_prefix("SIG").unwrap_or(&name);
    let is_it = |number: &i32| {
        signal_name(*number).is_some_and(|known| known.strip_prefix("SIG") == Some(name))
            || number.to_string() == text
    };
    (1..=LAST).find(is_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        for text in ["15", "TERM", "term", "SIGTERM", "sigterm"] {
            assert_eq!(parse(text), Some(15), "{text}");
        }
        assert_eq!(parse("KILL"), Some(9));
        for text in ["", "0", "99", "-9", "SIG", "NOSUCH"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
