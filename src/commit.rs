// SPDX-License-Identifier: GPL-2.0-only

//! Policy `commit`: anonymous memory is heap from when it first becomes writable.
//!
//! Allocators of today reserve address space that they may never use, by mappings without
//! `PROT_WRITE`, and commit it piece by piece: by `mprotect(2)`, or by mapping it anew with
//! `MAP_FIXED`. That is the moment that counts. Once heap, memory stays heap until it is unmapped
//! or replaced: taking `PROT_WRITE` away gives nothing back, and neither does `madvise(2)`, after
//! which no call says that the memory is used again.
//!
//! Shared memory is free, as that of a memfd is: malloc never maps it, and what servers map so, as
//! the buffers of a database, all of their processes have once.

use crate::request::{Change, Class, Request};

/// What is it?
pub(crate) fn classify(request: &Request) -> Class {
    if request.shared {
        return Class::Other;
    }
    match request.change {
        Change::Brk => Class::Heap,
        Change::Mmap => classify_mmap(request),
        Change::Mprotect => of_writable(request),
        // BSS of a library: the dynamic linker puts it over a part of the library. A reservation
        // is none. HotSpot maps its heap over an archive, of which only a part is a file.
        Change::OverFiles if request.accessible => Class::Exempt,
        Change::OverFiles => Class::Other,
    }
}

fn classify_mmap(request: &Request) -> Class {
    if request.stack {
        return Class::Exempt;
    }
    // The shadow of a sanitizer, terabytes of it. Nobody commits memory like this, while without
    // `MAP_FIXED` it is how jemalloc, mimalloc and V8 get theirs.
    if request.writable && request.replaces && request.noreserve {
        return Class::Exempt;
    }
    of_writable(request)
}

fn of_writable(request: &Request) -> Class {
    if request.writable && !request.stack {
        Class::Heap
    } else {
        Class::Other
    }
}
