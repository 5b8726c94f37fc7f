// SPDX-License-Identifier: GPL-2.0-only

//! The `format` file of an event: where its fields are.

use crate::error::TraceError;
use std::collections::HashMap;
use std::ops::Range;

/// Of one kind of event, or of the head of a page, which has no id.
#[derive(Debug, Default)]
pub(super) struct Format {
    pub(super) id: Option<u16>,
    fields: HashMap<String, Field>,
}

#[derive(Debug)]
struct Field {
    range: Range<usize>,
    /// Are there but length and offset, of what is elsewhere in the record?
    is_located: bool,
}

impl Format {
    pub(super) fn parse(text: &str) -> Self {
        let mut format = Self::default();
        for line in text.lines().map(str::trim) {
            if let Some(id) = line.strip_prefix("ID:") {
                format.id = id.trim().parse().ok();
            } else if let Some((name, field)) = field(line) {
                format.fields.insert(name, field);
            }
        }
        format
    }

    /// Where a field is.
    pub(super) fn range(&self, name: &str) -> Result<Range<usize>, TraceError> {
        let field = self.fields.get(name);
        let range = field.map(|field| field.range.clone());
        range.ok_or_else(|| TraceError::Format(format!("there is no field '{name}'")))
    }

    /// A field that is a number of any size.
    pub(super) fn number(&self, record: &[u8], name: &str) -> Option<u64> {
        number(record.get(self.fields.get(name)?.range.clone())?)
    }

    /// A field that is text, up to its NUL.
    pub(super) fn text(&self, record: &[u8], name: &str) -> Option<String> {
        let field = self.fields.get(name)?;
        let mut bytes = record.get(field.range.clone())?;
        if field.is_located {
            let location = number(bytes)? as usize;
            let (offset, length) = (location & 0xffff, location >> 16);
            bytes = record.get(offset..offset + length)?;
        }
        let text = bytes.split(|&byte| byte == 0).next()?;
        Some(String::from_utf8_lossy(text).into_owned())
    }
}

/// A line `field:char comm[16]; offset:8; size:16; signed:0;`, with tabs between its parts.
fn field(line: &str) -> Option<(String, Field)> {
    let mut parts = line.split(';').map(str::trim);
    let declaration = parts.next()?.strip_prefix("field:")?;
    let offset: usize = parts.next()?.strip_prefix("offset:")?.parse().ok()?;
    let size: usize = parts.next()?.strip_prefix("size:")?.parse().ok()?;
    let (_, name) = declaration.rsplit_once([' ', '*'])?;
    let name = name.split('[').next()?;
    let field = Field {
        range: offset..offset.checked_add(size)?,
        is_located: declaration.starts_with("__data_loc "),
    };
    Some((name.to_string(), field))
}

/// As the machine has it.
fn number(bytes: &[u8]) -> Option<u64> {
    Some(match *bytes {
        [a] => a.into(),
        [a, b] => u16::from_ne_bytes([a, b]).into(),
        [a, b, c, d] => u32::from_ne_bytes([a, b, c, d]).into(),
        _ => u64::from_ne_bytes(bytes.try_into().ok()?),
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As the kernel writes it; tests/heaptop compares with what it does write.
    pub(crate) const REFUSED: &str = "\
name: heap_refused
ID: 514
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:unsigned char common_flags;	offset:2;	size:1;	signed:0;
	field:unsigned char common_preempt_count;	offset:3;	size:1;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;

	field:char comm[16];	offset:8;	size:16;	signed:0;
	field:int pid;	offset:24;	size:4;	signed:1;
	field:unsigned int uid;	offset:28;	size:4;	signed:0;
	field:__data_loc char[] what;	offset:32;	size:4;	signed:0;
	field:unsigned long request;	offset:40;	size:8;	signed:0;
	field:unsigned long usage;	offset:48;	size:8;	signed:0;
	field:unsigned long limit;	offset:56;	size:8;	signed:0;
	field:__data_loc char[] policy;	offset:64;	size:4;	signed:0;

print fmt: \"comm=%s what=%s policy=%s\", REC->comm, __get_str(what), __get_str(policy)
";

    /// A record of that format.
    pub(crate) fn record(comm: &[u8; 16]) -> Vec<u8> {
        let mut record = Vec::new();
        record.extend(514u16.to_ne_bytes());
        record.extend([0; 6]);
        record.extend(comm);
        for field in [42u32, 1000, (5 << 16) | 75, 0] {
            record.extend(field.to_ne_bytes());
        }
        for field in [204_804u64, 3072, 65_536] {
            record.extend(field.to_ne_bytes());
        }
        record.extend(((7u32 << 16) | 68).to_ne_bytes());
        record.extend(b"commit\0mmap\0");
        record
    }

    #[test]
    fn fields() {
        let format = Format::parse(REFUSED);
        let record = record(b"a pid=1\nb\0\0\0\0\0\0\0");
        assert_eq!(format.id, Some(514));
        assert_eq!(format.number(&record, "common_type"), Some(514));
        assert_eq!(format.number(&record, "pid"), Some(42));
        assert_eq!(format.number(&record, "request"), Some(204_804));
        assert_eq!(format.text(&record, "comm"), Some("a pid=1\nb".into()));
        assert_eq!(format.text(&record, "policy"), Some("commit".into()));
        assert_eq!(format.text(&record, "what"), Some("mmap".into()));
        assert_eq!(format.number(&record, "none"), None);
        assert_eq!(format.number(&record[..30], "request"), None);
        assert_eq!(format.range("usage").unwrap(), 48..56);
        assert!(format.range("none").is_err());
    }

    #[test]
    fn text_that_fills_its_field() {
        let format = Format::parse(REFUSED);
        let record = record(b"0123456789abcdef");
        assert_eq!(
            format.text(&record, "comm"),
            Some("0123456789abcdef".into())
        );
    }

    proptest! {
        #[test]
        fn never_panics(text in any::<String>(), bytes in any::<Vec<u8>>()) {
            Format::parse(&text);
            let format = Format::parse(REFUSED);
            for name in ["comm", "pid", "policy", "what"] {
                format.number(&bytes, name);
                format.text(&bytes, name);
            }
        }

        #[test]
        fn never_panics_by_a_location(location in any::<u32>()) {
            let mut record = record(b"0123456789abcdef");
            record[64..68].copy_from_slice(&location.to_ne_bytes());
            Format::parse(REFUSED).text(&record, "policy");
        }
    }
}
