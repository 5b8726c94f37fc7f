// SPDX-License-Identifier: GPL-2.0-only

//! How it is written: for people, for programs, and for collectors of metrics.

pub(crate) mod escape;
pub(crate) mod event;
pub(crate) mod grid;
pub(crate) mod json;
pub(crate) mod metrics;
pub(crate) mod table;
