// SPDX-License-Identifier: GPL-2.0-only

//! `slow_policy.ko`: a policy that counts and limits nothing, to be refused beside another.
//!
//! It takes its time, so that tasks are inside of it when it is unloaded, and a second for a
//! mapping asked for at [`STALL_ADDR`]. It complains if one is still inside after it has
//! unregistered.

use core::sync::atomic::{AtomicBool, Ordering};
use kernel::{
    c_str,
    heap_policy::{Class, HeapPolicy, Mode, NewMapping, Policy, Registration, Verdict},
    prelude::*,
    str::CStr,
    time::{Ktime, NSEC_PER_MSEC},
};

module! {
    type: SlowPolicy,
    name: "slow_policy",
    description: "A slow heap policy that counts nothing, for tests",
    license: "GPL",
}

static POLICIES: [Policy; 1] = [Policy::new::<Nothing>()];

struct SlowPolicy {
    registration: Option<Registration>,
}

impl kernel::Module for SlowPolicy {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Self {
            registration: Some(Registration::new(&POLICIES, None, None)?),
        })
    }
}

/// No hook may run any more.
static UNREGISTERED: AtomicBool = AtomicBool::new(false);

impl Drop for SlowPolicy {
    fn drop(&mut self) {
        self.registration = None;
        UNREGISTERED.store(true, Ordering::Relaxed);
    }
}

/// Rounds of a loop that make the policy slow.
const SPINS: usize = 10_000;

/// Where a mapping is asked for that takes a second.
const STALL_ADDR: usize = 0x5_0000_0000;

fn stall() {
    let start = Ktime::ktime_get();
    while (Ktime::ktime_get() - start).to_ns() < 1000 * NSEC_PER_MSEC {
        core::hint::spin_loop();
    }
}

struct Nothing;

impl HeapPolicy for Nothing {
    const NAME: &'static CStr = c_str!("slow");

    fn classify(mapping: &NewMapping) -> Class {
        for _ in 0..SPINS {
            core::hint::spin_loop();
        }
        if mapping.addr() == STALL_ADDR {
            stall();
        }
        if UNREGISTERED.load(Ordering::Relaxed) {
            pr_err!("a hook runs after the policy has unregistered\n");
        }
        Class::Other
    }

    fn may_expand(_total: usize, _npages: usize, _limit: usize, _mode: Mode) -> Verdict {
        Verdict::Grow
    }

    fn account(total: usize, npages: isize) -> usize {
        total.wrapping_add_signed(npages)
    }
}
