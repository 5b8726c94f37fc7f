// SPDX-License-Identifier: GPL-2.0-only

//! Events of the limit, from records of the trace.

use crate::error::TraceError;
use crate::model::event::Event;
use crate::source::trace::format::Format;
use crate::source::trace::instance;
use std::collections::HashMap;
use std::time::SystemTime;

const KINDS: [&str; 3] = ["refused", "would_refuse", "crossed"];
/// What an event must have.
const FIELDS: [&str; 8] = [
    "comm", "pid", "uid", "what", "request", "usage", "limit", "policy",
];
/// The field of all records that tells the kind of event.
const ID: &str = "common_type";

/// The formats, by the ids that the kernel gave them.
#[derive(Debug)]
pub(super) struct Decoder {
    formats: HashMap<u16, (&'static str, Format)>,
}

impl Decoder {
    pub(super) fn read() -> Result<Self, TraceError> {
        let file = |kind| instance::read(&format!("events/heap_limit/heap_{kind}/format"));
        let formats = KINDS.map(|kind| Ok((kind, file(kind)?)));
        Self::parse(formats.into_iter().collect::<Result<_, _>>()?)
    }

    fn parse(texts: Vec<(&'static str, String)>) -> Result<Self, TraceError> {
        let mut formats = HashMap::new();
        for (kind, text) in texts {
            let format = Format::parse(&text);
            FIELDS
                .iter()
                .try_for_each(|field| format.range(field).map(drop))?;
            let id = format.id;
            let id = id.ok_or_else(|| TraceError::Format(format!("heap_{kind} has no ID")))?;
            formats.insert(id, (kind, format));
        }
        Ok(Self { formats })
    }

    /// None, if it is no event of the limit.
    pub(super) fn event(&self, time: SystemTime, record: &[u8]) -> Option<Event> {
        // The same in all formats.
        let (_, any) = self.formats.values().next()?;
        let id = any.number(record, ID)?.try_into().ok()?;
        let (kind, format) = self.formats.get(&id)?;
        let number = |name| format.number(record, name);
        let bytes = |name| Some(number(name)?.saturating_mul(1024));
        Some(Event {
            time,
            kind: kind.to_string(),
            pid: number("pid")? as i32,
            uid: number("uid")? as u32,
            command: format.text(record, "comm")?,
            what: format.text(record, "what")?,
            request: bytes("request")?,
            usage: bytes("usage")?,
            limit: bytes("limit")?,
            policy: format.text(record, "policy")?,
            // Kernels that limit processes only have no such field.
            cgroup: number("cgroup").filter(|&id| id != 0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::trace::format::tests::{record, REFUSED};

    fn decoder() -> Decoder {
        let other = REFUSED.replace("514", "515");
        let formats = vec![("refused", REFUSED.to_string()), ("crossed", other)];
        Decoder::parse(formats).unwrap()
    }

    #[test]
    fn each_field() {
        let event = decoder().event(
            SystemTime::UNIX_EPOCH,
            &record(b"python3\0\0\0\0\0\0\0\0\0"),
        );
        let event = event.unwrap();
        let expected = Event {
            time: SystemTime::UNIX_EPOCH,
            kind: "refused".into(),
            pid: 42,
            uid: 1000,
            command: "python3".into(),
            what: "mmap".into(),
            request: 204_804 << 10,
            usage: 3072 << 10,
            limit: 65_536 << 10,
            policy: "commit".into(),
            cgroup: None,
        };
        assert_eq!(event, expected);
    }

    #[test]
    fn whose_limit() {
        // Where it is in the kernel's, behind all others.
        let field = "\tfield:u64 cgroup;\toffset:72;\tsize:8;\tsigned:0;\n\nprint";
        let decoder = Decoder::parse(vec![("refused", REFUSED.replace("\nprint", field))]);
        let decoder = decoder.unwrap();
        let mut record = record(b"0123456789abcdef");
        for (id, expected) in [(0u64, None), (4711, Some(4711))] {
            record[72..80].copy_from_slice(&id.to_ne_bytes());
            let event = decoder.event(SystemTime::UNIX_EPOCH, &record).unwrap();
            assert_eq!(event.cgroup, expected);
        }
    }

    #[test]
    fn other_kinds() {
        let mut record = record(b"0123456789abcdef");
        record[0..2].copy_from_slice(&515u16.to_ne_bytes());
        assert_eq!(
            decoder()
                .event(SystemTime::UNIX_EPOCH, &record)
                .unwrap()
                .kind,
            "crossed"
        );
        record[0..2].copy_from_slice(&516u16.to_ne_bytes());
        assert_eq!(decoder().event(SystemTime::UNIX_EPOCH, &record), None);
        assert_eq!(decoder().event(SystemTime::UNIX_EPOCH, &[]), None);
    }

    #[test]
    fn formats_that_lack_something() {
        let refusal = |text: String| {
            Decoder::parse(vec![("refused", text)])
                .unwrap_err()
                .to_string()
        };
        assert!(refusal(REFUSED.replace(" uid;", " gid;")).ends_with("there is no field 'uid'"));
        assert!(refusal(REFUSED.replace("ID: 514", "")).ends_with("heap_refused has no ID"));
    }
}
