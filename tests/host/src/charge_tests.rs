// SPDX-License-Identifier: GPL-2.0-only

//! The arithmetic of the limit over the whole range of its arguments.

use crate::charge::{charge, Charge};
use proptest::prelude::*;

/// Anything, with the ends of the range as likely as its middle.
pub(crate) fn edgy() -> impl Strategy<Value = usize> {
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
    fn growth_passes_exactly_if_it_fits(
        total in edgy(), growth in 1..isize::MAX, small in 1isize..64, limit in edgy(),
    ) {
        for growth in [growth, small] {
            let fits = total as u128 + growth as u128 <= limit as u128;
            prop_assert_eq!(matches!(charge(total, growth, limit), Charge::Within(_)), fits);
        }
    }

    #[test]
    fn no_growth_always_passes(total in edgy(), limit in edgy()) {
        prop_assert_eq!(charge(total, 0, limit), Charge::Within(total));
    }

    #[test]
    fn giving_back_always_passes(total in edgy(), back in 1..isize::MAX, limit in edgy()) {
        prop_assert!(matches!(charge(total, -back, limit), Charge::Within(_)));
    }

    /// All that an address space holds passes.
    #[test]
    fn infinity_never_refuses(
        total in 0usize..1 << 46, growth in 0isize..1 << 46, shift in 0usize..3,
    ) {
        prop_assert!(matches!(charge(total, growth, INFINITIES[shift]), Charge::Within(_)));
    }

    #[test]
    fn at_the_limit_and_a_page_around_it(total in 0usize..1 << 40, growth in 2isize..1 << 40) {
        let limit = total + growth as usize;
        prop_assert_eq!(charge(total, growth - 1, limit), Charge::Within(limit - 1));
        prop_assert_eq!(charge(total, growth, limit), Charge::Within(limit));
        prop_assert_eq!(charge(total, growth + 1, limit), Charge::Above(limit + 1));
    }

    #[test]
    fn the_answer_is_the_sum(total in edgy(), delta: isize, limit in edgy()) {
        let sum = total as i128 + delta as i128;
        if let Ok(expected) = usize::try_from(sum) {
            let (Charge::Within(is) | Charge::Above(is)) = charge(total, delta, limit);
            prop_assert_eq!(is, expected);
        }
    }
}
