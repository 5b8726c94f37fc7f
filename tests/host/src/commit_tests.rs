// SPDX-License-Identifier: GPL-2.0-only

//! Policy `commit` against the table of its rules.

use crate::commit::classify;
use crate::request::{Change, Class, Request};
use crate::requests::{any_request, PLAIN};
use proptest::prelude::*;

const RESERVATION: Request = Request {
    accessible: false,
    writable: false,
    ..PLAIN
};

/// By `mprotect(2)`.
const COMMITTED: Request = Request {
    change: Change::Mprotect,
    ..PLAIN
};

/// BSS of a library, as the dynamic linker lays it out.
const BSS: Request = Request {
    change: Change::OverFiles,
    ..PLAIN
};

#[test]
fn huge_pages_are_charged() {
    let request = Request {
        huge: true,
        ..PLAIN
    };
    assert_eq!(classify(&request), Class::Heap);
}

#[test]
fn a_reservation_is_not_yet() {
    assert_eq!(classify(&RESERVATION), Class::Other);
    let readable = Request {
        accessible: true,
        ..RESERVATION
    };
    assert_eq!(classify(&readable), Class::Other);
}

#[test]
fn noreserve_alone_exempts_nothing() {
    let noreserve = Request {
        noreserve: true,
        ..PLAIN
    };
    assert_eq!(classify(&noreserve), Class::Heap);
}

#[test]
fn a_commit_over_a_reservation_is_charged() {
    let fixed = Request {
        replaces: true,
        at_address: true,
        ..PLAIN
    };
    assert_eq!(classify(&fixed), Class::Heap);
}

#[test]
fn bss_of_a_library_is_exempt() {
    assert_eq!(classify(&BSS), Class::Exempt);
    let read_only = Request {
        writable: false,
        ..BSS
    };
    assert_eq!(classify(&read_only), Class::Exempt);
}

#[test]
fn a_reservation_over_a_file_is_no_bss() {
    let reservation = Request {
        accessible: false,
        writable: false,
        ..BSS
    };
    assert_eq!(classify(&reservation), Class::Other);
}

#[test]
fn a_shadow_is_exempt_only_if_writable() {
    let shadow = Request {
        replaces: true,
        noreserve: true,
        ..PLAIN
    };
    assert_eq!(classify(&shadow), Class::Exempt);
    let gap = Request {
        replaces: true,
        noreserve: true,
        ..RESERVATION
    };
    assert_eq!(classify(&gap), Class::Other);
}

#[test]
fn mprotect_charges_what_becomes_writable() {
    assert_eq!(classify(&COMMITTED), Class::Heap);
    let stack = Request {
        stack: true,
        ..COMMITTED
    };
    assert_eq!(classify(&stack), Class::Other);
}

proptest! {
    /// And leaves no mark: its page tables are shared where marks are the same.
    #[test]
    fn shared_memory_is_free(request in any_request()) {
        prop_assert_eq!(classify(&Request { shared: true, ..request }), Class::Other);
    }

    #[test]
    fn a_stack_is_exempt(request in any_request()) {
        let request = Request { change: Change::Mmap, shared: false, stack: true, ..request };
        prop_assert_eq!(classify(&request), Class::Exempt);
    }

    #[test]
    fn what_is_not_writable_is_not_charged(request in any_request()) {
        prop_assume!(request.change != Change::Brk);
        prop_assert_ne!(classify(&Request { writable: false, ..request }), Class::Heap);
    }
}
