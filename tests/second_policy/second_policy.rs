// SPDX-License-Identifier: GPL-2.0-only

//! `second_policy.ko`: a policy that counts and limits nothing, to be refused beside another.
//!
//! It takes its time, so that tasks are inside of it when it is unloaded.

use kernel::{
    heap_policy::{Heap, HeapPolicy, NewMapping, Registration},
    prelude::*,
};

module! {
    type: SecondPolicy,
    name: "second_policy",
    description: "A slow heap policy that counts nothing, for tests",
    license: "GPL",
}

struct SecondPolicy {
    _registration: Registration<Nothing>,
}

impl kernel::Module for SecondPolicy {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Self {
            _registration: Registration::new()?,
        })
    }
}

/// Rounds of a loop that make the policy slow.
const SPINS: usize = 10_000;

struct Nothing;

impl HeapPolicy for Nothing {
    fn classify(_mapping: &NewMapping) -> bool {
        for _ in 0..SPINS {
            core::hint::spin_loop();
        }
        false
    }

    fn may_expand(_heap: &Heap, _npages: usize, _limit: usize) -> bool {
        true
    }

    fn account(heap: &Heap, npages: isize) -> usize {
        heap.total_pages().saturating_add_signed(npages)
    }
}
