// SPDX-License-Identifier: GPL-2.0-only

//! Policy `commit`: anonymous memory is heap from when it first becomes writable.
//!
//! Allocators of today reserve address space that they may never use, by mappings without
//! `PROT_WRITE`, and commit it piece by piece: by `mprotect(2)`, or by mapping it anew with
//! `MAP_FIXED`. That is the moment that counts. Once heap, memory stays heap until it is unmapped
//! or replaced: taking `PROT_WRITE` away gives nothing back, and neither does `madvise(2)`, after
//! which no call says that the memory is used again.

/// What a mapping is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Heap.
    Charged,
    /// Not heap, and may become so by `mprotect(2)`.
    Reserved,
    /// Not heap, whatever is done to it.
    Exempt,
}

/// A mapping asked for by `mmap(2)`.
pub(crate) trait Mmap {
    /// No file, or huge pages of none?
    fn is_anonymous(&self) -> bool;
    /// `PROT_WRITE`?
    fn is_writable(&self) -> bool;
    /// `MAP_STACK` or `MAP_GROWSDOWN`?
    fn is_stack(&self) -> bool;
    /// `MAP_NORESERVE`?
    fn is_noreserve(&self) -> bool;
    /// `MAP_FIXED`?
    fn replaces(&self) -> bool;
}

/// What is the mapping?
pub(crate) fn classify(mmap: &impl Mmap) -> Class {
    if !mmap.is_anonymous() || mmap.is_stack() {
        return Class::Exempt;
    }
    if !mmap.is_writable() {
        return Class::Reserved;
    }
    // The shadow of a sanitizer, terabytes of it. Nobody commits memory like this, while without
    // `MAP_FIXED` it is how jemalloc, mimalloc and V8 get theirs.
    if mmap.replaces() && mmap.is_noreserve() {
        return Class::Exempt;
    }
    Class::Charged
}

/// Is anonymous memory exempt that replaces private mappings of files, and nothing else?
///
/// BSS of a library is: the dynamic linker puts it over a part of the library. A reservation is
/// none. HotSpot maps its heap over an archive, of which only a part is a file.
pub(crate) fn exempt_over_files(accessible: bool) -> bool {
    accessible
}

/// Does anonymous memory that is not heap, and not exempt, become heap by `mprotect(2)`?
///
/// A stack is not exempt if it is the main one, or was made before this policy decided.
pub(crate) fn mprotect_charges(makes_writable: bool, stack: bool) -> bool {
    makes_writable && !stack
}
