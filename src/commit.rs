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
///
/// It is asked for no more than the answer depends on.
pub(crate) trait Mmap {
    /// No file, or huge pages of none?
    fn is_anonymous(&self) -> bool;
    /// `PROT_WRITE`?
    fn is_writable(&self) -> bool;
    /// `PROT_NONE`?
    fn is_inaccessible(&self) -> bool;
    /// `MAP_STACK` or `MAP_GROWSDOWN`?
    fn is_stack(&self) -> bool;
    /// `MAP_NORESERVE`?
    fn is_noreserve(&self) -> bool;
    /// `MAP_FIXED`?
    fn replaces(&self) -> bool;
    /// Is all that it replaces private mapping of files? This takes looking it up.
    fn replaces_file(&self) -> bool;
}

/// What is the mapping?
pub(crate) fn classify(mmap: &impl Mmap) -> Class {
    if !mmap.is_anonymous() || mmap.is_stack() {
        return Class::Exempt;
    }
    if mmap.replaces() {
        return classify_replacement(mmap);
    }
    if mmap.is_writable() {
        Class::Charged
    } else {
        Class::Reserved
    }
}

/// What is anonymous memory that is mapped by `MAP_FIXED`?
fn classify_replacement(mmap: &impl Mmap) -> Class {
    // BSS of a library, which the dynamic linker puts over a part of the library. HotSpot maps its
    // heap over an archive, of which only a part is a file.
    if !mmap.is_inaccessible() && mmap.replaces_file() {
        return Class::Exempt;
    }
    if !mmap.is_writable() {
        return Class::Reserved;
    }
    // The shadow of a sanitizer, terabytes of it. Nobody commits memory like this, while without
    // `MAP_FIXED` it is how jemalloc, mimalloc and V8 get theirs.
    if mmap.is_noreserve() {
        return Class::Exempt;
    }
    Class::Charged
}

/// Does anonymous memory that is not heap, and not exempt, become heap by `mprotect(2)`?
///
/// A stack is not exempt if it is the main one, or was made before this policy decided.
pub(crate) fn mprotect_charges(makes_writable: bool, stack: bool) -> bool {
    makes_writable && !stack
}
