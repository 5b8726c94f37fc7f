// SPDX-License-Identifier: GPL-2.0-only

//! A page of a ring buffer: records, and the time between them.
//!
//! The kernel's [`ring_buffer.h`](srctree/include/linux/ring_buffer.h) has the types, and
//! `events/header_page` of tracefs where a page has what.

use crate::error::TraceError;
use crate::source::trace::format::Format;
use crate::source::trace::instance;
use std::ops::Range;

const WORD: usize = 4;
/// Bits of a record's head that are the type or length, the others are time.
const TYPE_BITS: u32 = 5;
const TIME_BITS: u32 = 27;
const PADDING: u32 = 29;
const TIME_EXTEND: u32 = 30;
const TIME_STAMP: u32 = 31;
/// Absolute times have not these; they are as they were.
const STAMP_LACKS: u64 = 0xf8 << 56;
/// In the word that says how much is on the page: there was no room for others.
const MISSED: u64 = 1 << 31;
/// What of that word is the length.
const LENGTH: u64 = (1 << 20) - 1;

/// Where things are on a page.
#[derive(Debug)]
pub(super) struct Layout {
    time: Range<usize>,
    commit: Range<usize>,
    data: Range<usize>,
}

/// What is on a page.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page<'a> {
    /// With their times.
    pub(super) records: Vec<(u64, &'a [u8])>,
    /// Was there no room for some before these?
    pub(super) lost: bool,
}

impl Layout {
    pub(super) fn read() -> Result<Self, TraceError> {
        Self::parse(&instance::read("events/header_page")?)
    }

    fn parse(text: &str) -> Result<Self, TraceError> {
        let format = Format::parse(text);
        Ok(Self {
            time: format.range("timestamp")?,
            commit: format.range("commit")?,
            data: format.range("data")?,
        })
    }

    pub(super) fn page_size(&self) -> usize {
        self.data.end
    }

    pub(super) fn page<'a>(&self, bytes: &'a [u8]) -> Page<'a> {
        let head = |range: &Range<usize>| bytes.get(range.clone()).and_then(word_of_machine);
        let (Some(time), Some(commit)) = (head(&self.time), head(&self.commit)) else {
            return Page::default();
        };
        let end = self.data.start + (commit & LENGTH) as usize;
        let data = bytes.get(self.data.start..end).unwrap_or_default();
        Page {
            records: records(data, time),
            lost: commit & MISSED != 0,
        }
    }
}

fn records(mut data: &[u8], mut time: u64) -> Vec<(u64, &[u8])> {
    let mut records = Vec::new();
    while let Some(record) = Record::first(data) {
        time = record.time_after(time);
        records.extend(record.data.map(|data| (time, data)));
        data = data.get(record.length..).unwrap_or_default();
    }
    records
}

/// What is at one place of a page.
struct Record<'a> {
    kind: u32,
    delta: u64,
    /// The first word after the head.
    first: u64,
    /// None, if it is there for time or room only.
    data: Option<&'a [u8]>,
    /// Of all of it.
    length: usize,
}

impl<'a> Record<'a> {
    /// None, if nothing more is on the page.
    fn first(page: &'a [u8]) -> Option<Self> {
        let (kind, delta) = split(word(page, 0)?);
        let first = word(page, WORD)?;
        let length = WORD
            + match kind {
                // The rest of the page is empty.
                PADDING if delta == 0 => return None,
                0 | PADDING => first as usize,
                TIME_EXTEND | TIME_STAMP => WORD,
                words => words as usize * WORD,
            };
        let data = match kind {
            0 => Some(page.get(2 * WORD..length)?),
            PADDING | TIME_EXTEND | TIME_STAMP => None,
            _ => Some(page.get(WORD..length)?),
        };
        Some(Self {
            kind,
            delta: delta.into(),
            first: first.into(),
            data,
            length,
        })
    }

    fn time_after(&self, time: u64) -> u64 {
        let long = (self.first << TIME_BITS) + self.delta;
        match self.kind {
            TIME_STAMP => long | (time & STAMP_LACKS),
            TIME_EXTEND => time.wrapping_add(long),
            _ => time.wrapping_add(self.delta),
        }
    }
}

/// The type or length of a record, and the time since the one before.
fn split(head: u32) -> (u32, u32) {
    match cfg!(target_endian = "big") {
        true => (head >> TIME_BITS, head & ((1 << TIME_BITS) - 1)),
        false => (head & ((1 << TYPE_BITS) - 1), head >> TYPE_BITS),
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let word = bytes.get(at..at + WORD)?;
    word.try_into().ok().map(u32::from_ne_bytes)
}

fn word_of_machine(bytes: &[u8]) -> Option<u64> {
    match bytes.len() {
        WORD => word(bytes, 0).map(u64::from),
        _ => bytes.try_into().ok().map(u64::from_ne_bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEADER_PAGE: &str = "\
	field: u64 timestamp;	offset:0;	size:8;	signed:0;
	field: local_t commit;	offset:8;	size:8;	signed:1;
	field: int overwrite;	offset:8;	size:1;	signed:1;
	field: char data;	offset:16;	size:4080;	signed:0;
";

    fn head(kind: u32, delta: u32) -> [u8; 4] {
        match cfg!(target_endian = "big") {
            true => ((kind << TIME_BITS) | delta).to_ne_bytes(),
            false => ((delta << TYPE_BITS) | kind).to_ne_bytes(),
        }
    }

    /// A page that begins at time 1000.
    fn page(data: &[u8], flags: u64) -> Vec<u8> {
        let mut page = Vec::new();
        page.extend(1000u64.to_ne_bytes());
        page.extend((data.len() as u64 | flags).to_ne_bytes());
        page.extend(data);
        page.resize(4096, 0);
        page
    }

    fn layout() -> Layout {
        Layout::parse(HEADER_PAGE).unwrap()
    }

    #[test]
    fn each_kind() {
        let mut data = Vec::new();
        data.extend([head(2, 5), *b"8byt", *b"es__"].concat());
        data.extend([head(TIME_EXTEND, 3), 2u32.to_ne_bytes()].concat());
        data.extend([head(0, 1), 8u32.to_ne_bytes(), *b"long"].concat());
        data.extend([head(PADDING, 1), 8u32.to_ne_bytes(), *b"gone"].concat());
        data.extend([head(TIME_STAMP, 7), 1u32.to_ne_bytes()].concat());
        data.extend([head(1, 0), *b"last"].concat());
        data.extend([head(PADDING, 0), [0; 4]].concat());
        let bytes = page(&data, 0);
        let extended = 1000 + 5 + 3 + (2 << 27) + 1;
        let expected: Vec<(u64, &[u8])> = vec![
            (1005, b"8bytes__"),
            (extended, b"long"),
            ((1 << 27) + 7, b"last"),
        ];
        let page = layout().page(&bytes);
        assert_eq!((page.records, page.lost), (expected, false));
    }

    #[test]
    fn lost() {
        let data = [head(1, 0), *b"data"].concat();
        assert!(layout().page(&page(&data, MISSED | (1 << 30))).lost);
        assert_eq!(layout().page(&page(&data, MISSED)).records.len(), 1);
        assert_eq!(layout().page(&[]), Page::default());
        assert_eq!(layout().page_size(), 4096);
    }

    #[test]
    fn unknown_layout() {
        let problem = Layout::parse("").unwrap_err().to_string();
        assert!(
            problem.ends_with("there is no field 'timestamp'"),
            "{problem}"
        );
    }

    proptest! {
        #[test]
        fn never_panics(bytes in any::<Vec<u8>>(), flags in any::<u64>()) {
            layout().page(&bytes);
            layout().page(&page(&bytes, flags));
        }
    }
}
