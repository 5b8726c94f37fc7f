// SPDX-License-Identifier: GPL-2.0-only

//! Numbers of bytes, as people write and read them.

use thiserror::Error;

/// What is no number of bytes.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum BadSize {
    #[error("invalid size '{0}': use bytes, or a suffix as in 64M, 64Mi, 1.5GiB")]
    Invalid(String),
    #[error("'{0}' is more than 64 bits hold")]
    TooLarge(String),
}

const PREFIXES: &str = "KMGTPE";

/// For a table: three digits or four, and a unit of 1024, as free -h has them.
pub(crate) fn human(bytes: u64) -> String {
    if bytes < 1024 {
        return format!("{bytes}B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut prefixes = PREFIXES.chars();
    let mut prefix = prefixes.next().unwrap_or_default();
    // What would be rounded to 1024 is 1.0 of the next.
    while value >= 1023.5 {
        value /= 1024.0;
        prefix = prefixes.next().unwrap_or_default();
    }
    if value < 9.95 {
        format!("{value:.1}{prefix}i")
    } else {
        format!("{value:.0}{prefix}i")
    }
}

/// As util-linux takes sizes, and as `human` writes them: bytes, also as B, or with K, Ki
/// or KiB (1024), KB (1000), and so on to E; with such a suffix, also a fraction.
pub(crate) fn parse(text: &str) -> Result<u64, BadSize> {
    let invalid = || BadSize::Invalid(text.to_string());
    let too_large = || BadSize::TooLarge(text.to_string());
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let unit = unit(suffix).ok_or_else(invalid)?;
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) if unit > 1 && digits(fraction) && fraction.len() <= 18 => {
            (whole, fraction)
        }
        Some(_) => return Err(invalid()),
        None => (number, "0"),
    };
    if !digits(whole) {
        return Err(invalid());
    }
    let whole: u64 = whole.parse().map_err(|_| too_large())?;
    let part: u128 = fraction.parse().map_err(|_| invalid())?;
    let bytes = u128::from(whole) * u128::from(unit)
        + part * u128::from(unit) / 10u128.pow(fraction.len() as u32);
    u64::try_from(bytes).map_err(|_| too_large())
}

/// The bytes that a suffix stands for.
fn unit(suffix: &str) -> Option<u64> {
    let prefix = match suffix {
        "" | "B" | "b" => return Some(1),
        _ => suffix.chars().next()?,
    };
    let power = PREFIXES.find(prefix.to_ascii_uppercase())? as u32 + 1;
    match &suffix[1..] {
        "" | "i" | "iB" | "ib" => Some(1024u64.pow(power)),
        "B" | "b" => Some(1000u64.pow(power)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn human_sizes() {
        for (bytes, shown) in [
            (0, "0B"),
            (1023, "1023B"),
            (1024, "1.0Ki"),
            (10_188, "9.9Ki"),
            (10_189, "10Ki"),
            (1_048_063, "1023Ki"),
            (1_048_064, "1.0Mi"),
            (64 << 20, "64Mi"),
            (3 << 29, "1.5Gi"),
            (u64::MAX, "16Ei"),
        ] {
            assert_eq!(human(bytes), shown, "{bytes}");
        }
    }

    #[test]
    fn parsed_sizes() {
        for (text, bytes) in [
            ("0", 0),
            ("4096", 4096),
            ("64M", 64 << 20),
            ("64m", 64 << 20),
            ("64Mi", 64 << 20),
            ("1023B", 1023),
            ("64MiB", 64 << 20),
            ("64MB", 64_000_000),
            ("1.5G", 3 << 29),
            ("0.5K", 512),
            ("1E", 1 << 60),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn refused_sizes() {
        for text in [
            "",
            " 1",
            "1 ",
            "-1",
            "+1",
            "M",
            ".5M",
            "1.M",
            "1.5",
            "1.2.3M",
            "1X",
            "1.5B",
            "1Bi",
            "1MiBs",
            "1é",
            "16E",
            "18446744073709551616",
            "0x10",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in any::<String>(), number in "[0-9.]{0,40}[KMGTPEiB]{0,4}") {
            let _ = parse(&text);
            let _ = parse(&number);
        }

        #[test]
        fn bytes_are_themselves(bytes in any::<u64>()) {
            prop_assert_eq!(parse(&bytes.to_string()), Ok(bytes));
        }

        #[test]
        fn what_is_written_is_read(bytes in 0..u64::MAX / 2) {
            let read = parse(&human(bytes)).unwrap();
            prop_assert!(read.abs_diff(bytes) as f64 <= bytes as f64 * 0.05);
        }

        #[test]
        fn six_characters_at_most(bytes in any::<u64>()) {
            prop_assert!(human(bytes).len() <= 6);
        }
    }
}
