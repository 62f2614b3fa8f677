//! A clock that does not jump.
//!
//! It says what the machine's clock says, as long as that one moves as time passes. When the machine's clock is set
//! forward or back, this one goes on from where it was; and follows again once the other is back. What is decided by it, who
//! may claim and how much has accrued, is the same as if nobody had touched the clock.
//!
//! Both are read in whole seconds, so that it is up to one behind while it does not follow.
//!
//! Whether the machine's clock was right to begin with, it cannot know: a server that is started believes it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use unum_identity::time::{Clock, UnixTime};

/// The machine's clock, without its jumps.
pub(crate) struct SteadyClock {
    machine: Arc<dyn Clock>,
    tolerance: Duration,
    /// When the machine's clock was believed last, and what it said.
    last: Mutex<(Instant, UnixTime)>,
}

/// What both clocks said at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The same as `machine`, unless that one has jumped.
    pub(crate) steady: UnixTime,
    pub(crate) machine: UnixTime,
}

impl SteadyClock {
    /// Starts with what `machine` says, and does not follow it when it moves by more than `tolerance` otherwise than time
    /// does.
    pub(crate) fn new(machine: Arc<dyn Clock>, tolerance: Duration) -> Self {
        let last = Mutex::new((Instant::now(), machine.now()));
        Self { machine, tolerance, last }
    }

    pub(crate) fn read(&self) -> Reading {
        self.read_at(Instant::now)
    }

    fn read_at(&self, moment: impl FnOnce() -> Instant) -> Reading {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner); // a pair is good in any state
        let (at, machine) = (moment(), self.machine.now());
        let expected = last.1.plus(at.saturating_duration_since(last.0));
        if apart(machine, expected) > self.tolerance {
            return Reading { steady: expected, machine };
        }
        *last = (at, machine);
        Reading { steady: machine, machine }
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> UnixTime {
        self.read().steady
    }
}

impl fmt::Debug for SteadyClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SteadyClock")
    }
}

/// How much lies between two moments, whichever comes first.
pub(crate) fn apart(a: UnixTime, b: UnixTime) -> Duration {
    a.since(b).max(b.since(a))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    const DAY: u64 = 86_400;
    const START: u64 = 1_700_000_000;

    #[test]
    fn a_jump_is_not_followed_and_the_way_back_is() {
        let machine = Arc::new(AtomicU64::new(START));
        let told = Arc::clone(&machine);
        let clock = SteadyClock::new(
            Arc::new(move || UnixTime(told.load(Ordering::Relaxed))),
            Duration::from_secs(10),
        );
        let start = clock.last.lock().unwrap().0;
        let says = |after: u64, says: u64| {
            machine.store(says, Ordering::Relaxed);
            clock.read_at(|| start + Duration::from_secs(after)).steady.0
        };
        assert_eq!(says(5, START + 5), START + 5);
        assert_eq!(says(10, START + 20), START + 20, "within the tolerance");
        assert_eq!(says(20, START + 30 + DAY), START + 30, "a day forward");
        assert_eq!(says(1_000, START + 1_010 + DAY), START + 1_010, "for as long as it lasts");
        assert_eq!(says(1_001, START + 1_011), START + 1_011, "and back");
        assert_eq!(says(1_002, START + 1_012 - DAY), START + 1_012, "a day back");
        assert_eq!(says(1_003, 0), START + 1_013, "to 1970");
        assert_eq!(says(1_004, START + 1_023), START + 1_023, "nearly where it should be");
        assert_eq!(says(1_003, START + 1_022), START + 1_022, "a reading that was overtaken");
    }
}
