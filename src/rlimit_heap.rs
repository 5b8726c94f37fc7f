// SPDX-License-Identifier: GPL-2.0-only

//! `rlimit_heap.ko`: enforces `RLIMIT_HEAP`.
//!
//! This is the only file that knows the kernel. What is decided, and why, is in [`addr0`],
//! [`commit`] and [`charge`].

mod addr0;
mod charge;
mod commit;

use kernel::{
    c_str,
    heap_policy::{
        Class, HeapPolicy, Mode, NewMapping, Policy, ProtectionChange, Registration, Verdict,
    },
    prelude::*,
    str::CStr,
};

module! {
    type: RlimitHeap,
    name: "rlimit_heap",
    description: "Limit on the memory a process asks for at run time (RLIMIT_HEAP)",
    license: "GPL",
}

kernel::heap_policy_parameter!(POLICY, policy);
kernel::heap_policy_parameter!(MODE, mode);

/// The first one decides unless another is asked for.
static POLICIES: [Policy; 2] = [Policy::new::<Addr0>(), Policy::new::<Commit>()];

/// The loaded module.
struct RlimitHeap {
    _registration: Registration,
}

impl kernel::Module for RlimitHeap {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let registration =
            Registration::new(&POLICIES, POLICY.get(), MODE.get()).inspect_err(|&e| {
                if e == EBUSY {
                    pr_err!("another heap policy is registered; remove its module first\n");
                }
            })?;

        pr_info!(
            "policy {}, mode {}\n",
            POLICY.get().unwrap_or(Addr0::NAME),
            MODE.get().unwrap_or(c_str!("enforce"))
        );
        Ok(Self {
            _registration: registration,
        })
    }
}

/// [`charge::judge`], as the kernel asks it.
fn judge(total: usize, npages: usize, limit: usize, mode: Mode) -> Verdict {
    match charge::judge(total, npages, limit, mode == Mode::Audit) {
        charge::Verdict::Refuse => Verdict::Refuse,
        charge::Verdict::Grow => Verdict::Grow,
        charge::Verdict::Report => Verdict::Report,
    }
}

/// The policy of [`addr0`], as the kernel asks it.
struct Addr0;

impl HeapPolicy for Addr0 {
    const NAME: &'static CStr = c_str!("addr0");

    fn classify(mapping: &NewMapping) -> Class {
        let is_heap = addr0::is_heap(&if mapping.is_brk() {
            addr0::Request::Brk
        } else {
            addr0::Request::Mmap {
                addr: mapping.addr(),
                fixed: mapping.is_fixed(),
                file: mapping.has_file(),
            }
        });
        if is_heap {
            Class::Heap
        } else {
            Class::Other
        }
    }

    fn may_expand(total: usize, npages: usize, limit: usize, mode: Mode) -> Verdict {
        judge(total, npages, limit, mode)
    }

    fn account(total: usize, npages: isize) -> usize {
        charge::account(total, npages)
    }
}

impl commit::Mmap for NewMapping {
    fn is_anonymous(&self) -> bool {
        self.is_anonymous()
    }

    fn is_writable(&self) -> bool {
        self.is_writable()
    }

    fn is_stack(&self) -> bool {
        self.is_stack()
    }

    fn is_noreserve(&self) -> bool {
        self.is_noreserve()
    }

    fn replaces(&self) -> bool {
        self.replaces()
    }
}

/// The policy of [`commit`], as the kernel asks it.
struct Commit;

impl HeapPolicy for Commit {
    const NAME: &'static CStr = c_str!("commit");

    fn classify(mapping: &NewMapping) -> Class {
        if mapping.is_brk() {
            return Class::Heap;
        }
        match commit::classify(mapping) {
            commit::Class::Charged => Class::Heap,
            commit::Class::Reserved => Class::Other,
            commit::Class::Exempt => Class::Exempt,
        }
    }

    fn exempt_over_files(accessible: bool) -> bool {
        commit::exempt_over_files(accessible)
    }

    fn classify_mprotect(change: &ProtectionChange) -> bool {
        commit::mprotect_charges(change.makes_writable(), change.is_stack())
    }

    fn may_expand(total: usize, npages: usize, limit: usize, mode: Mode) -> Verdict {
        judge(total, npages, limit, mode)
    }

    fn account(total: usize, npages: isize) -> usize {
        charge::account(total, npages)
    }
}
