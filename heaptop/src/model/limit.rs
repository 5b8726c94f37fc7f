// SPDX-License-Identifier: GPL-2.0-only

//! A limit, a pair of them, and what changes a pair, as prlimit --heap takes it.

use crate::model::size::{self, BadSize};
use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A limit in bytes, or none at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limit(pub(crate) u64);

impl Limit {
    /// As the kernel has it: RLIM_INFINITY.
    pub(crate) const UNLIMITED: Limit = Limit(u64::MAX);

    /// The bytes, if there is a limit.
    pub(crate) fn bytes(self) -> Option<u64> {
        (self != Self::UNLIMITED).then_some(self.0)
    }

    /// The share that is used, in percent; none if there is no limit.
    pub(crate) fn share(self, used: u64) -> Option<f64> {
        match self.bytes()? {
            // Nothing more fits into it.
            0 => Some(100.0),
            bytes => Some(used as f64 * 100.0 / bytes as f64),
        }
    }
}

/// For a table; `{:#}` has exact bytes.
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bytes() {
            None => f.pad("unlimited"),
            Some(bytes) if f.alternate() => write!(f, "{bytes}"),
            Some(bytes) => f.pad(&size::human(bytes)),
        }
    }
}

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.bytes() {
            Some(bytes) => serializer.serialize_u64(bytes),
            None => serializer.serialize_str("unlimited"),
        }
    }
}

impl FromStr for Limit {
    type Err = BadSize;

    fn from_str(text: &str) -> Result<Self, BadSize> {
        match text {
            "unlimited" => Ok(Self::UNLIMITED),
            _ => size::parse(text).map(Limit),
        }
    }
}

/// Limits that no process can have.
#[derive(Debug, Error)]
#[error("the soft limit, {soft:#}, cannot exceed the hard limit, {hard:#}")]
pub struct Beyond {
    soft: Limit,
    hard: Limit,
}

/// What is no change of limits.
#[derive(Debug, Error)]
pub enum BadChange {
    #[error("no limit: use SOFT:HARD, SOFT:, :HARD, or one for both")]
    Nothing,
    #[error(transparent)]
    Size(#[from] BadSize),
}

/// What growth is refused by, and up to where that can be raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) soft: Limit,
    pub(crate) hard: Limit,
}

/// New limits; what is `None` stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    soft: Option<Limit>,
    hard: Option<Limit>,
}

impl Change {
    /// What becomes of `old`.
    pub(crate) fn of(self, old: Limits) -> Result<Limits, Beyond> {
        let new = Limits {
            soft: self.soft.unwrap_or(old.soft),
            hard: self.hard.unwrap_or(old.hard),
        };
        if new.soft > new.hard {
            return Err(Beyond {
                soft: new.soft,
                hard: new.hard,
            });
        }
        Ok(new)
    }
}

/// As it is parsed, in exact bytes.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |limit: Option<Limit>| limit.map_or(String::new(), |limit| format!("{limit:#}"));
        write!(f, "{}:{}", side(self.soft), side(self.hard))
    }
}

/// `SOFT:HARD`, `SOFT:`, `:HARD`, or one for both.
impl FromStr for Change {
    type Err = BadChange;

    fn from_str(text: &str) -> Result<Self, BadChange> {
        let side = |text: &str| match text {
            "" => Ok::<_, BadSize>(None),
            _ => text.parse().map(Some),
        };
        let (soft, hard) = match text.split_once(':') {
            Some((soft, hard)) => (side(soft)?, side(hard)?),
            None => (side(text)?, side(text)?),
        };
        match (soft, hard) {
            (None, None) => Err(BadChange::Nothing),
            _ => Ok(Change { soft, hard }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const M: u64 = 1 << 20;
    const OLD: Limits = Limits {
        soft: Limit(8 * M),
        hard: Limit(16 * M),
    };

    fn changed(text: &str) -> (Limit, Limit) {
        let new = text.parse::<Change>().unwrap().of(OLD).unwrap();
        (new.soft, new.hard)
    }

    #[test]
    fn as_prlimit() {
        let none = Limit::UNLIMITED;
        assert_eq!(changed("64M"), (Limit(64 * M), Limit(64 * M)));
        assert_eq!(changed("1M:2M"), (Limit(M), Limit(2 * M)));
        assert_eq!(changed("1M:"), (Limit(M), Limit(16 * M)));
        assert_eq!(changed(":9M"), (Limit(8 * M), Limit(9 * M)));
        assert_eq!(changed("unlimited"), (none, none));
        assert_eq!(changed("1M:unlimited"), (Limit(M), none));
        assert_eq!(changed("0"), (Limit(0), Limit(0)));
    }

    #[test]
    fn parsed_again() {
        for text in ["64M", "1.5Gi:2G", "1:", ":unlimited", "unlimited"] {
            let change: Change = text.parse().unwrap();
            assert_eq!(change.to_string().parse::<Change>().unwrap(), change);
        }
    }

    #[test]
    fn invalid() {
        for text in ["", ":", "1M:2M:3M", "1M:x", "x", "infinity"] {
            assert!(text.parse::<Change>().is_err(), "{text}");
        }
    }

    #[test]
    fn soft_above_hard() {
        let problem = "2M:1M".parse::<Change>().unwrap().of(OLD).unwrap_err();
        assert_eq!(
            problem.to_string(),
            "the soft limit, 2097152, cannot exceed the hard limit, 1048576"
        );
        assert!("17M:".parse::<Change>().unwrap().of(OLD).is_err());
    }
}
