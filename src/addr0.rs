// SPDX-License-Identifier: GPL-2.0-only

//! Policy `addr0`: which new mapping is heap.
//!
//! The rule of Yang Feng, "Implementation of Dynamic Memory Management Mechanism Based on Linux
//! Kernel": dynamic memory is growth of the break by `brk(2)`, and an anonymous mapping asked for
//! with `addr == 0`. File mappings are not, and neither is BSS, which is anonymous but goes to an
//! address fixed at link time.

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Request {
    /// Growth of the break by `brk(2)`. BSS set up by the ELF loader never comes here.
    Brk,
    /// A mapping by `mmap(2)`, or that the kernel makes like one.
    Mmap {
        /// The address asked for, in bytes; the kernel rounds hints below one page to 0.
        addr: usize,
        /// The mapping must be at `addr`: `MAP_FIXED` or `MAP_FIXED_NOREPLACE`.
        fixed: bool,
        /// A file is mapped.
        file: bool,
    },
}

/// Is the mapping heap?
///
/// A fixed mapping at address 0, where it is allowed at all, asks for that address like any other.
pub(crate) fn is_heap(request: &Request) -> bool {
    match *request {
        Request::Brk => true,
        Request::Mmap { addr, fixed, file } => !file && !fixed && addr == 0,
    }
}
