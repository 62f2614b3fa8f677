//! Which step a period is due: a table of where it stands and what time it is.
//!
//! | | before its window | in its window | after |
//! |---|---|---|---|
//! | planned | – | snapshot | – |
//! | snapshot | – | fund | – |
//! | funded | – | open | open, so that it can be closed and the money goes back |
//! | open | – | – | close |
//! | closed | – | – | seal |
//!
//! A period whose window has passed without it stays where it is: nobody could claim in it any more.

use unum_identity::programme::PeriodState;
use unum_identity::time::UnixTime;

use crate::period::Transition;

/// When a period's share can be claimed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// From here on …
    pub(super) opens_at: UnixTime,
    /// … until just before.
    pub(super) closes_at: UnixTime,
}

/// The step to take at `now`, if there is one.
pub(super) fn due(state: PeriodState, window: Window, now: UnixTime) -> Option<Transition> {
    let is_over = now >= window.closes_at;
    match state {
        _ if now < window.opens_at => None,
        PeriodState::Planned if !is_over => Some(Transition::Snapshot),
        PeriodState::Snapshot if !is_over => Some(Transition::Fund),
        PeriodState::Funded => Some(Transition::Open),
        PeriodState::Open if is_over => Some(Transition::Close),
        PeriodState::Closed if is_over => Some(Transition::Seal),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = Window { opens_at: UnixTime(100), closes_at: UnixTime(200) };

    /// The states that a period passes at `now`, from `state` on.
    fn way(state: PeriodState, now: u64) -> Vec<PeriodState> {
        let mut way = vec![state];
        while let Some(step) = due(way[way.len() - 1], WINDOW, UnixTime(now)) {
            assert_eq!(step.between().0, way[way.len() - 1]);
            way.push(step.between().1);
        }
        way
    }

    #[test]
    fn in_its_window_a_period_opens_and_after_it_a_started_one_is_sealed() {
        let [planned, snapshot, funded, open, closed, sealed] = PeriodState::ALL;
        for now in [100, 199] {
            assert_eq!(way(planned, now), [planned, snapshot, funded, open]);
            assert_eq!(way(closed, now), [closed], "a clock that is not right");
        }
        for now in [200, u64::MAX] {
            assert_eq!(way(planned, now), [planned]);
            assert_eq!(way(snapshot, now), [snapshot]);
            assert_eq!(way(funded, now), [funded, open, closed, sealed]);
            assert_eq!(way(open, now), [open, closed, sealed]);
            assert_eq!(way(closed, now), [closed, sealed]);
        }
    }

    #[test]
    fn before_its_window_nothing_happens() {
        for state in PeriodState::ALL {
            for now in [0, 99] {
                assert_eq!(way(state, now), [state]);
            }
        }
    }
}
