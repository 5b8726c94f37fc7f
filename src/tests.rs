// SPDX-License-Identifier: GPL-2.0-only

//! What the policies decide, in the kernel that they decide for, by KUnit, and on the host.
//!
//! Linux 6.12 has no `#[kunit_tests]`, and no option for these.

use crate::request::{Change, Request};

/// `malloc()` of something large.
pub(crate) const PLAIN: Request = Request {
    change: Change::Mmap,
    accessible: true,
    writable: true,
    shared: false,
    replaces: false,
    at_address: false,
    stack: false,
    noreserve: false,
    huge: false,
};

pub(crate) const BRK: Request = Request {
    change: Change::Brk,
    ..PLAIN
};

#[cfg_attr(not(test), kernel::prelude::kunit_tests(rlimit_heap))]
mod decisions {
    use super::{BRK, PLAIN};
    use crate::charge::{charge, Charge};
    use crate::request::{Change, Class, Request};
    use crate::{addr0, commit, resident};

    #[test]
    fn of_malloc_all_is_heap() {
        for request in [PLAIN, BRK] {
            assert_eq!(addr0::classify(&request), Class::Heap);
            assert_eq!(commit::classify(&request), Class::Heap);
            assert_eq!(resident::classify(&request), Class::Heap);
        }
    }

    #[test]
    fn addr0_leaves_out_what_has_an_address() {
        let fixed = Request {
            at_address: true,
            ..PLAIN
        };
        assert_eq!(addr0::classify(&fixed), Class::Other);
        assert_eq!(commit::classify(&fixed), Class::Heap);
    }

    #[test]
    fn commit_counts_a_reservation_when_it_becomes_writable() {
        let reserved = Request {
            accessible: false,
            writable: false,
            ..PLAIN
        };
        let committed = Request {
            change: Change::Mprotect,
            ..PLAIN
        };
        assert_eq!(commit::classify(&reserved), Class::Other);
        assert_eq!(commit::classify(&committed), Class::Heap);
        assert_eq!(addr0::classify(&committed), Class::Other);
    }

    #[test]
    fn commit_leaves_out_what_is_shared_stacks_and_bss() {
        let shared = Request {
            shared: true,
            ..PLAIN
        };
        let stack = Request {
            stack: true,
            ..PLAIN
        };
        let bss = Request {
            change: Change::OverFiles,
            ..PLAIN
        };
        assert_eq!(commit::classify(&shared), Class::Other);
        assert_eq!(commit::classify(&stack), Class::Exempt);
        assert_eq!(commit::classify(&bss), Class::Exempt);
    }

    #[test]
    fn up_to_the_limit_and_not_a_page_more() {
        assert_eq!(charge(90, 10, 100), Charge::Within(100));
        assert_eq!(charge(90, 11, 100), Charge::Above(101));
        assert_eq!(charge(200, 0, 100), Charge::Within(200));
        assert_eq!(charge(200, -1, 100), Charge::Within(199));
        assert_eq!(charge(usize::MAX, 1, usize::MAX), Charge::Above(0));
    }

    #[test]
    fn resident_admits_what_fits_with_what_is_there() {
        assert!(resident::admits(60, 40, 100));
        assert!(!resident::admits(60, 41, 100));
        assert!(!resident::admits(usize::MAX, 1, 100));
    }
}
