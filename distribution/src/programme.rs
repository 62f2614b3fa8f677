//! Programmes: made once, then shown.

use unum_identity::action::Period;
use unum_identity::bytes::ProgrammeId;
use unum_identity::claim::Amount;
use unum_identity::ledger::Unit;
use unum_identity::programme::{Length, Policy, ProgrammeTerms, ProgrammeView, RATE_PARTS};
use unum_identity::time::UnixTime;

use crate::app::App;
use crate::ledger::account::Account;
use crate::store::{StoreError, Tx, ledger, periods, programmes};
use service::ProblemResponse;

/// Characters of a name.
const MAX_NAME: usize = 64;
/// Characters of a unit.
const MAX_UNIT: usize = 16;
/// Digits after the point; an amount has 38 in all, and the most divisible unit in use (ether) has 18.
const MAX_MINOR_DIGITS: u8 = 18;
/// Ten years. A longer period is a mistake in the unit.
const MAX_PERIOD_SECONDS: u64 = 10 * 366 * 24 * 3600;
/// The same of what accrues.
const MAX_CAP_DAYS: u32 = 10 * 366;
/// Periods in which a share can be claimed. Every one of them keeps its reserve, so a hundred is a mistake.
const MAX_CLAIM_WINDOW: u64 = 100;
/// End of the year 9999: what calendars, and Postgres' text form, are sure to hold.
const MAX_TIME: UnixTime = UnixTime(253_402_300_799);

/// Why there is no such programme.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProgrammeError {
    /// Correct the terms.
    #[error("{term} {found} is not within {limit}")]
    Terms { term: &'static str, found: String, limit: String },
    /// Another programme has this name: choose another, or send the same terms.
    #[error("programme {0} has this name, with other terms")]
    NameTaken(ProgrammeId),
    /// Send terms in this ledger's unit, or make a ledger for the other.
    #[error("accounts of this ledger hold {name} with {minor_digits} digits below the point, and nothing else", name = .0.name, minor_digits = .0.minor_digits)]
    UnitDiffers(Unit),
    /// Ask for the list of programmes.
    #[error("no programme has this id")]
    Unknown,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ProgrammeError> for ProblemResponse {
    fn from(error: ProgrammeError) -> Self {
        let detail = error.to_string();
        match error {
            ProgrammeError::Terms { .. } => Self::new(422, "terms_invalid").detail(detail),
            ProgrammeError::NameTaken(_) => Self::new(409, "programme_name_taken").detail(detail),
            ProgrammeError::UnitDiffers(_) => Self::new(409, "unit_differs").detail(detail),
            ProgrammeError::Unknown => Self::new(404, "programme_unknown"),
            ProgrammeError::Store(error) => error.into(),
        }
    }
}

impl App {
    /// Makes a programme. `true` if it is new; the same terms again change nothing.
    pub(crate) async fn create_programme(
        &self,
        terms: &ProgrammeTerms,
    ) -> Result<(bool, ProgrammeView), ProgrammeError> {
        check(terms)?;
        let (id, now) = (terms.id(&self.ledger), self.now());
        let made = self.store.run_tx("create_programme", |tx| async move {
            match programmes::named(&tx, &terms.name).await? {
                Some(other) if other != id => return Ok(Err(ProgrammeError::NameTaken(other))),
                Some(_) => return Ok(Ok((false, self.view(&tx, id, terms.clone()).await?))),
                None => {}
            }
            // Whoever holds the end of the chain is the only one who makes a programme: two firsts cannot differ.
            ledger::lock(&tx).await?;
            let wanted = Unit { name: terms.unit.clone(), minor_digits: terms.minor_digits };
            if let Some(unit) = programmes::unit(&tx).await?.filter(|unit| *unit != wanted) {
                return Ok(Err(ProgrammeError::UnitDiffers(unit)));
            }
            programmes::insert(&tx, id, terms, now).await?;
            Ok(Ok((true, self.view(&tx, id, terms.clone()).await?)))
        });
        made.await?
    }

    /// One programme.
    pub(crate) async fn programme(&self, id: ProgrammeId) -> Result<ProgrammeView, ProgrammeError> {
        let found = self.store.run_tx("programme", |tx| async move {
            match programmes::get(&tx, self.ledger, id).await? {
                Some(terms) => self.view(&tx, id, terms).await.map(Some),
                None => Ok(None),
            }
        });
        found.await?.ok_or(ProgrammeError::Unknown)
    }

    /// All programmes, by name.
    pub(crate) async fn programmes(&self) -> Result<Vec<ProgrammeView>, StoreError> {
        let all = self.store.run_tx("programmes", |tx| async move {
            let mut views = Vec::new();
            for (id, terms) in programmes::all(&tx, self.ledger).await? {
                views.push(self.view(&tx, id, terms).await?);
            }
            Ok(views)
        });
        all.await
    }

    async fn view(
        &self,
        tx: &Tx,
        id: ProgrammeId,
        terms: ProgrammeTerms,
    ) -> Result<ProgrammeView, StoreError> {
        let current = terms.period_at(self.now());
        let mut running = terms.claimable_at(self.now());
        let claimable = match (running.next(), current) {
            (Some(first), Some(last)) => periods::open_between(tx, id, first, last).await?,
            _ => Vec::new(),
        };
        let pool = ledger::balance(tx, &Account::Pool(id)).await?;
        Ok(ProgrammeView {
            id,
            terms,
            ledger: self.ledger,
            key: self.key(),
            verifying_key: self.verifying_key,
            pool: pool.amount().ok_or_else(|| StoreError::damaged(format!("the pool holds {pool}")))?,
            current,
            claimable,
        })
    }
}

fn check(terms: &ProgrammeTerms) -> Result<(), ProgrammeError> {
    let name = terms.name.chars().count();
    let printable = |text: &str| text.trim() == text && !text.chars().any(char::is_control);
    check_term("name length", name, 1, MAX_NAME)?;
    check_term("unit length", terms.unit.chars().count(), 1, MAX_UNIT)?;
    if !printable(&terms.name) || !printable(&terms.unit) {
        let limit = "printable characters, no space at either end".into();
        return Err(ProgrammeError::Terms { term: "name or unit", found: String::new(), limit });
    }
    check_term("minor_digits", terms.minor_digits, 0, MAX_MINOR_DIGITS)?;
    check_policy(&terms.policy)?;
    check_term("starts_at", terms.starts_at.0, 0, MAX_TIME.0)?;
    if let Length::Seconds { seconds } = terms.length {
        check_term("seconds of a period", seconds, 1, MAX_PERIOD_SECONDS)?;
    }
    if terms.opens_at(Period(0)) != terms.starts_at {
        let limit = "the first seconds of months, in UTC".into();
        return Err(ProgrammeError::Terms { term: "starts_at", found: terms.starts_at.0.to_string(), limit });
    }
    check_term("claim_window", terms.claim_window, 1, MAX_CLAIM_WINDOW)
}

/// Nobody is promised nothing, and what a person is promised is an amount.
fn check_policy(policy: &Policy) -> Result<(), ProgrammeError> {
    let something = Amount::new(1).expect("1 is an amount");
    match policy {
        Policy::Fixed { amount } => check_term("amount", *amount, something, Amount::MAX),
        Policy::PoolShare { rate_ppm, floor, cap } => {
            check_term("rate_ppm", *rate_ppm, 1, RATE_PARTS)?;
            check_term("floor", *floor, something, Amount::MAX)?;
            check_term("cap", *cap, *floor, Amount::MAX)
        }
        Policy::Accrual { per_hour, cap_days } => {
            check_term("cap_days", *cap_days, 1, MAX_CAP_DAYS)?;
            let most = Amount::MAX.minor() / (24 * u128::from(*cap_days));
            check_term("per_hour", *per_hour, something, Amount::new(most).expect("less than the largest"))
        }
        _ => {
            let (found, limit) = ("a policy".into(), "those that this server knows".into());
            Err(ProgrammeError::Terms { term: "policy", found, limit })
        }
    }
}

fn check_term<T: PartialOrd + Copy + std::fmt::Display>(
    term: &'static str,
    found: T,
    least: T,
    most: T,
) -> Result<(), ProgrammeError> {
    if found >= least && found <= most {
        return Ok(());
    }
    Err(ProgrammeError::Terms { term, found: found.to_string(), limit: format!("{least} to {most}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut ProgrammeTerms);

    fn terms() -> ProgrammeTerms {
        ProgrammeTerms {
            name: "basic".into(),
            unit: "UNM".into(),
            minor_digits: 2,
            policy: Policy::Fixed { amount: Amount::new(1000).unwrap() },
            starts_at: UnixTime(0),
            length: Length::Seconds { seconds: 3600 },
            claim_window: 2,
        }
    }

    fn pool_share(rate_ppm: u32, floor: u128, cap: u128) -> Policy {
        Policy::PoolShare { rate_ppm, floor: Amount::new(floor).unwrap(), cap: Amount::new(cap).unwrap() }
    }

    fn accrual(per_hour: u128, cap_days: u32) -> Policy {
        Policy::Accrual { per_hour: Amount::new(per_hour).unwrap(), cap_days }
    }

    #[test]
    fn what_lies_on_the_limits_is_within_them() {
        let months = Length::CalendarMonth {};
        check(&ProgrammeTerms { length: months, ..terms() }).unwrap(); // 1970 begins with a month
        for policy in [
            pool_share(1, 1, 1),
            pool_share(RATE_PARTS, 1, Amount::MAX.minor()),
            accrual(1, MAX_CAP_DAYS),
            accrual(Amount::MAX.minor() / 24, 1),
        ] {
            check(&ProgrammeTerms { policy, ..terms() }).unwrap();
        }
    }

    #[test]
    fn each_term_has_its_limits() {
        check(&terms()).unwrap();
        let wrong: [(&str, Change); 19] = [
            ("name length", |t| t.name.clear()),
            ("name or unit", |t| t.name = " basic".into()),
            ("name or unit", |t| t.unit = "a\nb".into()),
            ("unit length", |t| t.unit = "x".repeat(17)),
            ("minor_digits", |t| t.minor_digits = 19),
            ("amount", |t| t.policy = Policy::Fixed { amount: Amount::ZERO }),
            ("starts_at", |t| t.starts_at = UnixTime(u64::MAX)),
            ("seconds of a period", |t| t.length = Length::Seconds { seconds: 0 }),
            ("starts_at", |t| (t.length, t.starts_at) = (Length::CalendarMonth {}, UnixTime(1))),
            ("starts_at", |t| (t.length, t.starts_at) = (Length::CalendarMonth {}, UnixTime(MAX_TIME.0 + 1))),
            ("rate_ppm", |t| t.policy = pool_share(0, 1, 1)),
            ("rate_ppm", |t| t.policy = pool_share(RATE_PARTS + 1, 1, 1)),
            ("floor", |t| t.policy = pool_share(1, 0, 1)),
            ("cap", |t| t.policy = pool_share(1, 2, 1)),
            ("cap_days", |t| t.policy = accrual(1, 0)),
            ("cap_days", |t| t.policy = accrual(1, MAX_CAP_DAYS + 1)),
            ("per_hour", |t| t.policy = accrual(0, 1)),
            ("per_hour", |t| t.policy = accrual(Amount::MAX.minor() / 24, 2)),
            ("claim_window", |t| t.claim_window = 0),
        ];
        for (expected, change) in wrong {
            let mut terms = terms();
            change(&mut terms);
            assert!(
                matches!(check(&terms), Err(ProgrammeError::Terms { term, .. }) if term == expected),
                "{expected}"
            );
        }
    }
}
