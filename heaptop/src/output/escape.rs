// SPDX-License-Identifier: GPL-2.0-only

//! Names as they can be shown: a process chooses its own.

/// For a terminal: what it would not print, or act upon, and the backslash, as Rust
/// writes them.
pub(crate) fn for_terminal(name: &str) -> String {
    let mut shown = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '\'' | '"' => shown.push(character),
            _ => shown.extend(character.escape_debug()),
        }
    }
    shown
}

/// For the value of a label in OpenMetrics, between its quotes.
pub(crate) fn for_label(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn terminal() {
        assert_eq!(for_terminal("a b=c"), "a b=c");
        assert_eq!(for_terminal("it's \"é\""), "it's \"é\"");
        assert_eq!(for_terminal("a\nb\t\\"), "a\\nb\\t\\\\");
        assert_eq!(for_terminal("\x1b[2J\u{9b}m"), "\\u{1b}[2J\\u{9b}m");
        // Turns the direction of what follows.
        assert_eq!(for_terminal("\u{202e}x"), "\\u{202e}x");
    }

    #[test]
    fn label() {
        assert_eq!(for_label("a\\n\"b\"\n"), "a\\\\n\\\"b\\\"\\n");
    }

    proptest! {
        #[test]
        fn nothing_that_acts(name in any::<String>()) {
            prop_assert!(!for_terminal(&name).chars().any(char::is_control));
        }

        #[test]
        fn one_line_without_bare_quotes(value in any::<String>()) {
            let escaped = for_label(&value);
            prop_assert!(!escaped.contains('\n'));
            let bare = escaped.replace("\\\\", "").replace("\\\"", "");
            prop_assert!(!bare.contains('"'));
        }
    }
}
