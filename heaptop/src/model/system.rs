// SPDX-License-Identifier: GPL-2.0-only

//! What the kernel as a whole says: who decides, and what was refused.

use serde::Serialize;

/// The policy whose limits are of what is resident of a heap.
pub(crate) const RESIDENT: &str = "resident";

/// Settings and totals.
#[derive(Debug, Serialize)]
pub(crate) struct System {
    /// The policy that decides what is heap; none, and nothing is limited.
    pub(crate) policy: Option<String>,
    /// What becomes of growth beyond a limit: enforce or audit.
    pub(crate) mode: Option<String>,
    /// The share of a soft limit from which on a heap is nearly full.
    pub(crate) threshold_percent: Option<u32>,
    /// Growth refused since boot, of all processes that there were.
    pub(crate) refused: u64,
    /// Growth that audit mode let pass.
    pub(crate) would_refuse: u64,
}
