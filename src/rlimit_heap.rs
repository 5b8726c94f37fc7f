// SPDX-License-Identifier: GPL-2.0-only

//! `rlimit_heap.ko`: enforces `RLIMIT_HEAP`.
//!
//! This is the only file that knows the kernel. What is decided, and why, is in [`addr0`],
//! [`commit`], [`resident`] and [`charge`].

mod addr0;
mod charge;
mod commit;
mod request;
mod resident;
#[cfg(CONFIG_RLIMIT_HEAP_KUNIT_TEST)]
mod tests;

use kernel::{
    c_str,
    heap_policy::{self, Charge, Class, HeapPolicy, Mapping},
    prelude::vtable,
    str::CStr,
};
use request::{Change, Request};

kernel::module_heap_policies! {
    policies: [Addr0, Commit, Resident],
    name: "rlimit_heap",
    description: "Limit on the memory a process asks for at run time (RLIMIT_HEAP)",
    license: "GPL",
}

impl From<Mapping> for Request {
    fn from(mapping: Mapping) -> Self {
        Self {
            change: match mapping.change() {
                heap_policy::Change::Mmap => Change::Mmap,
                heap_policy::Change::Brk => Change::Brk,
                heap_policy::Change::Mprotect => Change::Mprotect,
                heap_policy::Change::OverFiles => Change::OverFiles,
            },
            accessible: mapping.is_accessible(),
            writable: mapping.is_writable(),
            shared: mapping.is_shared(),
            replaces: mapping.replaces(),
            at_address: mapping.is_at_address(),
            stack: mapping.is_stack(),
            noreserve: mapping.is_noreserve(),
            huge: mapping.is_huge(),
        }
    }
}

impl From<request::Class> for Class {
    fn from(class: request::Class) -> Self {
        match class {
            request::Class::Heap => Class::Heap,
            request::Class::Other => Class::Other,
            request::Class::Exempt => Class::Exempt,
        }
    }
}

impl From<charge::Charge> for Charge {
    fn from(charge: charge::Charge) -> Self {
        match charge {
            charge::Charge::Within(total) => Charge::Within(total),
            charge::Charge::Above(total) => Charge::Above(total),
        }
    }
}

/// The policy of [`addr0`], as the kernel asks it.
struct Addr0;

#[vtable]
impl HeapPolicy for Addr0 {
    const NAME: &'static CStr = c_str!("addr0");

    fn classify(mapping: Mapping) -> Class {
        addr0::classify(&mapping.into()).into()
    }

    fn charge(total: usize, delta: isize, limit: usize) -> Charge {
        charge::charge(total, delta, limit).into()
    }
}

/// The policy of [`commit`], as the kernel asks it.
struct Commit;

#[vtable]
impl HeapPolicy for Commit {
    const NAME: &'static CStr = c_str!("commit");

    fn classify(mapping: Mapping) -> Class {
        commit::classify(&mapping.into()).into()
    }

    fn charge(total: usize, delta: isize, limit: usize) -> Charge {
        charge::charge(total, delta, limit).into()
    }
}

/// The policy of [`resident`], as the kernel asks it.
struct Resident;

#[vtable]
impl HeapPolicy for Resident {
    const NAME: &'static CStr = c_str!("resident");

    fn classify(mapping: Mapping) -> Class {
        resident::classify(&mapping.into()).into()
    }

    fn charge(total: usize, delta: isize, limit: usize) -> Charge {
        charge::charge(total, delta, limit).into()
    }

    fn admits(resident: usize, request: usize, limit: usize) -> bool {
        resident::admits(resident, request, limit)
    }
}
