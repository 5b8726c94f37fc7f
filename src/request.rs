// SPDX-License-Identifier: GPL-2.0-only

//! What a policy is asked about, and what it answers.

/// What is done to a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is new, by `mmap(2)`.
    Mmap,
    /// It is growth of the break, by `brk(2)`. BSS set up by the ELF loader never comes here.
    Brk,
    /// It is private, neither heap nor exempt, and becomes writable by `mprotect(2)`.
    Mprotect,
    /// It is new, and replaces private mappings of files and nothing else.
    OverFiles,
}

/// Anonymous memory, and what is done to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) change: Change,
    /// Not `PROT_NONE`; known of [`Change::OverFiles`], and of what is writable.
    pub(crate) accessible: bool,
    /// `PROT_WRITE`.
    pub(crate) writable: bool,
    /// `MAP_SHARED`.
    pub(crate) shared: bool,
    /// `MAP_FIXED`.
    pub(crate) replaces: bool,
    /// A hint, `MAP_FIXED` or `MAP_FIXED_NOREPLACE`; the kernel rounds hints below one page to 0,
    /// which is none.
    pub(crate) at_address: bool,
    /// `MAP_STACK`, `MAP_GROWSDOWN`, or the main one.
    pub(crate) stack: bool,
    /// `MAP_NORESERVE`.
    pub(crate) noreserve: bool,
    /// `MAP_HUGETLB`.
    pub(crate) huge: bool,
}

/// What a mapping is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Heap.
    Heap,
    /// Not heap, and may become so by `mprotect(2)`.
    Other,
    /// Not heap, whatever is done to it.
    Exempt,
}
