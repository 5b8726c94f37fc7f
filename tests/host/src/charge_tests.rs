// SPDX-License-Identifier: GPL-2.0-only

//! The arithmetic of the limit over the whole range of its arguments.

use crate::charge::{account, judge, may_expand, Verdict};
use proptest::prelude::*;

/// Anything, with the ends of the range as likely as its middle.
fn edgy() -> impl Strategy<Value = usize> {
    prop_oneof![
        any::<usize>(),
        0usize..64,
        (0usize..64).prop_map(|n| usize::MAX - n),
        (0u32..64, 0usize..3).prop_map(|(bit, n)| (1usize << bit).wrapping_add(n).wrapping_sub(1)),
    ]
}

/// `RLIM_INFINITY` in pages of 4, 16 and 64 KiB.
const INFINITIES: [usize; 3] = [usize::MAX >> 12, usize::MAX >> 14, usize::MAX >> 16];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn growth_passes_exactly_if_it_fits(total in edgy(), npages in edgy(), limit in edgy()) {
        prop_assume!(npages != 0);
        let fits = total as u128 + npages as u128 <= limit as u128;
        prop_assert_eq!(may_expand(total, npages, limit), fits);
    }

    #[test]
    fn no_growth_always_passes(total in edgy(), limit in edgy()) {
        prop_assert!(may_expand(total, 0, limit));
    }

    /// Nothing is asked without a limit; if it were, all that an address space holds would pass.
    #[test]
    fn infinity_never_refuses(
        total in 0usize..1 << 46, npages in 0usize..1 << 46, shift in 0usize..3,
    ) {
        prop_assert!(may_expand(total, npages, INFINITIES[shift]));
    }

    #[test]
    fn at_the_limit_and_a_page_around_it(total in 0usize..1 << 40, npages in 1usize..1 << 40) {
        let limit = total + npages;
        prop_assert!(may_expand(total, npages, limit));
        prop_assert!(may_expand(total, npages - 1, limit));
        prop_assert!(!may_expand(total, npages + 1, limit));
    }

    /// An audit lets pass what is otherwise refused, and nothing else is different.
    #[test]
    fn an_audit_reports_what_is_refused(total in edgy(), npages in edgy(), limit in edgy()) {
        let (enforced, audited) = if may_expand(total, npages, limit) {
            (Verdict::Grow, Verdict::Grow)
        } else {
            (Verdict::Refuse, Verdict::Report)
        };
        prop_assert_eq!(judge(total, npages, limit, false), enforced);
        prop_assert_eq!(judge(total, npages, limit, true), audited);
    }

    #[test]
    fn account_is_the_sum(total in edgy(), npages: isize) {
        let sum = total as i128 + npages as i128;
        if let Ok(expected) = usize::try_from(sum) {
            prop_assert_eq!(account(total, npages), expected);
        }
    }

    /// Also where there is no such size for a moment.
    #[test]
    fn what_is_given_back_can_be_taken_again(total in edgy(), npages in 1 - isize::MAX..isize::MAX) {
        prop_assert_eq!(account(account(total, npages), -npages), total);
    }
}
