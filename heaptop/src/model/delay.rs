// SPDX-License-Identifier: GPL-2.0-only

//! Times to wait, in seconds.

use std::time::Duration;
use thiserror::Error;

#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("use a number of seconds, 0.1 or more")]
pub struct BadDelay;

/// The least that makes sense.
pub(crate) const LEAST: Duration = Duration::from_millis(100);

/// So long that no clock overflows.
pub(crate) const MOST: Duration = Duration::from_secs(1_000_000_000);

pub(crate) fn parse(text: &str) -> Result<Duration, BadDelay> {
    let seconds = text.parse().map_err(|_| BadDelay)?;
    let delay = Duration::try_from_secs_f64(seconds).map_err(|_| BadDelay)?;
    match (LEAST..=MOST).contains(&delay) {
        true => Ok(delay),
        false => Err(BadDelay),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds() {
        assert_eq!(parse("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("0.1"), Ok(LEAST));
        for text in ["", "0", "-1", "NaN", "inf", "1e30", "1s"] {
            assert_eq!(parse(text), Err(BadDelay), "{text}");
        }
    }
}
