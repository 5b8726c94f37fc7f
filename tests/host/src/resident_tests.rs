// SPDX-License-Identifier: GPL-2.0-only

//! Policy `resident`: what is heap, and what it admits above the limit.

use crate::charge_tests::edgy;
use crate::commit;
use crate::requests::any_request;
use crate::resident::{admits, classify};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn heap_is_what_it_is_under_commit(request in any_request()) {
        prop_assert_eq!(classify(&request), commit::classify(&request));
    }

    #[test]
    fn what_is_there_and_what_is_asked_for_fit(
        resident in edgy(), request in edgy(), limit in edgy(),
    ) {
        let fits = resident as u128 + request as u128 <= limit as u128;
        prop_assert_eq!(admits(resident, request, limit), fits);
    }

    #[test]
    fn at_the_limit_and_a_page_around_it(resident in 0usize..1 << 40, request in 1usize..1 << 40) {
        let limit = resident + request;
        prop_assert!(admits(resident, request - 1, limit));
        prop_assert!(admits(resident, request, limit));
        prop_assert!(!admits(resident, request + 1, limit));
        prop_assert!(!admits(resident + 1, request, limit));
    }

    /// Of memory that is not promised nothing is requested.
    #[test]
    fn nothing_requested_is_fine_up_to_the_limit(limit in 0usize..usize::MAX) {
        prop_assert!(admits(limit, 0, limit));
        prop_assert!(!admits(limit + 1, 0, limit));
    }
}
