// SPDX-License-Identifier: GPL-2.0-only

//! Policy `addr0` against the table of its rule.

use crate::addr0::classify;
use crate::request::{Change, Class, Request};
use crate::requests::{any_request, BRK, PLAIN};
use proptest::prelude::*;

#[test]
fn brk_is_heap() {
    assert_eq!(classify(&BRK), Class::Heap);
}

#[test]
fn anonymous_memory_anywhere_is_heap() {
    assert_eq!(classify(&PLAIN), Class::Heap);
}

#[test]
fn shared_memory_and_reservations_and_stacks_are() {
    let request = Request {
        accessible: false,
        writable: false,
        shared: true,
        stack: true,
        noreserve: true,
        ..PLAIN
    };
    assert_eq!(classify(&request), Class::Heap);
}

proptest! {
    #[test]
    fn an_address_asked_for_is_not(request in any_request()) {
        let request = Request { change: Change::Mmap, at_address: true, ..request };
        prop_assert_eq!(classify(&request), Class::Other);
    }

    #[test]
    fn huge_pages_are_not(request in any_request()) {
        let request = Request { change: Change::Mmap, huge: true, ..request };
        prop_assert_eq!(classify(&request), Class::Other);
    }

    #[test]
    fn only_new_memory_is(request in any_request()) {
        for change in [Change::Mprotect, Change::OverFiles] {
            prop_assert_eq!(classify(&Request { change, ..request }), Class::Other);
        }
    }

    #[test]
    fn nothing_is_exempt(request in any_request()) {
        prop_assert_ne!(classify(&request), Class::Exempt);
    }
}
