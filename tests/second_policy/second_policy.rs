// SPDX-License-Identifier: GPL-2.0-only

//! `second_policy.ko`: a policy that counts and limits nothing, to be refused beside another.

use kernel::{
    heap_policy::{Heap, HeapPolicy, NewMapping, Registration},
    prelude::*,
};

module! {
    type: SecondPolicy,
    name: "second_policy",
    description: "A heap policy that counts nothing, for tests",
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

struct Nothing;

impl HeapPolicy for Nothing {
    fn classify(_mapping: &NewMapping) -> bool {
        false
    }

    fn may_expand(_heap: &Heap, _npages: usize, _limit: usize) -> bool {
        true
    }

    fn account(heap: &Heap, npages: isize) -> usize {
        heap.total_pages().saturating_add_signed(npages)
    }
}
