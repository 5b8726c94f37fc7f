// SPDX-License-Identifier: GPL-2.0-only

//! `slow_policy.ko`: a policy that limits nothing, to be refused beside another.
//!
//! It counts growth of the break, and takes its time for it, so that tasks are inside of it when it
//! is unloaded, and a second for growth by [`STALL_PAGES`]. It complains if one is still inside
//! after it has unregistered.

use core::sync::atomic::{AtomicBool, Ordering};
use kernel::{
    bindings, c_str,
    heap_policy::{Change, Charge, Class, HeapPolicy, Mapping, Policy, Registration},
    prelude::*,
    str::CStr,
};

module! {
    type: SlowPolicy,
    name: "slow_policy",
    description: "A slow heap policy that limits nothing, for tests",
    license: "GPL",
}

static POLICIES: [Policy; 1] = [Policy::new::<Break>()];

struct SlowPolicy {
    registration: Option<Registration>,
}

impl kernel::Module for SlowPolicy {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Self {
            // SAFETY: It is dropped with the module, below.
            registration: Some(unsafe { Registration::new(&POLICIES, None, None) }?),
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

/// Growth that takes a second.
const STALL_PAGES: isize = 54321;

/// Nanoseconds since boot. What the kernel crate has for it is another thing in each kernel.
fn now() -> i64 {
    // SAFETY: It can be called anywhere.
    unsafe { bindings::ktime_get() }
}

fn stall() {
    let start = now();
    while now() - start < 1_000_000_000 {
        core::hint::spin_loop();
    }
}

struct Break;

#[vtable]
impl HeapPolicy for Break {
    const NAME: &'static CStr = c_str!("slow");

    fn classify(mapping: Mapping) -> Class {
        match mapping.change() {
            Change::Brk => Class::Heap,
            _ => Class::Other,
        }
    }

    fn charge(total: usize, delta: isize, _limit: usize) -> Charge {
        for _ in 0..SPINS {
            core::hint::spin_loop();
        }
        if delta == STALL_PAGES {
            stall();
        }
        if UNREGISTERED.load(Ordering::Relaxed) {
            pr_err!("a hook runs after the policy has unregistered\n");
        }
        Charge::Within(total.wrapping_add_signed(delta))
    }
}
