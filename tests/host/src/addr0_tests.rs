// SPDX-License-Identifier: GPL-2.0-only

//! Policy `addr0` against the table of its rule.

use crate::addr0::{is_heap, Request};
use proptest::prelude::*;

fn mmap(addr: usize, fixed: bool, file: bool) -> Request {
    Request::Mmap { addr, fixed, file }
}

#[test]
fn brk_is_heap() {
    assert!(is_heap(&Request::Brk));
}

#[test]
fn anonymous_memory_anywhere_is_heap() {
    assert!(is_heap(&mmap(0, false, false)));
}

#[test]
fn fixed_at_address_zero_is_not() {
    assert!(!is_heap(&mmap(0, true, false)));
}

/// Any address, and 0, the one that matters, as often.
fn addr() -> impl Strategy<Value = usize> {
    prop_oneof![Just(0), any::<usize>()]
}

proptest! {
    #[test]
    fn an_address_asked_for_is_not(addr in 1usize.., fixed: bool, file: bool) {
        prop_assert!(!is_heap(&mmap(addr, fixed, file)));
    }

    #[test]
    fn a_file_is_not(addr in addr(), fixed: bool) {
        prop_assert!(!is_heap(&mmap(addr, fixed, true)));
    }
}
