// SPDX-License-Identifier: GPL-2.0-only

//! Tests of the decisions that `rlimit_heap.ko` makes, on the host.
//!
//! They compile the module's own files. The models they compare with count in 128 bits, where
//! nothing wraps.

#![cfg(test)]

#[path = "../../../src/addr0.rs"]
mod addr0;
#[path = "../../../src/charge.rs"]
mod charge;
#[path = "../../../src/commit.rs"]
mod commit;
#[path = "../../../src/request.rs"]
mod request;
#[path = "../../../src/resident.rs"]
mod resident;
#[path = "../../../src/tests.rs"]
mod tests;

mod addr0_tests;
mod charge_tests;
mod commit_tests;
mod requests;
mod resident_tests;
