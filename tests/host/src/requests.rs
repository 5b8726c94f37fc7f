// SPDX-License-Identifier: GPL-2.0-only

//! What policies are asked about.

use crate::request::{Change, Request};
pub(crate) use crate::tests::{BRK, PLAIN};
use proptest::prelude::*;

/// What does not come by the kernel, too.
pub(crate) fn any_request() -> impl Strategy<Value = Request> {
    let change = prop_oneof![
        Just(Change::Mmap),
        Just(Change::Brk),
        Just(Change::Mprotect),
        Just(Change::OverFiles)
    ];
    (change, any::<[bool; 8]>()).prop_map(|(change, flags)| {
        let [accessible, writable, shared, replaces, at_address, stack, noreserve, huge] = flags;
        Request {
            change,
            accessible,
            writable,
            shared,
            replaces,
            at_address,
            stack,
            noreserve,
            huge,
        }
    })
}
