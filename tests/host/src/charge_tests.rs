// SPDX-License-Identifier: GPL-2.0-only

//! The arithmetic of the limit over the whole range of its arguments.

use crate::charge::{account, may_expand, RLIM_INFINITY};
use proptest::prelude::*;

/// 4 KiB, 16 KiB and 64 KiB pages.
const PAGE_SHIFTS: [usize; 3] = [12, 14, 16];

/// Anything, with the ends of the range as likely as its middle.
fn edgy() -> impl Strategy<Value = usize> {
    prop_oneof![
        any::<usize>(),
        0usize..64,
        (0usize..64).prop_map(|n| usize::MAX - n),
        (0u32..64, 0usize..3).prop_map(|(bit, n)| (1usize << bit).wrapping_add(n).wrapping_sub(1)),
    ]
}

fn page_shift() -> impl Strategy<Value = usize> {
    prop::sample::select(&PAGE_SHIFTS[..])
}

/// `total + npages` pages are at most `limit` bytes, in arithmetic that cannot wrap.
fn fits(total: usize, npages: usize, limit: usize, page_shift: usize) -> bool {
    ((total as u128 + npages as u128) << page_shift) <= limit as u128
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn growth_passes_exactly_if_it_fits(
        total in edgy(), npages in edgy(), limit in edgy(), shift in page_shift(),
    ) {
        prop_assume!(npages != 0 && limit != RLIM_INFINITY);
        prop_assert_eq!(
            may_expand(total, npages, limit, shift),
            fits(total, npages, limit, shift)
        );
    }

    #[test]
    fn no_growth_always_passes(total in edgy(), limit in edgy(), shift in page_shift()) {
        prop_assert!(may_expand(total, 0, limit, shift));
    }

    #[test]
    fn infinity_never_refuses(total in edgy(), npages in edgy(), shift in page_shift()) {
        prop_assert!(may_expand(total, npages, RLIM_INFINITY, shift));
    }

    #[test]
    fn at_the_limit_and_a_page_around_it(
        total in 0usize..1 << 40, npages in 1usize..1 << 40, rest in 0usize..4096,
    ) {
        let limit = ((total + npages) << 12) + rest;
        prop_assert!(may_expand(total, npages, limit, 12));
        prop_assert!(may_expand(total, npages - 1, limit, 12));
        prop_assert!(!may_expand(total, npages + 1, limit, 12));
    }

    #[test]
    fn account_adds_and_subtracts(total in edgy(), npages: isize) {
        let sum = total as i128 + npages as i128;
        let expected = usize::try_from(sum.max(0)).unwrap_or(usize::MAX);
        prop_assert_eq!(account(total, npages), expected);
    }

    #[test]
    fn what_is_given_back_can_be_taken_again(total in 0usize..1 << 52, npages in 0isize..1 << 52) {
        prop_assert_eq!(account(account(total, npages), -npages), total);
    }
}
