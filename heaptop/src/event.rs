// SPDX-License-Identifier: GPL-2.0-only

//! Events of the tracepoints, from their text.

use std::mem;

/// A name has 15 bytes, each of which may be a newline.
const LINES_OF_EVENT: usize = 16;

/// What happened to growth of a heap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// refused, would_refuse or crossed.
    pub(crate) kind: String,
    pub(crate) pid: i32,
    pub(crate) uid: u32,
    pub(crate) command: String,
    /// What asked for it: brk, mmap, mremap, mprotect or fault.
    pub(crate) what: String,
    /// Bytes asked for.
    pub(crate) request: u64,
    /// Bytes of heap before that.
    pub(crate) used: u64,
    /// Bytes of the soft limit.
    pub(crate) limit: u64,
    pub(crate) policy: String,
}

/// What the text of a trace says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    Event(Event),
    /// How many events there was no room for.
    Lost(u64),
}

/// Makes records of text that comes in pieces.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    /// What has no end yet.
    rest: Vec<u8>,
}

impl Parser {
    /// The records that are complete with `text`.
    pub(crate) fn push(&mut self, text: &[u8]) -> Vec<Record> {
        self.rest.extend_from_slice(text);
        let Some(end) = self.rest.iter().rposition(|&byte| byte == b'\n') else {
            return Vec::new();
        };
        let tail = self.rest.split_off(end + 1);
        let complete = mem::replace(&mut self.rest, tail);
        let complete = String::from_utf8_lossy(&complete);
        let (records, open) = records(&complete);
        self.rest.splice(0..0, open.bytes());
        records
    }
}

/// The records of whole lines, and the lines of one that goes on.
fn records(text: &str) -> (Vec<Record>, &str) {
    let mut records = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let ends = rest
            .match_indices('\n')
            .map(|(at, _)| at)
            .take(LINES_OF_EVENT);
        let first = rest.find('\n').unwrap_or(rest.len());
        let found = ends
            .clone()
            .find_map(|end| Some((record(&rest[..end])?, end)));
        match found {
            Some((record, end)) => {
                records.push(record);
                rest = &rest[end + 1..];
            }
            None if is_event(rest) && ends.count() < LINES_OF_EVENT => break,
            None => rest = &rest[first + 1..],
        }
    }
    (records, rest)
}

const PREFIX: &str = "heap_";

fn is_event(text: &str) -> bool {
    text.trim_start().starts_with(PREFIX)
}

fn record(text: &str) -> Option<Record> {
    event(text)
        .map(Record::Event)
        .or_else(|| lost(text).map(Record::Lost))
}

/// `heap_KIND: comm=COMMAND pid=...`: from the right, as a command may look like fields.
fn event(text: &str) -> Option<Event> {
    let (kind, rest) = text
        .trim_start()
        .strip_prefix(PREFIX)?
        .split_once(": comm=")?;
    let (rest, policy) = field(rest, "policy")?;
    let (rest, limit) = field(rest, "limit")?;
    let (rest, used) = field(rest, "usage")?;
    let (rest, request) = field(rest, "request")?;
    let (rest, what) = field(rest, "what")?;
    let (rest, uid) = field(rest, "uid")?;
    let (command, pid) = field(rest, "pid")?;
    Some(Event {
        kind: kind.to_string(),
        pid: pid.parse().ok()?,
        uid: uid.parse().ok()?,
        command: command.to_string(),
        what: what.to_string(),
        request: bytes(request)?,
        used: bytes(used)?,
        limit: bytes(limit)?,
        policy: policy.to_string(),
    })
}

/// The last field, and what is before it.
fn field<'a>(text: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let (before, last) = text.rsplit_once(' ')?;
    Some((before, last.strip_prefix(name)?.strip_prefix('=')?))
}

fn bytes(kilobytes: &str) -> Option<u64> {
    let number: u64 = kilobytes.strip_suffix("kB")?.parse().ok()?;
    Some(number.saturating_mul(1024))
}

/// `CPU:1 [LOST 5 EVENTS]`.
fn lost(text: &str) -> Option<u64> {
    let (_, rest) = text.strip_prefix("CPU:")?.split_once(" [LOST ")?;
    rest.strip_suffix(" EVENTS]")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(command: &str) -> String {
        format!(
            "heap_refused: comm={command} pid=42 uid=1000 what=mmap request=204804kB \
             usage=3072kB limit=65536kB policy=commit\n"
        )
    }

    fn expected(command: &str) -> Record {
        Record::Event(Event {
            kind: "refused".into(),
            pid: 42,
            uid: 1000,
            command: command.into(),
            what: "mmap".into(),
            request: 204_804 << 10,
            used: 3072 << 10,
            limit: 65_536 << 10,
            policy: "commit".into(),
        })
    }

    #[test]
    fn names_that_look_like_fields() {
        for name in [
            "python3",
            "",
            " ",
            "a pid=1 uid=2",
            "x=y\nz",
            "\n\n\n",
            "heap_refused: co",
        ] {
            assert_eq!(
                Parser::default().push(text(name).as_bytes()),
                [expected(name)],
                "{name:?}"
            );
        }
    }

    #[test]
    fn other_lines() {
        let text = format!("CPU:1 [LOST 5 EVENTS]\n\nwhat else\n{}", text("a"));
        let records = Parser::default().push(text.as_bytes());
        assert_eq!(records, [Record::Lost(5), expected("a")]);
    }

    #[test]
    fn would_refuse() {
        let text = text("a").replace("heap_refused", "heap_would_refuse");
        match &Parser::default().push(text.as_bytes())[..] {
            [Record::Event(event)] => assert_eq!(event.kind, "would_refuse"),
            records => panic!("{records:?}"),
        }
    }

    #[test]
    fn an_event_that_never_ends() {
        let text = format!("heap_refused: comm={}{}", "\n".repeat(20), text("a"));
        assert_eq!(Parser::default().push(text.as_bytes()), [expected("a")]);
    }

    proptest! {
        #[test]
        fn in_pieces(names in prop::collection::vec("[a-z =\n]{0,15}", 1..5), size in 1usize..80) {
            let all: String = names.iter().map(|name| text(name)).collect();
            let mut parser = Parser::default();
            let records: Vec<_> = all.as_bytes().chunks(size).flat_map(|p| parser.push(p)).collect();
            let expected: Vec<_> = names.iter().map(|name| expected(name)).collect();
            prop_assert_eq!(records, expected);
        }

        #[test]
        fn never_panics(pieces in prop::collection::vec(any::<Vec<u8>>(), 0..9)) {
            let mut parser = Parser::default();
            for piece in pieces {
                parser.push(&piece);
            }
        }
    }
}
