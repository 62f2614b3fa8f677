//! The life of a period: who may claim is frozen, their shares are put aside, claims are taken, the rest goes back, a
//! signed statement says how it went. Each step is one transaction on the locked period, and can be asked for again.

mod transition;

use std::collections::BTreeMap;
use std::sync::Arc;

use unum_identity::action::Period;
use unum_identity::bytes::ProgrammeId;
use unum_identity::claim::Amount;
use unum_identity::programme::{PeriodState, PeriodStatement, PeriodView, ProgrammeTerms, Shortage};
use unum_identity::published::nullifier_set_hash;
use unum_identity::signed::Signed;
use unum_identity::time::UnixTime;

use crate::app::App;
use crate::eligible::{Frozen, SetError};
use crate::ledger::account::Account;
use crate::ledger::entry::Draft;
use crate::store::periods::{Lock, StartedPeriod};
use crate::store::{StoreError, Tx, ledger, periods, programmes, publication};
use service::ProblemResponse;

pub use transition::Transition;
use transition::{Order, WrongOrder};

/// Largest period: what a `BIGINT` holds.
const MAX_PERIOD: u64 = i64::MAX as u64;
/// Periods in a list: eight years of months.
const LISTED: u32 = 100;

/// Why a period did not move on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PeriodError {
    #[error("no programme has this id")]
    ProgrammeUnknown,
    /// No period lies that far ahead.
    #[error("period {0} is above {MAX_PERIOD}")]
    OutOfRange(Period),
    /// Take the steps in order.
    #[error(transparent)]
    Order(#[from] WrongOrder),
    /// Who may claim cannot be known now.
    #[error(transparent)]
    Set(#[from] SetError),
    /// Deposit the difference first.
    #[error("{0}")]
    PoolInsufficient(Shortage),
    /// People were promised until then.
    #[error("claims can be made until {closes_at} (seconds since 1970)", closes_at = .0.0)]
    WindowNotOver(UnixTime),
    /// There is no statement yet.
    #[error("the period is {0}, not sealed")]
    NotSealed(PeriodState),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<PeriodError> for ProblemResponse {
    fn from(error: PeriodError) -> Self {
        let detail = error.to_string();
        match error {
            PeriodError::ProgrammeUnknown => Self::new(404, "programme_unknown"),
            PeriodError::OutOfRange(_) => Self::new(404, "period_unknown").detail(detail),
            PeriodError::Order(_) => Self::new(409, "period_state").detail(detail),
            PeriodError::Set(error) => error.into(),
            PeriodError::PoolInsufficient(_) => Self::new(409, "pool_insufficient").detail(detail),
            PeriodError::WindowNotOver(_) => Self::new(409, "window_not_over").detail(detail),
            PeriodError::NotSealed(_) => Self::new(404, "not_sealed").detail(detail),
            PeriodError::Store(error) => error.into(),
        }
    }
}

type Outcome<T> = Result<T, PeriodError>;

impl App {
    /// Where a period stands. Any period of a programme can be asked about; one that nothing has happened with is planned.
    pub(crate) async fn period(&self, id: ProgrammeId, period: Period) -> Outcome<PeriodView> {
        in_range(period)?;
        let view = self.store.run_tx("period", |tx| async move {
            let Some(terms) = programmes::get(&tx, self.ledger, id).await? else { return Ok(None) };
            let started = periods::get(&tx, id, period, Lock::None).await?;
            self.view_period(&tx, id, &terms, period, started).await.map(Some)
        });
        view.await?.ok_or(PeriodError::ProgrammeUnknown)
    }

    /// The periods whose window runs and the newest that have started, newest first; [`LISTED`] at most.
    pub(crate) async fn periods(&self, id: ProgrammeId) -> Outcome<Vec<PeriodView>> {
        let read = self.store.run_tx("periods", |tx| async move {
            let Some(terms) = programmes::get(&tx, self.ledger, id).await? else { return Ok(None) };
            let planned = terms.claimable_at(self.now()).map(|period| (period, None));
            let mut listed: BTreeMap<_, _> = planned.collect();
            let started = periods::newest(&tx, id, LISTED).await?;
            listed.extend(started.into_iter().map(|(period, started)| (period, Some(started))));
            let mut views = Vec::new();
            for (period, started) in listed.into_iter().rev().take(LISTED as usize) {
                views.push(self.view_period(&tx, id, &terms, period, started).await?);
            }
            Ok(Some(views))
        });
        read.await?.ok_or(PeriodError::ProgrammeUnknown)
    }

    /// Takes one step.
    pub(crate) async fn advance(
        &self,
        id: ProgrammeId,
        period: Period,
        step: Transition,
    ) -> Outcome<PeriodView> {
        let view = self.period(id, period).await?;
        match (step, step.order(view.state)?) {
            (_, Order::Done) => Ok(view),
            (Transition::Snapshot, Order::Next) => self.freeze(id, period).await,
            (_, Order::Next) => self.step(id, period, step).await,
        }
    }

    /// The statement of a sealed period.
    pub(crate) async fn statement(
        &self,
        id: ProgrammeId,
        period: Period,
    ) -> Outcome<Signed<PeriodStatement>> {
        let statement =
            self.store.run_tx("statement", |tx| async move { periods::statement(&tx, id, period).await });
        match statement.await? {
            Some(statement) => Ok(statement),
            None => Err(PeriodError::NotSealed(self.period(id, period).await?.state)),
        }
    }

    /// Reads the published set, outside any transaction, and freezes it as the period's.
    async fn freeze(&self, id: ProgrammeId, period: Period) -> Outcome<PeriodView> {
        let set = Arc::clone(&self.set);
        let read = tokio::task::spawn_blocking(move || set.read());
        let frozen = read.await.map_err(StoreError::damaged)?;
        let Frozen { set, checkpoint } = &frozen?;
        let now = self.now();
        let inserted = self.store.run_tx("snapshot", |tx| async move {
            periods::insert(&tx, id, period, *set, checkpoint, now).await
        });
        inserted.await?;
        // Somebody else may have been faster, with another set: theirs is the one.
        let view = self.period(id, period).await?;
        Transition::Snapshot.order(view.state)?;
        Ok(view)
    }

    /// Takes any step but the first.
    async fn step(&self, id: ProgrammeId, period: Period, step: Transition) -> Outcome<PeriodView> {
        let taken = self.store.run_tx(step.name(), |tx| async move {
            let Some(terms) = programmes::get(&tx, self.ledger, id).await? else {
                return Ok(Err(PeriodError::ProgrammeUnknown));
            };
            let Some(started) = periods::get(&tx, id, period, Lock::Move).await? else {
                return Ok(Err(step
                    .order(PeriodState::Planned)
                    .err()
                    .map_or_else(|| StoreError::damaged("a period vanished").into(), PeriodError::from)));
            };
            let reached = match step.order(started.state) {
                Err(wrong) => return Ok(Err(wrong.into())),
                Ok(Order::Done) => started,
                Ok(Order::Next) => {
                    let locked = Locked { app: self, tx: &tx, id, period, terms: &terms, started };
                    match locked.take(step).await? {
                        Err(refused) => return Ok(Err(refused)),
                        Ok(reached) => reached,
                    }
                }
            };
            Ok(Ok(self.view_period(&tx, id, &terms, period, Some(reached)).await?))
        });
        taken.await?
    }

    async fn view_period(
        &self,
        tx: &Tx,
        id: ProgrammeId,
        terms: &ProgrammeTerms,
        period: Period,
        started: Option<StartedPeriod>,
    ) -> Result<PeriodView, StoreError> {
        let (opens_at, closes_at) = (terms.opens_at(period), terms.closes_at(period));
        let now = self.now();
        let waits_for = match started {
            Some(started) if started.state == PeriodState::Snapshot && now < closes_at => {
                shares(terms, &started, pool(tx, id).await?).err()
            }
            _ => None,
        };
        let share =
            terms.share(period, started.and_then(|started| started.most).unwrap_or(terms.policy.most()));
        Ok(PeriodView {
            programme: id,
            period,
            state: started.map_or(PeriodState::Planned, |started| started.state),
            set: started.map(|started| started.set),
            amount: share.at(now),
            most: share.most(),
            waits_for,
            opens_at,
            closes_at,
            reserve: left(tx, id, period).await?,
            ledger: self.ledger,
            key: self.key(),
            verifying_key: self.verifying_key,
        })
    }
}

fn in_range(period: Period) -> Outcome<()> {
    if period.0 > MAX_PERIOD { Err(PeriodError::OutOfRange(period)) } else { Ok(()) }
}

/// What is put aside for each person and for all of them, if the pool can pay it.
fn shares(
    terms: &ProgrammeTerms,
    started: &StartedPeriod,
    pool: Amount,
) -> Result<(Amount, Amount), Shortage> {
    let people = started.set.people;
    let each = terms.policy.most_of(pool, people);
    match each.checked_mul(people) {
        Some(all) if all <= pool => Ok((each, all)),
        need => Err(Shortage { people, need: need.unwrap_or(Amount::MAX), pool }),
    }
}

async fn pool(tx: &Tx, id: ProgrammeId) -> Result<Amount, StoreError> {
    let pool = ledger::balance(tx, &Account::Pool(id)).await?;
    pool.amount().ok_or_else(|| StoreError::damaged(format!("a pool holds {pool}")))
}

/// What a period still holds.
async fn left(tx: &Tx, id: ProgrammeId, period: Period) -> Result<Amount, StoreError> {
    let reserve = ledger::balance(tx, &Account::Reserve(id, period)).await?;
    reserve.amount().ok_or_else(|| StoreError::damaged(format!("a reserve holds {reserve}")))
}

/// A period whose row is locked for moving it on.
struct Locked<'a> {
    app: &'a App,
    tx: &'a Tx,
    id: ProgrammeId,
    period: Period,
    terms: &'a ProgrammeTerms,
    started: StartedPeriod,
}

impl Locked<'_> {
    /// Takes the step; where the period stands then.
    async fn take(&self, step: Transition) -> Result<Outcome<StartedPeriod>, StoreError> {
        let now = self.app.now();
        let mut statement = None;
        match step {
            Transition::Snapshot => return Err(StoreError::damaged("the first step locks nothing")),
            Transition::Open => {}
            Transition::Fund => return self.fund(now).await,
            Transition::Close => {
                let closes_at = self.terms.closes_at(self.period);
                if now < closes_at {
                    return Ok(Err(PeriodError::WindowNotOver(closes_at)));
                }
                self.return_rest(now).await?;
            }
            Transition::Seal => {
                let signed = Signed::new(self.state(now).await?, &self.app.signing);
                statement = Some(serde_json::to_string(&signed).map_err(StoreError::damaged)?);
            }
        }
        let (_, state) = step.between();
        periods::advance(self.tx, self.id, self.period, state, statement.as_deref(), now).await?;
        Ok(Ok(StartedPeriod { state, ..self.started }))
    }

    /// Puts everyone's share aside, or nobody's. What a share is depends on the pool as it is under the lock.
    async fn fund(&self, now: UnixTime) -> Result<Outcome<StartedPeriod>, StoreError> {
        let pen = ledger::lock(self.tx).await?;
        let (each, all) = match shares(self.terms, &self.started, pool(self.tx, self.id).await?) {
            Ok(shares) => shares,
            Err(shortage) => return Ok(Err(PeriodError::PoolInsufficient(shortage))),
        };
        ledger::post(self.tx, pen, Draft::reserve(self.id, self.period, all), now).await?;
        periods::fund(self.tx, self.id, self.period, each, now).await?;
        Ok(Ok(StartedPeriod { state: PeriodState::Funded, most: Some(each), ..self.started }))
    }

    async fn return_rest(&self, now: UnixTime) -> Result<(), StoreError> {
        let pen = ledger::lock(self.tx).await?;
        let rest = left(self.tx, self.id, self.period).await?;
        if let Some(draft) = Draft::return_rest(self.id, self.period, rest) {
            ledger::post(self.tx, pen, draft, now).await?;
        }
        Ok(())
    }

    /// How it went, from the ledger's entries; refused if they do not add up.
    async fn state(&self, now: UnixTime) -> Result<PeriodStatement, StoreError> {
        // Before the lock: a closed period gets no more claims, and others want to write.
        let nullifiers = nullifier_set_hash(publication::nullifiers(self.tx, self.id, self.period).await?);
        let head = ledger::lock(self.tx).await?.head();
        let moved = ledger::moved(self.tx, self.id, self.period).await?;
        let most =
            self.started.most.ok_or_else(|| StoreError::damaged("a period was open without a share"))?;
        let promised = most.checked_mul(self.started.set.people);
        let spent = moved.paid.checked_add(moved.returned);
        let left = left(self.tx, self.id, self.period).await?;
        if promised != Some(moved.reserved) || spent != Some(moved.reserved) || left != Amount::ZERO {
            return Err(StoreError::damaged(format!("{moved:?} of period {} do not add up", self.period)));
        }
        Ok(PeriodStatement {
            programme: self.id,
            period: self.period,
            ledger: self.app.ledger,
            set: self.started.set,
            amount: most,
            claims: moved.claims,
            paid: moved.paid,
            expired: moved.returned,
            nullifiers,
            ledger_sequence: head.sequence,
            chain_head: head.hash,
            verifying_key: self.app.verifying_key,
            sealed_at: now,
        })
    }
}
