//! How a programme is going, in numbers for everyone: people and money of its newest periods, and its pool over time.
//!
//! All of it follows from balances and from entries that a period has few of, so that it costs the same whether ten
//! people claim or a million. It is put together once in a while, however many ask. Knows nothing of how it is shown.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use unum_identity::action::Period;
use unum_identity::bytes::ProgrammeId;
use unum_identity::claim::Amount;
use unum_identity::ledger::Balance;
use unum_identity::programme::{PeriodState, ProgrammeView};
use unum_identity::time::UnixTime;

use crate::app::App;
use crate::ledger::account::Account;
use crate::programme::ProgrammeError;
use crate::store::periods::StartedPeriod;
use crate::store::{StoreError, Tx, ledger, periods};

/// Periods that are shown: two years of months.
const PERIODS: u32 = 24;
/// Movements of the pool that are shown: three a period, and a deposit for each, many times over.
const MOVEMENTS: u32 = 500;
/// How old numbers may be.
pub(crate) const FRESH: Duration = Duration::from_secs(10);

/// A programme, as anyone may look at it.
pub(crate) struct Overview {
    pub(crate) programme: ProgrammeView,
    /// When these numbers were true.
    pub(crate) at: UnixTime,
    /// The newest periods that have started, newest first.
    pub(crate) periods: Vec<PeriodFacts>,
    /// What the pool held after each of its movements, oldest first.
    pub(crate) pool: Vec<(UnixTime, Amount)>,
}

/// One period in numbers. What was reserved is what was paid, went back, or is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PeriodFacts {
    pub(crate) period: Period,
    pub(crate) state: PeriodState,
    /// Who may claim.
    pub(crate) eligible: u64,
    /// Who has.
    pub(crate) claimed: u64,
    pub(crate) paid: Amount,
    /// What nobody claimed, and is in the pool again.
    pub(crate) expired: Amount,
    /// What can still be claimed.
    pub(crate) left: Amount,
}

/// The newest overview of each programme.
#[derive(Default)]
pub(crate) struct Overviews(Mutex<HashMap<ProgrammeId, (Instant, Arc<Overview>)>>);

impl Overviews {
    fn fresh(&self, id: ProgrammeId) -> Option<Arc<Overview>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&id).filter(|(made, _)| made.elapsed() < FRESH).map(|(_, overview)| Arc::clone(overview))
    }

    fn keep(&self, overview: &Arc<Overview>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(overview.programme.id, (Instant::now(), Arc::clone(overview)));
    }
}

impl App {
    /// How a programme is going, as of now or a few seconds ago.
    pub(crate) async fn overview(&self, id: ProgrammeId) -> Result<Arc<Overview>, ProgrammeError> {
        if let Some(overview) = self.overviews.fresh(id) {
            return Ok(overview);
        }
        let (programme, at) = (self.programme(id).await?, self.now());
        let share = programme.terms.policy.share();
        let read = self.store.run_audit("overview", |tx| async move {
            Ok((facts(&tx, id, share).await?, pool(&tx, id).await?))
        });
        let (periods, pool) = read.await.map_err(ProgrammeError::Store)?;
        let overview = Arc::new(Overview { programme, at, periods, pool });
        self.overviews.keep(&overview);
        Ok(overview)
    }
}

async fn facts(tx: &Tx, id: ProgrammeId, share: Amount) -> Result<Vec<PeriodFacts>, StoreError> {
    let started = periods::newest(tx, id, PERIODS).await?;
    let reserves: Vec<_> = started.iter().map(|(period, _)| Account::Reserve(id, *period)).collect();
    let left = ledger::balances(tx, &reserves).await?;
    let returned = ledger::returned(tx, id).await?;
    let mut facts = Vec::with_capacity(started.len());
    for ((period, started), reserve) in started.into_iter().zip(&reserves) {
        let left = left.get(reserve).copied().unwrap_or(Balance::ZERO);
        let expired = returned.get(&period).copied().unwrap_or(Amount::ZERO);
        let fact = period_facts(period, started, share, left, expired);
        facts.push(fact.ok_or_else(|| StoreError::damaged(format!("period {period} does not add up")))?);
    }
    Ok(facts)
}

/// What was paid is what is missing of what was reserved; `None` if that is no number of whole shares.
fn period_facts(
    period: Period,
    started: StartedPeriod,
    share: Amount,
    left: Balance,
    expired: Amount,
) -> Option<PeriodFacts> {
    let (state, eligible) = (started.state, started.set.people);
    let people_reserved = if state >= PeriodState::Funded { eligible } else { 0 };
    let left = left.amount()?;
    let paid = share.checked_mul(people_reserved)?.checked_sub(expired)?.checked_sub(left)?;
    let claimed = u64::try_from(paid.minor() / share.minor()).ok()?;
    let is_whole = share.checked_mul(claimed)? == paid;
    is_whole.then_some(PeriodFacts { period, state, eligible, claimed, paid, expired, left })
}

/// What the pool held after each of its newest movements.
async fn pool(tx: &Tx, id: ProgrammeId) -> Result<Vec<(UnixTime, Amount)>, StoreError> {
    let account = Account::Pool(id);
    let mut held = ledger::balance(tx, &account).await?;
    let mut after = Vec::new();
    for (at, moved) in ledger::pool_movements(tx, id, MOVEMENTS).await? {
        let amount = held.amount().ok_or_else(|| StoreError::damaged(format!("a pool held {held}")))?;
        after.push((at, amount));
        held = held.checked_add(-moved).ok_or_else(|| StoreError::damaged("a pool held too much"))?;
    }
    after.reverse();
    Ok(after)
}

#[cfg(test)]
mod tests {
    use unum_identity::field::Root;
    use unum_identity::programme::EligibleSet;

    use super::*;

    fn amount(minor: u128) -> Amount {
        Amount::new(minor).unwrap()
    }

    fn facts(state: PeriodState, left: i128, expired: u128) -> Option<PeriodFacts> {
        let set = EligibleSet { root: Root(7.into()), size: 12, people: 10 };
        let left = Balance::new(left).unwrap();
        period_facts(Period(3), StartedPeriod { state, set }, amount(100), left, amount(expired))
    }

    #[test]
    fn what_is_missing_was_paid() {
        let paid = |facts: PeriodFacts| (facts.claimed, facts.paid.minor());
        assert_eq!(facts(PeriodState::Snapshot, 0, 0).map(paid), Some((0, 0)));
        assert_eq!(facts(PeriodState::Funded, 1000, 0).map(paid), Some((0, 0)));
        assert_eq!(facts(PeriodState::Open, 700, 0).map(paid), Some((3, 300)));
        assert_eq!(facts(PeriodState::Closed, 0, 400).map(paid), Some((6, 600)));
        assert_eq!(facts(PeriodState::Sealed, 0, 0).map(paid), Some((10, 1000)));
    }

    #[test]
    fn numbers_that_do_not_add_up_are_not_shown() {
        for (state, left, expired) in [
            (PeriodState::Snapshot, 100, 0),
            (PeriodState::Open, 1100, 0),
            (PeriodState::Open, 650, 0),
            (PeriodState::Closed, 500, 600),
            (PeriodState::Open, -100, 0),
        ] {
            assert_eq!(facts(state, left, expired), None, "{state} {left} {expired}");
        }
    }
}
