//! The life of a period: who may claim is frozen, their shares are put aside, claims are taken, the rest goes back, a
//! signed statement says how it went. Each step is one transaction on the locked period, and can be asked for again.

mod transition;

use std::sync::Arc;

use unum_identity::action::Period;
use unum_identity::bytes::ProgrammeId;
use unum_identity::claim::Amount;
use unum_identity::programme::{PeriodState, PeriodStatement, PeriodView, ProgrammeTerms};
use unum_identity::signed::Signed;
use unum_identity::time::UnixTime;

use crate::app::App;
use crate::eligible::{Frozen, SetError};
use crate::ledger::account::Account;
use crate::ledger::entry::Draft;
use crate::store::periods::{Lock, StartedPeriod};
use crate::store::{StoreError, Tx, ledger, periods, programmes};
use service::ProblemResponse;

pub use transition::Transition;
use transition::{Order, WrongOrder};

/// Largest period: what a `BIGINT` holds.
const MAX_PERIOD: u64 = i64::MAX as u64;

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
    #[error("{people} people need {need}, the pool holds {pool}")]
    PoolInsufficient { people: u64, need: String, pool: Amount },
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
            PeriodError::PoolInsufficient { .. } => Self::new(409, "pool_insufficient").detail(detail),
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
                        Ok(()) => StartedPeriod { state: step.between().1, ..started },
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
        Ok(PeriodView {
            programme: id,
            period,
            state: started.map_or(PeriodState::Planned, |started| started.state),
            set: started.map(|started| started.set),
            amount: terms.policy.share(),
            opens_at: terms.opens_at(period),
            closes_at: terms.closes_at(period),
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
    async fn take(&self, step: Transition) -> Result<Outcome<()>, StoreError> {
        let now = self.app.now();
        let mut statement = None;
        match step {
            Transition::Snapshot => return Err(StoreError::damaged("the first step locks nothing")),
            Transition::Open => {}
            Transition::Fund => {
                if let Err(refused) = self.reserve(now).await? {
                    return Ok(Err(refused));
                }
            }
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
        let (_, reached) = step.between();
        periods::advance(self.tx, self.id, self.period, reached, statement.as_deref(), now).await.map(Ok)
    }

    /// Puts everyone's share aside, or nobody's.
    async fn reserve(&self, now: UnixTime) -> Result<Outcome<()>, StoreError> {
        let pen = ledger::lock(self.tx).await?;
        let pool = ledger::balance(self.tx, &Account::Pool(self.id)).await?;
        let pool = pool.amount().ok_or_else(|| StoreError::damaged(format!("a pool holds {pool}")))?;
        let people = self.started.set.people;
        let total = self.terms.policy.share().checked_mul(people);
        let Some(total) = total.filter(|total| *total <= pool) else {
            let need = total.map_or_else(|| format!("more than {}", Amount::MAX), |total| total.to_string());
            return Ok(Err(PeriodError::PoolInsufficient { people, need, pool }));
        };
        ledger::post(self.tx, pen, Draft::reserve(self.id, self.period, total), now).await?;
        Ok(Ok(()))
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
        let head = ledger::lock(self.tx).await?.head();
        let moved = ledger::moved(self.tx, self.id, self.period).await?;
        let promised = self.terms.policy.share().checked_mul(self.started.set.people);
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
            amount: self.terms.policy.share(),
            claims: moved.claims,
            paid: moved.paid,
            expired: moved.returned,
            ledger_sequence: head.sequence,
            chain_head: head.hash,
            verifying_key: self.app.verifying_key,
            sealed_at: now,
        })
    }
}
