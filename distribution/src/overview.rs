//! How a programme is going, in numbers for everyone: people and money of its newest periods, and its pool over time.
//!
//! All of it follows from balances and from entries that a period has few of, so that it costs the same whether ten
//! people claim or a million; but where claims are paid different amounts, they are counted. It is put together once in a while, however many ask. Knows nothing of how it is shown.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use unum_identity::action::Period;
use unum_identity::bytes::ProgrammeId;
use unum_identity::claim::Amount;
use unum_identity::ledger::Balance;
use unum_identity::programme::{PeriodState, Policy, ProgrammeView};
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
    /// The most that a person gets; none before it is funded.
    pub(crate) most: Option<Amount>,
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
        let policy = &programme.terms.policy;
        let read = self.store.run_audit("overview", |tx| async move {
            Ok((facts(&tx, id, policy).await?, pool(&tx, id).await?))
        });
        let (periods, pool) = read.await.map_err(ProgrammeError::Store)?;
        let overview = Arc::new(Overview { programme, at, periods, pool });
        self.overviews.keep(&overview);
        Ok(overview)
    }
}

async fn facts(tx: &Tx, id: ProgrammeId, policy: &Policy) -> Result<Vec<PeriodFacts>, StoreError> {
    let started = periods::newest(tx, id, PERIODS).await?;
    let reserves: Vec<_> = started.iter().map(|(period, _)| Account::Reserve(id, *period)).collect();
    let left = ledger::balances(tx, &reserves).await?;
    let returned = ledger::returned(tx, id).await?;
    let counted = match (policy, started.last()) {
        (Policy::Accrual { .. }, Some((oldest, _))) => Some(periods::claimed(tx, id, *oldest).await?),
        _ => None,
    };
    let mut facts = Vec::with_capacity(started.len());
    for ((period, started), reserve) in started.into_iter().zip(&reserves) {
        let left = left.get(reserve).copied().unwrap_or(Balance::ZERO);
        let expired = returned.get(&period).copied().unwrap_or(Amount::ZERO);
        let counted = counted.as_ref().map(|counted| counted.get(&period).copied().unwrap_or_default());
        let fact = period_facts(period, started, counted, left, expired);
        facts.push(fact.ok_or_else(|| StoreError::damaged(format!("period {period} does not add up")))?);
    }
    Ok(facts)
}

/// What was paid is what is missing of what was reserved. `counted` says how many claims there were, if they were not all
/// paid the same; `None` if the numbers do not add up.
fn period_facts(
    period: Period,
    started: StartedPeriod,
    counted: Option<u64>,
    left: Balance,
    expired: Amount,
) -> Option<PeriodFacts> {
    let StartedPeriod { state, set, most } = started;
    let (left, eligible) = (left.amount()?, set.people);
    let reserved = most.unwrap_or(Amount::ZERO).checked_mul(eligible)?;
    let paid = reserved.checked_sub(expired)?.checked_sub(left)?;
    let claimed = match (counted, most) {
        (Some(counted), _) => counted,
        (None, Some(most)) => u64::try_from(paid.minor().checked_div(most.minor())?).ok()?,
        (None, None) => 0,
    };
    let at_most = most.unwrap_or(Amount::ZERO).checked_mul(claimed)?;
    let adds_up = if counted.is_some() { paid <= at_most } else { paid == at_most };
    adds_up.then_some(PeriodFacts { period, state, most, eligible, claimed, paid, expired, left })
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
        let most = (state >= PeriodState::Funded).then(|| amount(100));
        let left = Balance::new(left).unwrap();
        period_facts(Period(3), StartedPeriod { state, set, most }, None, left, amount(expired))
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
    fn claims_of_different_amounts_are_counted() {
        let set = EligibleSet { root: Root(7.into()), size: 12, people: 10 };
        let started = StartedPeriod { state: PeriodState::Open, set, most: Some(amount(100)) };
        let facts = |counted, left| {
            period_facts(Period(3), started, Some(counted), Balance::new(left).unwrap(), Amount::ZERO)
        };
        let paid = |facts: PeriodFacts| (facts.claimed, facts.paid.minor());
        assert_eq!(facts(7, 615).map(paid), Some((7, 385)));
        assert_eq!(facts(3, 615), None, "three claims are never paid more than 300");
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
