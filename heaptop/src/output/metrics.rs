// SPDX-License-Identifier: GPL-2.0-only

//! The same for Prometheus: OpenMetrics, of types that node_exporter's textfile
//! collector knows.

use crate::model::group::{By, Group};
use crate::model::job::Job;
use crate::model::limit::Limit;
use crate::model::process::Process;
use crate::model::rows::Rows;
use crate::model::system::System;
use crate::output::escape;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{text, DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;

/// The whole file.
pub(crate) fn text(system: System, rows: Rows) -> String {
    let mut registry = Registry::with_prefix("heap_limit");
    registry.register_collector(Box::new(Snapshot { system, rows }));
    let mut text = String::new();
    // Of a String it cannot fail.
    let _ = text::encode(&mut text, &registry);
    text
}

#[derive(Debug)]
struct Snapshot {
    system: System,
    rows: Rows,
}

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let mut families = Families(&mut encoder);
        of_system(&mut families, &self.system)?;
        match &self.rows {
            Rows::Processes(processes) => of_processes(&mut families, processes),
            Rows::Groups(by, groups) => of_groups(&mut families, *by, groups),
            Rows::Jobs(jobs) => of_jobs(&mut families, jobs),
        }
    }
}

fn of_system(families: &mut Families, system: &System) -> fmt::Result {
    let name = |setting: &Option<String>| setting.clone().unwrap_or_else(|| "none".into());
    let labels = vec![
        ("policy", name(&system.policy)),
        ("mode", name(&system.mode)),
    ];
    // A gauge, as the collector does not know the type "info".
    families.gauge(
        "policy_info",
        "What decides what is heap, and what becomes of growth beyond a limit.",
        None,
        [(labels, 1.0)],
    )?;
    families.total(
        "refused",
        "Growth of heaps refused since boot.",
        system.refused,
    )?;
    families.total(
        "would_refuse",
        "Growth of heaps since boot that audit mode let pass.",
        system.would_refuse,
    )
}

fn of_processes(families: &mut Families, processes: &[Process]) -> fmt::Result {
    let bytes = |value: fn(&Process) -> Option<f64>| {
        let labelled = move |process| Some((process_labels(process), value(process)?));
        processes.iter().filter_map(labelled)
    };
    let counts = |value: fn(&Process) -> u64| {
        let labelled = move |process| (process_labels(process), value(process));
        processes.iter().map(labelled)
    };
    let unit = Some(&Unit::Bytes);
    let used = bytes(|process| Some(process.heap.used as f64));
    families.gauge("process_used", "Heap of a process.", unit, used)?;
    let resident = bytes(|process| process.heap.resident.map(|bytes| bytes as f64));
    families.gauge(
        "process_resident",
        "What is there of the heap of a process.",
        unit,
        resident,
    )?;
    let rss = bytes(|process| Some(process.rss as f64));
    families.gauge(
        "process_rss",
        "Memory of a process that is there.",
        unit,
        rss,
    )?;
    let peak = bytes(|process| Some(process.heap.peak as f64));
    families.gauge("process_peak", "Most heap a process ever had.", unit, peak)?;
    let soft = bytes(|process| process.limits.map(|limits| float(limits.soft)));
    families.gauge("process_soft", "Soft limit of a process.", unit, soft)?;
    let hard = bytes(|process| process.limits.map(|limits| float(limits.hard)));
    families.gauge("process_hard", "Hard limit of a process.", unit, hard)?;
    families.counter(
        "process_refused",
        "Growth of a heap refused.",
        counts(|process| process.heap.refused),
    )?;
    families.counter(
        "process_would_refuse",
        "Growth of a heap that audit mode let pass.",
        counts(|process| process.heap.would_refuse),
    )
}

/// All are gauges, also what is counted: it falls when a process ends.
fn of_groups(families: &mut Families, by: By, groups: &[Group]) -> fmt::Result {
    let by = by.name();
    let mut gauge = |name, help: &str, unit, value: fn(&Group) -> Option<f64>| {
        let labelled = |group: &Group| Some((vec![(by, group.name.clone())], value(group)?));
        let help = format!("{help} of a {by}.");
        let samples = groups.iter().filter_map(labelled);
        families.gauge(&format!("{by}_{name}"), &help, unit, samples)
    };
    let bytes = Some(&Unit::Bytes);
    gauge("processes", "Processes", None, |group| {
        Some(group.processes as f64)
    })?;
    gauge("used", "Heap of all processes", bytes, |group| {
        Some(group.used as f64)
    })?;
    gauge(
        "resident",
        "What is there of the heap of all processes",
        bytes,
        |group| group.resident.map(|bytes| bytes as f64),
    )?;
    gauge(
        "rss",
        "Memory that is there, of all processes",
        bytes,
        |group| Some(group.rss as f64),
    )?;
    gauge("peak", "Sum of the peaks of processes", bytes, |group| {
        Some(group.peak as f64)
    })?;
    gauge(
        "share_ratio",
        "Share of the soft limit that the fullest process uses",
        None,
        |group| group.share.map(|share| share / 100.0),
    )?;
    gauge(
        "refused",
        "Growth refused to the living processes",
        None,
        |group| Some(group.refused as f64),
    )?;
    gauge(
        "would_refuse",
        "Growth that audit mode let pass for the living processes",
        None,
        |group| Some(group.would_refuse as f64),
    )
}

fn of_jobs(families: &mut Families, jobs: &[Job]) -> fmt::Result {
    let labels = |job: &Job| vec![("cgroup", job.path.clone())];
    let mut gauge = |name, help, unit, value: fn(&Job) -> Option<f64>| {
        let labelled = |job| Some((labels(job), value(job)?));
        let samples = jobs.iter().filter_map(labelled);
        families.gauge(&format!("cgroup_{name}"), help, unit, samples)
    };
    let bytes = Some(&Unit::Bytes);
    gauge(
        "processes",
        "Processes in a cgroup and below it.",
        None,
        |job| Some(job.processes as f64),
    )?;
    gauge(
        "used",
        "Heap of all processes of a cgroup and below it.",
        bytes,
        |job| Some(job.heap.used as f64),
    )?;
    gauge(
        "resident",
        "What is there of the heap of a cgroup.",
        bytes,
        |job| job.heap.resident.map(|bytes| bytes as f64),
    )?;
    gauge("peak", "Most heap a cgroup ever had.", bytes, |job| {
        Some(job.heap.peak as f64)
    })?;
    gauge("max", "Limit of a cgroup.", bytes, |job| {
        Some(float(job.max))
    })?;
    let counts = |value: fn(&Job) -> u64| jobs.iter().map(move |job| (labels(job), value(job)));
    families.counter(
        "cgroup_refused",
        "Growth refused by the limit of a cgroup, or of one below it.",
        counts(|job| job.heap.refused),
    )?;
    families.counter(
        "cgroup_would_refuse",
        "Growth that audit mode let pass, of a cgroup or one below it.",
        counts(|job| job.heap.would_refuse),
    )
}

/// The library writes them as they are.
type Labels = Vec<(&'static str, String)>;

fn process_labels(process: &Process) -> Labels {
    vec![
        ("pid", process.pid.to_string()),
        ("user", process.user.clone()),
        ("unit", By::Unit.of(process)),
        ("command", process.command.clone()),
    ]
}

/// Writes metrics, a family at a time.
struct Families<'a, 'b>(&'a mut DescriptorEncoder<'b>);

impl Families<'_, '_> {
    fn gauge(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        samples: impl IntoIterator<Item = (Labels, f64)>,
    ) -> fmt::Result {
        let mut family = self
            .0
            .encode_descriptor(name, help, unit, MetricType::Gauge)?;
        for (labels, value) in samples {
            ConstGauge::new(value).encode(family.encode_family(&escaped(labels))?)?;
        }
        Ok(())
    }

    /// Of the system, without labels.
    fn total(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let counter = MetricType::Counter;
        ConstCounter::new(value).encode(self.0.encode_descriptor(name, help, None, counter)?)
    }

    fn counter(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels, u64)>,
    ) -> fmt::Result {
        let mut family = self
            .0
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in samples {
            ConstCounter::new(value).encode(family.encode_family(&escaped(labels))?)?;
        }
        Ok(())
    }
}

fn escaped(labels: Labels) -> Labels {
    labels
        .into_iter()
        .map(|(name, value)| (name, escape::for_label(&value)))
        .collect()
}

/// No limit is infinite.
fn float(limit: Limit) -> f64 {
    limit.bytes().map_or(f64::INFINITY, |bytes| bytes as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::group::groups;
    use crate::model::job::tests::example as job;
    use crate::model::process::tests::example;

    fn system() -> System {
        System {
            policy: Some("addr0".into()),
            mode: Some("audit".into()),
            threshold_percent: Some(90),
            refused: 3,
            would_refuse: 4,
        }
    }

    fn processes() -> Vec<Process> {
        vec![
            example(1, "a\n\"b\"\\", 4096, Some(8192)),
            example(2, "c", 0, None),
        ]
    }

    fn has(text: &str, line: &str) {
        assert!(text.lines().any(|other| other == line), "{line}\n{text}");
    }

    #[test]
    fn of_each_process() {
        let text = text(system(), Rows::Processes(processes()));
        let labels = r#"{pid="1",user="me",unit="a.service",command="a\n\"b\"\\"}"#;
        for line in [
            "# TYPE heap_limit_refused counter".to_string(),
            "heap_limit_refused_total 3".to_string(),
            r#"heap_limit_policy_info{policy="addr0",mode="audit"} 1.0"#.to_string(),
            "# UNIT heap_limit_process_used_bytes bytes".to_string(),
            format!("heap_limit_process_used_bytes{labels} 4096.0"),
            format!("heap_limit_process_resident_bytes{labels} 1024.0"),
            format!("heap_limit_process_rss_bytes{labels} 2048.0"),
            format!("heap_limit_process_soft_bytes{labels} 8192.0"),
            format!("heap_limit_process_hard_bytes{labels} inf"),
            format!("heap_limit_process_refused_total{labels} 0"),
        ] {
            has(&text, &line);
        }
        assert!(!text.contains(r#"soft_bytes{pid="2""#));
        assert!(text.ends_with("\n# EOF\n"));
    }

    #[test]
    fn of_each_unit() {
        let groups = groups(&processes(), By::Unit);
        let text = text(system(), Rows::Groups(By::Unit, groups));
        for line in [
            "# TYPE heap_limit_unit_refused gauge",
            "# HELP heap_limit_unit_used_bytes Heap of all processes of a unit.",
            r#"heap_limit_unit_processes{unit="a.service"} 2.0"#,
            r#"heap_limit_unit_used_bytes{unit="a.service"} 4096.0"#,
            r#"heap_limit_unit_resident_bytes{unit="a.service"} 1024.0"#,
            r#"heap_limit_unit_share_ratio{unit="a.service"} 0.5"#,
        ] {
            has(&text, line);
        }
        assert!(!text.contains("pid="));
    }

    #[test]
    fn of_each_job() {
        let jobs = vec![job("/a", 4096, 8192), job("/b\"", 0, u64::MAX)];
        let text = text(system(), Rows::Jobs(jobs));
        for line in [
            r#"heap_limit_cgroup_processes{cgroup="/a"} 2.0"#,
            r#"heap_limit_cgroup_used_bytes{cgroup="/a"} 4096.0"#,
            r#"heap_limit_cgroup_resident_bytes{cgroup="/a"} 1024.0"#,
            r#"heap_limit_cgroup_peak_bytes{cgroup="/a"} 4096.0"#,
            r#"heap_limit_cgroup_max_bytes{cgroup="/b\""} inf"#,
            r#"heap_limit_cgroup_refused_total{cgroup="/a"} 0"#,
            r#"heap_limit_cgroup_would_refuse_total{cgroup="/a"} 0"#,
        ] {
            has(&text, line);
        }
    }
}
