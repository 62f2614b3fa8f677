//! Whether a round believes its clocks: the machine's, the steady one, and Postgres's have to agree.
//!
//! ```text
//! trusted ──disagree──► doubted ──agree──► settling ──agree for a while──► trusted
//!                          ▲                  │ disagree
//!                          └──────────────────┘
//! ```

use std::time::{Duration, Instant};

use unum_identity::time::UnixTime;

use crate::steady::{Reading, apart};

/// The clocks of one round. Postgres was asked after `before` was read, and had answered before `after` was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clocks {
    pub(super) before: Reading,
    pub(super) postgres: UnixTime,
    pub(super) after: Reading,
    /// When `after` was read, by the clock that cannot be set.
    pub(super) at: Instant,
}

impl Clocks {
    fn agree(&self, tolerance: Duration) -> bool {
        let Self { before, postgres, after, .. } = self;
        let within = postgres.plus(tolerance) >= before.steady && *postgres <= after.steady.plus(tolerance);
        within && apart(after.machine, after.steady) <= tolerance
    }

    /// The earliest of all: what is due then is due whichever of them is right.
    fn earliest(&self) -> UnixTime {
        self.postgres.min(self.after.steady).min(self.after.machine)
    }
}

/// What a round may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Take the steps that are due at this moment.
    Trusted(UnixTime),
    /// Nothing: the clocks disagree.
    Doubted,
    /// Nothing yet: they agree again, but not for long enough.
    Settling,
}

/// What earlier rounds have left of the trust in the clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trust {
    tolerance: Duration,
    settle: Duration,
    /// None while the clocks are trusted.
    doubt: Option<Doubt>,
}

#[derive(Clone, Copy, Debug)]
enum Doubt {
    Disagree,
    AgreeSince(Instant),
}

impl Trust {
    /// Clocks may be `tolerance` apart; once they were further apart, they have to agree for `settle`.
    pub(super) fn new(tolerance: Duration, settle: Duration) -> Self {
        Self { tolerance, settle, doubt: None }
    }

    pub(super) fn judge(&mut self, clocks: &Clocks) -> Verdict {
        if !clocks.agree(self.tolerance) {
            self.doubt = Some(Doubt::Disagree);
            return Verdict::Doubted;
        }
        let since = match self.doubt {
            None => return Verdict::Trusted(clocks.earliest()),
            Some(Doubt::Disagree) => clocks.at,
            Some(Doubt::AgreeSince(since)) => since,
        };
        if clocks.at.saturating_duration_since(since) < self.settle {
            self.doubt = Some(Doubt::AgreeSince(since));
            return Verdict::Settling;
        }
        self.doubt = None;
        Verdict::Trusted(clocks.earliest())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000;

    /// Verdicts of rounds ten seconds apart, in which the machine's clock, the steady one and Postgres's are so many seconds
    /// beside the truth.
    fn verdicts(rounds: &[(i64, i64, i64)]) -> String {
        let start = Instant::now();
        let mut trust = Trust::new(Duration::from_secs(10), Duration::from_mins(1));
        let verdict = |(round, (machine, steady, postgres)): (u64, &(i64, i64, i64))| {
            let beside = |by: i64| UnixTime((NOW + 10 * round).checked_add_signed(by).unwrap());
            let reading = Reading { steady: beside(*steady), machine: beside(*machine) };
            let at = start + Duration::from_secs(10 * round);
            let clocks = Clocks { before: reading, postgres: beside(*postgres), after: reading, at };
            match trust.judge(&clocks) {
                Verdict::Trusted(now) => {
                    assert_eq!(now, beside(*machine.min(steady).min(postgres)), "the earliest");
                    't'
                }
                Verdict::Doubted => 'd',
                Verdict::Settling => 's',
            }
        };
        (0..).zip(rounds).map(verdict).collect()
    }

    #[test]
    fn clocks_that_agree_are_trusted_from_the_start() {
        assert_eq!(verdicts(&[(0, 0, 0), (9, 9, 1), (-3, -3, 7)]), "ttt");
    }

    #[test]
    fn any_clock_beside_the_others_is_a_doubt_until_they_agree_for_a_minute() {
        const DAY: i64 = 86_400;
        let good = (0, 0, 0);
        for bad in [(DAY, 0, 0), (-DAY, 0, 0), (0, 0, DAY), (0, 0, -DAY), (DAY, 0, DAY), (11, 0, 0)] {
            let mut rounds = vec![good, bad];
            rounds.extend([good; 8]);
            assert_eq!(verdicts(&rounds), "tdsssssstt", "{bad:?}");
            rounds[4] = bad;
            rounds.extend([good; 4]);
            assert_eq!(verdicts(&rounds), "tdssdssssssttt", "{bad:?}");
        }
        assert_eq!(verdicts(&[(DAY, DAY, 0), good]), "ds", "started with a wrong clock");
        // Postgres on a machine whose clock is set by the same hand is no second opinion.
        assert_eq!(verdicts(&[good, (DAY, 0, DAY), (DAY, 0, DAY), (DAY, 0, DAY)]), "tddd");
    }

    #[test]
    fn an_answer_that_took_long_is_no_doubt() {
        let reading = |at| Reading { steady: UnixTime(at), machine: UnixTime(at) };
        let mut trust = Trust::new(Duration::from_secs(1), Duration::from_mins(1));
        let mut judge = |postgres| {
            let (before, after) = (reading(NOW), reading(NOW + 8));
            trust.judge(&Clocks { before, postgres: UnixTime(postgres), after, at: Instant::now() })
        };
        assert_eq!(judge(NOW), Verdict::Trusted(UnixTime(NOW)));
        assert_eq!(judge(NOW + 9), Verdict::Trusted(UnixTime(NOW + 8)));
        assert_eq!(judge(NOW + 10), Verdict::Doubted);
    }
}
