// SPDX-License-Identifier: GPL-2.0-only

//! Policy `commit` against the table of its rules.

use crate::commit::{classify, mprotect_charges, Class, Mmap};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
struct Asked {
    anonymous: bool,
    writable: bool,
    inaccessible: bool,
    stack: bool,
    noreserve: bool,
    replaces: bool,
    /// `None` if this must not be asked.
    over_file: Option<bool>,
}

impl Mmap for Asked {
    fn is_anonymous(&self) -> bool {
        self.anonymous
    }

    fn is_writable(&self) -> bool {
        self.writable
    }

    fn is_inaccessible(&self) -> bool {
        self.inaccessible
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

    fn replaces_file(&self) -> bool {
        self.over_file.expect("asked what is replaced")
    }
}

/// `malloc()` of something large.
const PLAIN: Asked = Asked {
    anonymous: true,
    writable: true,
    inaccessible: false,
    stack: false,
    noreserve: false,
    replaces: false,
    over_file: None,
};

const RESERVATION: Asked = Asked {
    writable: false,
    inaccessible: true,
    ..PLAIN
};

fn class_over(mmap: &Asked, file: bool) -> Class {
    classify(&Asked {
        over_file: Some(file),
        ..*mmap
    })
}

#[test]
fn writable_memory_is_charged() {
    assert_eq!(classify(&PLAIN), Class::Charged);
}

#[test]
fn a_reservation_is_not_yet() {
    assert_eq!(classify(&RESERVATION), Class::Reserved);
    let readable = Asked {
        inaccessible: false,
        ..RESERVATION
    };
    assert_eq!(classify(&readable), Class::Reserved);
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
    assert_eq!(class_over(&fixed, false), Class::Charged);
}

#[test]
fn bss_of_a_library_is_exempt() {
    let fixed = Asked {
        replaces: true,
        ..PLAIN
    };
    assert_eq!(class_over(&fixed, true), Class::Exempt);
}

#[test]
fn a_reservation_over_a_file_is_no_bss() {
    let fixed = Asked {
        replaces: true,
        ..RESERVATION
    };
    assert_eq!(classify(&fixed), Class::Reserved);
}

#[test]
fn a_shadow_is_exempt_only_if_writable() {
    let shadow = Asked {
        replaces: true,
        noreserve: true,
        ..PLAIN
    };
    assert_eq!(class_over(&shadow, false), Class::Exempt);
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
    (any::<[bool; 5]>(), any::<bool>()).prop_map(
        |([anonymous, writable, stack, noreserve, replaces], none)| Asked {
            anonymous,
            writable,
            inaccessible: none && !writable,
            stack,
            noreserve,
            replaces,
            over_file: None,
        },
    )
}

proptest! {
    #[test]
    fn a_file_is_exempt(mmap in any_mmap(), file: bool) {
        prop_assert_eq!(class_over(&Asked { anonymous: false, ..mmap }, file), Class::Exempt);
    }

    #[test]
    fn a_stack_is_exempt(mmap in any_mmap(), file: bool) {
        prop_assert_eq!(class_over(&Asked { stack: true, ..mmap }, file), Class::Exempt);
    }

    #[test]
    fn what_is_not_writable_is_not_charged(mmap in any_mmap(), file: bool) {
        prop_assert_ne!(class_over(&Asked { writable: false, ..mmap }, file), Class::Charged);
    }
}
