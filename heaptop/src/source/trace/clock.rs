// SPDX-License-Identifier: GPL-2.0-only

//! The clock of the trace, "boot", as a time of the day.

use rustix::time::{clock_gettime, ClockId, Timespec};
use std::time::{Duration, SystemTime};

/// Both clocks, at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    since_boot: Duration,
    time: SystemTime,
}

impl Clock {
    pub(super) fn now() -> Self {
        Self {
            since_boot: duration(clock_gettime(ClockId::Boottime)),
            time: SystemTime::now(),
        }
    }

    /// When it was `nanoseconds` after the boot, by the system's clock as it is set now.
    pub(super) fn time_of(self, nanoseconds: u64) -> SystemTime {
        let then = Duration::from_nanos(nanoseconds);
        self.time - self.since_boot.saturating_sub(then)
    }
}

fn duration(time: Timespec) -> Duration {
    let seconds = time.tv_sec.try_into().unwrap_or(0);
    let nanoseconds = time.tv_nsec.try_into().unwrap_or(0);
    Duration::new(seconds, nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_second_ago() {
        let clock = Clock::now();
        let then = clock.since_boot.saturating_sub(Duration::from_secs(1));
        let ago = clock.time_of(then.as_nanos().try_into().unwrap()).elapsed();
        let ago = ago.unwrap().as_secs_f64();
        assert!((0.9..60.0).contains(&ago), "{ago}");
    }
}
