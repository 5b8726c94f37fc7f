// SPDX-License-Identifier: GPL-2.0-only

//! `rlimit_heap.ko`: enforces `RLIMIT_HEAP`.
//!
//! This is the only file that knows the kernel. What is decided, and why, is in [`addr0`] and
//! [`charge`].

mod addr0;
mod charge;

use kernel::{
    c_str,
    heap_policy::{HeapPolicy, NewMapping, Registration},
    prelude::*,
    str::CStr,
};

module! {
    type: RlimitHeap,
    name: "rlimit_heap",
    description: "Limit on the memory a process asks for at run time (RLIMIT_HEAP)",
    license: "GPL",
}

/// The loaded module.
struct RlimitHeap {
    _registration: Registration<Addr0>,
}

impl kernel::Module for RlimitHeap {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let registration = Registration::new().inspect_err(|&e| {
            if e == EBUSY {
                pr_err!("another heap policy is registered; remove its module first\n");
            }
        })?;

        pr_info!("RLIMIT_HEAP is enforced, policy {}\n", Addr0::NAME);
        Ok(Self {
            _registration: registration,
        })
    }
}

/// The policy of [`addr0`], as the kernel asks it.
struct Addr0;

impl HeapPolicy for Addr0 {
    const NAME: &'static CStr = c_str!("addr0");

    fn classify(mapping: &NewMapping) -> bool {
        addr0::is_heap(&if mapping.is_brk() {
            addr0::Request::Brk
        } else {
            addr0::Request::Mmap {
                addr: mapping.addr(),
                fixed: mapping.is_fixed(),
                file: mapping.has_file(),
            }
        })
    }

    fn may_expand(total: usize, npages: usize, limit: usize) -> bool {
        charge::may_expand(total, npages, limit)
    }

    fn account(total: usize, npages: isize) -> usize {
        charge::account(total, npages)
    }
}
