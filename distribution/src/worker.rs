//! The worker: takes the steps in the life of every period when they are due, round after round.
//!
//! | module | knows |
//! |---|---|
//! | `due` | which step a period is due |
//! | `trust` | whether the clocks can be believed |
//!
//! Nothing of what it does stands in memory alone. A round reads where all periods stand and asks for the next steps, as
//! an operator would; each is one transaction on the locked row, and taken once, whoever else asks for it: operators, workers of
//! other servers, the same worker before it was killed. What cannot be done now is tried again in the next round.

mod due;
mod trust;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::MissedTickBehavior;
use unum_identity::action::Period;
use unum_identity::bytes::ProgrammeId;
use unum_identity::programme::{PeriodState, Shortage};
use unum_identity::time::UnixTime;

use crate::app::App;
use crate::config::Driving;
use crate::period::{PeriodError, Transition};
use crate::steady::SteadyClock;
use crate::store::periods::Lock;
use crate::store::{self, StoreError, chain, periods, programmes};
use due::{Window, due};
use trust::{Clocks, Trust, Verdict};

/// How long a round that is under way may still take when the server stops: as long as a transaction.
const GRACE: Duration = Duration::from_secs(10);

/// Drives the periods of one server. Stops at once when dropped.
pub(crate) struct Worker {
    stop: Option<oneshot::Sender<()>>,
    rounds: JoinHandle<()>,
}

impl Worker {
    /// Starts with a round at once, on the current runtime.
    pub(crate) fn start(app: Arc<App>, clock: Arc<SteadyClock>, driving: Driving) -> Self {
        let (stop, stopped) = oneshot::channel();
        let trust = Trust::new(driving.tolerance(), driving.settle());
        let rounds = Rounds { app, clock, trust, in_doubt: false, waiting: BTreeMap::new() };
        Self { stop: Some(stop), rounds: tokio::spawn(rounds.run(driving.every(), stopped)) }
    }

    /// Begins no other round, and returns when the one under way is over, or after ten seconds.
    pub(crate) async fn shutdown(mut self) {
        if let Some(stop) = self.stop.take() {
            stop.send(()).ok(); // nobody listens if the worker has ended by itself
        }
        if tokio::time::timeout(GRACE, &mut self.rounds).await.is_err() {
            tracing::warn!("a round of the worker was still under way");
        }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Worker")
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.rounds.abort();
    }
}

/// A period that may be due a step.
#[derive(Clone, Copy, Debug)]
struct Standing {
    programme: ProgrammeId,
    period: Period,
    window: Window,
    state: PeriodState,
}

/// What one round leaves to the next. Losing it costs nothing but a line in the log.
#[derive(Clone)]
struct Rounds {
    app: Arc<App>,
    clock: Arc<SteadyClock>,
    trust: Trust,
    in_doubt: bool,
    /// Periods that wait for money, as the log has them.
    waiting: BTreeMap<(ProgrammeId, Period), Shortage>,
}

impl Rounds {
    async fn run(mut self, every: Duration, mut stopped: oneshot::Receiver<()>) {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = &mut stopped => return,
                _ = ticks.tick() => {}
            }
            // On a task of its own, so that a panic costs this round and not the worker; ends with us.
            let mut round = JoinSet::new();
            round.spawn(self.clone().round());
            match round.join_next().await {
                Some(Ok(next)) => self = next,
                Some(Err(error)) => tracing::error!(%error, "a round of the worker broke down"),
                None => {}
            }
        }
    }

    async fn round(mut self) -> Self {
        let outcome = match self.drive().await {
            Ok(outcome) => outcome,
            Err(error) => {
                tracing::warn!(error = chain(&error), "periods cannot be driven now");
                "failed"
            }
        };
        self.app.metrics.count("unum_period_rounds_total", &[("outcome", outcome)], 1);
        self
    }

    /// One round; what became of it.
    async fn drive(&mut self) -> Result<&'static str, StoreError> {
        let Some(now) = self.trusted_now().await? else { return Ok("in_doubt") };
        let mut waiting = BTreeMap::new();
        for standing in self.standings(now).await? {
            if let Some(shortage) = self.move_on(standing, now).await? {
                waiting.insert((standing.programme, standing.period), shortage);
            }
        }
        self.say_who_waits(waiting);
        Ok("done")
    }

    /// The time, if every clock agrees on it.
    async fn trusted_now(&mut self) -> Result<Option<UnixTime>, StoreError> {
        let before = self.clock.read();
        let postgres =
            self.app.store.run_tx("clock", |tx| async move { store::clock_timestamp(&tx).await }).await?;
        let clocks = Clocks { before, postgres, after: self.clock.read(), at: Instant::now() };
        let verdict = self.trust.judge(&clocks);
        let in_doubt = !matches!(verdict, Verdict::Trusted(_));
        if in_doubt && !self.in_doubt {
            let (machine, steady) = (clocks.after.machine.0, clocks.after.steady.0);
            tracing::error!(
                machine,
                steady,
                postgres = postgres.0,
                "clocks disagree: no period moves on until they have agreed for a while. If the machine's is right and \
                 has been wrong before, restart the server"
            );
        } else if self.in_doubt && !in_doubt {
            tracing::info!("the clocks agree again: periods move on");
        }
        self.in_doubt = in_doubt;
        self.app.metrics.gauge("unum_clock_in_doubt", &[], if in_doubt { 1.0 } else { 0.0 });
        Ok(match verdict {
            Verdict::Trusted(now) => Some(now),
            Verdict::Doubted | Verdict::Settling => None,
        })
    }

    /// Every period whose window runs, or that has started and is not sealed. Older ones first: what they return, newer ones
    /// can be funded with.
    async fn standings(&self, now: UnixTime) -> Result<Vec<Standing>, StoreError> {
        let app = &self.app;
        let read = app.store.run_tx("standings", |tx| async move {
            let programmes: BTreeMap<_, _> = programmes::all(&tx, app.ledger).await?.into_iter().collect();
            let mut wanted: BTreeSet<_> = periods::unfinished(&tx).await?.into_iter().collect();
            for (programme, terms) in &programmes {
                wanted.extend(terms.claimable_at(now).map(|period| (*programme, period)));
            }
            let wanted: Vec<_> = wanted.into_iter().collect();
            let started = periods::get_all(&tx, &wanted, Lock::None).await?;
            let standing = |(programme, period)| {
                let terms = programmes.get(&programme)?;
                let window = Window { opens_at: terms.opens_at(period), closes_at: terms.closes_at(period) };
                let state = started.get(&(programme, period)).map_or(PeriodState::Planned, |s| s.state);
                Some(Standing { programme, period, window, state })
            };
            Ok(wanted.into_iter().filter_map(standing).collect())
        });
        read.await
    }

    /// Takes the steps that a period is due. The money that it waits for, if that is what keeps it.
    ///
    /// What keeps one period is no reason to leave the others: only a database that is away ends the round.
    async fn move_on(&self, standing: Standing, now: UnixTime) -> Result<Option<Shortage>, StoreError> {
        let Standing { programme, period, window, mut state } = standing;
        while let Some(step) = due(state, window, now) {
            match self.app.advance(programme, period, step).await {
                Ok(view) => {
                    tracing::info!(%programme, %period, state = view.state.name(), "moved on");
                    self.count(step, "taken");
                    state = view.state;
                }
                Err(PeriodError::PoolInsufficient(shortage)) => {
                    self.count(step, "waits");
                    return Ok(Some(shortage));
                }
                Err(PeriodError::Order(_)) => return Ok(None), // somebody else was faster: the next round sees how far
                Err(PeriodError::Store(error @ StoreError::Unavailable(_))) => return Err(error),
                Err(error) => {
                    tracing::warn!(%programme, %period, step = step.name(), error = chain(&error), "to be tried again");
                    self.count(step, "failed");
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }

    fn count(&self, step: Transition, outcome: &str) {
        let labels = [("step", step.name()), ("outcome", outcome)];
        self.app.metrics.count("unum_period_steps_total", &labels, 1);
    }

    /// Once for each change, not once a round.
    fn say_who_waits(&mut self, waiting: BTreeMap<(ProgrammeId, Period), Shortage>) {
        for (place, shortage) in &waiting {
            if self.waiting.get(place) != Some(shortage) {
                let ((programme, period), Shortage { people, need, pool }) = (place, shortage);
                tracing::warn!(%programme, %period, people, %need, %pool, "does not open: it waits for money");
            }
        }
        self.app.metrics.gauge("unum_periods_waiting", &[], waiting.len() as f64);
        self.waiting = waiting;
    }
}
