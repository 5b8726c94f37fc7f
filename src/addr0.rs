// SPDX-License-Identifier: GPL-2.0-only

//! Policy `addr0`: memory is heap that is asked for without an address.
//!
//! The rule of Yang Feng, "Implementation of Dynamic Memory Management Mechanism Based on Linux
//! Kernel": dynamic memory is growth of the break by `brk(2)`, and an anonymous mapping asked for
//! with `addr == 0`. File mappings are not, huge pages included, and neither is BSS, which is
//! anonymous but goes to an address fixed at link time.

use crate::request::{Change, Class, Request};

/// What is it?
///
/// A fixed mapping at address 0, where it is allowed at all, asks for that address like any other.
pub(crate) fn classify(request: &Request) -> Class {
    match request.change {
        Change::Brk => Class::Heap,
        Change::Mmap if !request.at_address && !request.huge => Class::Heap,
        Change::Mmap | Change::Mprotect | Change::OverFiles => Class::Other,
    }
}
