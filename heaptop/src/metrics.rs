// SPDX-License-Identifier: GPL-2.0-only

//! The same for Prometheus: OpenMetrics, of types that node_exporter's textfile
//! collector knows.

use crate::escape;
use crate::kernel::System;
use crate::limit::Limit;
use crate::process::Process;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{text, DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;

/// The whole file.
pub(crate) fn text(system: System, processes: Vec<Process>) -> String {
    let mut registry = Registry::with_prefix("heap_limit");
    registry.register_collector(Box::new(Snapshot { system, processes }));
    let mut text = String::new();
    // Of a String it cannot fail.
    let _ = text::encode(&mut text, &registry);
    text
}

#[derive(Debug)]
struct Snapshot {
    system: System,
    processes: Vec<Process>,
}

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let encoder = &mut encoder;
        let system = &self.system;
        self.policy(encoder)?;
        total(
            encoder,
            "refused",
            "Growth of heaps refused since boot.",
            system.refused,
        )?;
        total(
            encoder,
            "would_refuse",
            "Growth of heaps since boot that audit mode let pass.",
            system.would_refuse,
        )?;
        self.bytes(encoder, "process_used", "Heap of a process.", |process| {
            Some(process.heap.used as f64)
        })?;
        self.bytes(
            encoder,
            "process_peak",
            "Most heap a process ever had.",
            |process| Some(process.heap.peak as f64),
        )?;
        self.bytes(
            encoder,
            "process_soft",
            "Soft limit of a process.",
            |process| process.limits.map(|limits| float(limits.soft)),
        )?;
        self.bytes(
            encoder,
            "process_hard",
            "Hard limit of a process.",
            |process| process.limits.map(|limits| float(limits.hard)),
        )?;
        self.counts(
            encoder,
            "process_refused",
            "Growth of a heap refused.",
            |process| process.heap.refused,
        )?;
        self.counts(
            encoder,
            "process_would_refuse",
            "Growth of a heap that audit mode let pass.",
            |process| process.heap.would_refuse,
        )
    }
}

impl Snapshot {
    /// A gauge, as the collector does not know the type "info".
    fn policy(&self, encoder: &mut DescriptorEncoder) -> fmt::Result {
        let mut family = encoder.encode_descriptor(
            "policy_info",
            "What decides what is heap, and what becomes of growth beyond a limit.",
            None,
            MetricType::Gauge,
        )?;
        let name =
            |setting: &Option<String>| escape::for_label(setting.as_deref().unwrap_or("none"));
        let labels = [
            ("policy", name(&self.system.policy)),
            ("mode", name(&self.system.mode)),
        ];
        ConstGauge::new(1i64).encode(family.encode_family(&labels)?)
    }

    /// A gauge in bytes, of each process that has a value.
    fn bytes(
        &self,
        encoder: &mut DescriptorEncoder,
        name: &str,
        help: &str,
        value: impl Fn(&Process) -> Option<f64>,
    ) -> fmt::Result {
        let mut family =
            encoder.encode_descriptor(name, help, Some(&Unit::Bytes), MetricType::Gauge)?;
        for process in &self.processes {
            if let Some(value) = value(process) {
                ConstGauge::new(value).encode(family.encode_family(&labels(process))?)?;
            }
        }
        Ok(())
    }

    /// A counter of each process.
    fn counts(
        &self,
        encoder: &mut DescriptorEncoder,
        name: &str,
        help: &str,
        value: impl Fn(&Process) -> u64,
    ) -> fmt::Result {
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for process in &self.processes {
            ConstCounter::new(value(process)).encode(family.encode_family(&labels(process))?)?;
        }
        Ok(())
    }
}

/// A counter of the system.
fn total(encoder: &mut DescriptorEncoder, name: &str, help: &str, value: u64) -> fmt::Result {
    ConstCounter::new(value).encode(encoder.encode_descriptor(
        name,
        help,
        None,
        MetricType::Counter,
    )?)
}

/// The library writes them as they are.
fn labels(process: &Process) -> [(&'static str, String); 3] {
    [
        ("pid", process.pid.to_string()),
        ("user", escape::for_label(&process.user)),
        ("command", escape::for_label(&process.command)),
    ]
}

/// No limit is infinite.
fn float(limit: Limit) -> f64 {
    limit.bytes().map_or(f64::INFINITY, |bytes| bytes as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::tests::example;

    #[test]
    fn families() {
        let system = System {
            policy: Some("addr0".into()),
            mode: Some("audit".into()),
            threshold_percent: Some(90),
            refused: 3,
            would_refuse: 4,
        };
        let processes = vec![
            example(1, "a\n\"b\"\\", 4096, Some(8192)),
            example(2, "c", 0, None),
        ];
        let text = text(system, processes);
        let labels = r#"{pid="1",user="me",command="a\n\"b\"\\"}"#;
        for line in [
            "# TYPE heap_limit_refused counter".to_string(),
            "heap_limit_refused_total 3".to_string(),
            r#"heap_limit_policy_info{policy="addr0",mode="audit"} 1"#.to_string(),
            "# UNIT heap_limit_process_used_bytes bytes".to_string(),
            format!("heap_limit_process_used_bytes{labels} 4096.0"),
            format!("heap_limit_process_soft_bytes{labels} 8192.0"),
            format!("heap_limit_process_hard_bytes{labels} inf"),
            format!("heap_limit_process_refused_total{labels} 0"),
        ] {
            assert!(text.lines().any(|other| other == line), "{line}\n{text}");
        }
        assert!(!text.contains(r#"soft_bytes{pid="2""#));
        assert!(text.ends_with("\n# EOF\n"));
    }
}
