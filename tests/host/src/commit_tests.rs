// SPDX-License-Identifier: GPL-2.0-only

//! Policy `commit` against the table of its rules.

use crate::commit::{classify, exempt_over_files, mprotect_charges, Class, Mmap};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
struct Asked {
    anonymous: bool,
    writable: bool,
    stack: bool,
    noreserve: bool,
    replaces: bool,
}

impl Mmap for Asked {
    fn is_anonymous(&self) -> bool {
        self.anonymous
    }

    fn is_writable(&self) -> bool {
        self.writable
    }

    fn is_stack(&self) -> bool {
        self.stack
    }

    fn is_noreserve(&self) -> bool {
        self.noreserve
    }

    fn replaces(&self) -> bool {
        self.replaces
    }
}

/// `malloc()` of something large.
const PLAIN: Asked = Asked {
    anonymous: true,
    writable: true,
    stack: false,
    noreserve: false,
    replaces: false,
};

const RESERVATION: Asked = Asked {
    writable: false,
    ..PLAIN
};

#[test]
fn writable_memory_is_charged() {
    assert_eq!(classify(&PLAIN), Class::Charged);
}

#[test]
fn a_reservation_is_not_yet() {
    assert_eq!(classify(&RESERVATION), Class::Reserved);
}

#[test]
fn noreserve_alone_exempts_nothing() {
    let noreserve = Asked {
        noreserve: true,
        ..PLAIN
    };
    assert_eq!(classify(&noreserve), Class::Charged);
}

#[test]
fn a_commit_over_a_reservation_is_charged() {
    let fixed = Asked {
        replaces: true,
        ..PLAIN
    };
    assert_eq!(classify(&fixed), Class::Charged);
}

#[test]
fn bss_of_a_library_is_exempt() {
    assert!(exempt_over_files(true));
}

#[test]
fn a_reservation_over_a_file_is_no_bss() {
    assert!(!exempt_over_files(false));
}

#[test]
fn a_shadow_is_exempt_only_if_writable() {
    let shadow = Asked {
        replaces: true,
        noreserve: true,
        ..PLAIN
    };
    assert_eq!(classify(&shadow), Class::Exempt);
    let gap = Asked {
        replaces: true,
        noreserve: true,
        ..RESERVATION
    };
    assert_eq!(classify(&gap), Class::Reserved);
}

#[test]
fn mprotect_charges_what_becomes_writable() {
    assert!(mprotect_charges(true, false));
    assert!(!mprotect_charges(false, false));
    assert!(!mprotect_charges(true, true));
}

fn any_mmap() -> impl Strategy<Value = Asked> {
    any::<[bool; 5]>().prop_map(|[anonymous, writable, stack, noreserve, replaces]| Asked {
        anonymous,
        writable,
        stack,
        noreserve,
        replaces,
    })
}

proptest! {
    #[test]
    fn a_file_is_exempt(mmap in any_mmap()) {
        prop_assert_eq!(classify(&Asked { anonymous: false, ..mmap }), Class::Exempt);
    }

    #[test]
    fn a_stack_is_exempt(mmap in any_mmap()) {
        prop_assert_eq!(classify(&Asked { stack: true, ..mmap }), Class::Exempt);
    }

    #[test]
    fn what_is_not_writable_is_not_charged(mmap in any_mmap()) {
        prop_assert_ne!(classify(&Asked { writable: false, ..mmap }), Class::Charged);
    }
}
