// SPDX-License-Identifier: GPL-2.0-only

//! What a job used at most, and who of it was refused.

use crate::error::TraceError;
use crate::model::event::Event;
use crate::model::job::Job;
use crate::model::size::human;
use crate::output::escape;
use crate::source::cgroup::OwnJob;
use crate::source::proc;
use crate::source::trace::Trace;

/// So many processes are named.
const NAMED: usize = 10;

pub(super) struct Report {
    trace: Result<Trace, TraceError>,
    /// Of the job, in events.
    id: Option<u64>,
}

impl Report {
    /// Before the command is started.
    pub(super) fn begin(job: &OwnJob) -> Self {
        Self {
            trace: Trace::of_children(),
            id: job.id(),
        }
    }

    /// When all of the job has ended.
    pub(super) fn print(self, job: &OwnJob) {
        let Some(seen) = job.look() else { return };
        eprintln!("heaptop: {}", summary(&seen));
        let news = self.trace.and_then(|mut trace| {
            let failed = |error| TraceError::File("trace_pipe_raw".into(), error);
            trace.read().map_err(failed)
        });
        match news {
            Ok(news) => {
                for line in named(&news.events, self.id) {
                    eprintln!("heaptop: {line}");
                }
                if news.lost {
                    eprintln!("heaptop: events were lost: there were too many at once");
                }
            }
            Err(error) => {
                let all = proc::refused_children().unwrap_or(0).max(seen.heap.refused);
                if all + seen.heap.would_refuse > 0 {
                    let all = times(all as usize);
                    eprintln!(
                        "heaptop: in all, processes were refused {all}; cannot trace who: {error}"
                    );
                }
            }
        }
    }
}

fn summary(job: &Job) -> String {
    let peak = human(job.heap.peak);
    let max = job.max.bytes();
    // It may be of what is resident, and the peak is not.
    let of = max.map_or(String::new(), |max| format!(" of {}", human(max)));
    let refused = times(job.heap.refused as usize);
    let audit = match job.heap.would_refuse {
        0 => String::new(),
        count => format!(", audit mode let growth pass {}", times(count as usize)),
    };
    format!("the job used {peak} at most, its limit{of} refused growth {refused}{audit}")
}

fn times(count: usize) -> String {
    match count {
        1 => "once".to_string(),
        count => format!("{count} times"),
    }
}

/// A line for each process, those that were refused most first.
fn named(events: &[Event], job: Option<u64>) -> Vec<String> {
    let mut found: Vec<(&Event, usize)> = Vec::new();
    for event in events.iter().filter(|event| event.kind != "crossed") {
        let key = |event: &Event| (event.pid, event.cgroup, event.kind.clone());
        match found.iter_mut().find(|(other, _)| key(other) == key(event)) {
            Some((_, count)) => *count += 1,
            None => found.push((event, 1)),
        }
    }
    found.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let rest = found.len().saturating_sub(NAMED);
    let line = |(event, count): &(&Event, usize)| {
        let verb = match event.kind.as_str() {
            "refused" => "refused",
            _ => "let pass",
        };
        let whose = match event.cgroup {
            None => "its own limit",
            id if id == job => "the limit of the job",
            _ => "the limit of another cgroup",
        };
        let command = escape::for_terminal(&event.command);
        format!(
            "{verb} {}: {command} ({}), by {whose}",
            times(*count),
            event.pid
        )
    };
    let mut lines: Vec<_> = found.iter().take(NAMED).map(line).collect();
    if rest > 0 {
        lines.push(format!("and {rest} others"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::job::tests::example;
    use std::time::SystemTime;

    fn event(kind: &str, pid: i32, cgroup: Option<u64>) -> Event {
        Event {
            time: SystemTime::now(),
            kind: kind.into(),
            pid,
            uid: 0,
            command: format!("cc{pid}\n"),
            what: "mmap".into(),
            request: 1,
            usage: 2,
            limit: 3,
            policy: "commit".into(),
            cgroup,
        }
    }

    #[test]
    fn summaries() {
        let mut job = example("/a", 1 << 20, 1 << 30);
        let said = "the job used 1.0Mi at most, its limit of 1.0Gi refused growth 0 times";
        assert_eq!(summary(&job), said);
        job.heap.refused = 1;
        job.heap.would_refuse = 2;
        job.max = crate::model::limit::Limit::UNLIMITED;
        let said = "the job used 1.0Mi at most, its limit refused growth once, \
            audit mode let growth pass 2 times";
        assert_eq!(summary(&job), said);
    }

    #[test]
    fn most_first() {
        let events = [
            event("refused", 1, Some(7)),
            event("crossed", 1, None),
            event("refused", 2, None),
            event("refused", 2, None),
            event("would_refuse", 3, Some(8)),
        ];
        assert_eq!(
            named(&events, Some(7)),
            [
                "refused 2 times: cc2\\n (2), by its own limit",
                "refused once: cc1\\n (1), by the limit of the job",
                "let pass once: cc3\\n (3), by the limit of another cgroup",
            ]
        );
    }

    #[test]
    fn not_all() {
        let events: Vec<_> = (0..12).map(|pid| event("refused", pid, None)).collect();
        let lines = named(&events, None);
        assert_eq!((lines.len(), lines[10].as_str()), (11, "and 2 others"));
    }
}
