// SPDX-License-Identifier: GPL-2.0-only

//! The tracepoints: each CPU's buffer, as it is, by the formats that the kernel gives.

mod clock;
mod decoder;
mod format;
mod instance;
mod page;

use crate::error::TraceError;
use crate::model::event::Event;
use clock::Clock;
use decoder::Decoder;
use instance::Instance;
use page::Layout;
use rustix::fd::{AsFd, BorrowedFd};
use std::fs::File;
use std::io::{self, Read};

/// What is traced, from when it is opened until it is dropped.
#[derive(Debug)]
pub(crate) struct Trace {
    // Dropped first: the instance stays as long as its pipes are open.
    pipes: Vec<File>,
    _instance: Instance,
    layout: Layout,
    decoder: Decoder,
}

/// What there was to read.
#[derive(Debug)]
pub(crate) struct News {
    /// In the order of their times.
    pub(crate) events: Vec<Event>,
    /// Was there no room for some?
    pub(crate) lost: bool,
}

impl Trace {
    /// All processes.
    pub(crate) fn open() -> Result<Self, TraceError> {
        Self::prepared(|_| Ok(()))
    }

    /// What we start from now on, and what that starts.
    pub(crate) fn of_children() -> Result<Self, TraceError> {
        Self::prepared(|instance| {
            instance.set("options/event-fork", "1")?;
            instance.set("set_event_pid", &std::process::id().to_string())
        })
    }

    fn prepared(
        prepare: impl FnOnce(&Instance) -> Result<(), TraceError>,
    ) -> Result<Self, TraceError> {
        instance::check()?;
        let layout = Layout::read()?;
        let decoder = Decoder::read()?;
        let instance = Instance::create()?;
        // As the system's clock, whatever time of the day it may show.
        instance.set("trace_clock", "boot")?;
        // Wake up for each event, not for a buffer that is half full.
        instance.set("buffer_percent", "0")?;
        prepare(&instance)?;
        let pipes = instance.pipes()?;
        instance.set("events/heap_limit/enable", "1")?;
        Ok(Self {
            pipes,
            _instance: instance,
            layout,
            decoder,
        })
    }

    /// What becomes readable when there are events.
    pub(crate) fn pipes(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.pipes.iter().map(|pipe| pipe.as_fd())
    }

    /// All that there is by now.
    pub(crate) fn read(&mut self) -> Result<News, io::Error> {
        let mut lost = false;
        let mut records = Vec::new();
        let mut buffer = vec![0; self.layout.page_size()];
        for pipe in &mut self.pipes {
            while read_page(pipe, &mut buffer)? {
                let page = self.layout.page(&buffer);
                lost |= page.lost;
                let owned = |(time, record): (u64, &[u8])| (time, record.to_vec());
                records.extend(page.records.into_iter().map(owned));
            }
        }
        records.sort_by_key(|(time, _)| *time);
        let clock = Clock::now();
        let decode =
            |(time, record): &(u64, Vec<u8>)| self.decoder.event(clock.time_of(*time), record);
        let events = records.iter().filter_map(decode).collect();
        Ok(News { events, lost })
    }
}

/// False if there is none.
fn read_page(pipe: &mut File, buffer: &mut [u8]) -> io::Result<bool> {
    buffer.fill(0);
    match pipe.read(buffer) {
        Ok(length) => Ok(length > 0),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error),
    }
}
