//! Programmes: made once, then shown.

use unum_identity::action::Period;
use unum_identity::bytes::ProgrammeId;
use unum_identity::claim::Amount;
use unum_identity::programme::{ProgrammeTerms, ProgrammeView};
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
        let claimable = match current {
            Some(last) => {
                let first = Period((last.0 + 1).saturating_sub(terms.claim_window));
                periods::open_between(tx, id, first, last).await?
            }
            None => Vec::new(),
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
    check_term("amount", terms.policy.share(), Amount::new(1).expect("1 is an amount"), Amount::MAX)?;
    check_term("starts_at", terms.starts_at.0, 0, MAX_TIME.0)?;
    check_term("period_seconds", terms.period_seconds, 1, MAX_PERIOD_SECONDS)?;
    check_term("claim_window", terms.claim_window, 1, MAX_CLAIM_WINDOW)
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
    use unum_identity::programme::Policy;

    use super::*;

    type Change = fn(&mut ProgrammeTerms);

    fn terms() -> ProgrammeTerms {
        ProgrammeTerms {
            name: "basic".into(),
            unit: "UNM".into(),
            minor_digits: 2,
            policy: Policy::Fixed { amount: Amount::new(1000).unwrap() },
            starts_at: UnixTime(0),
            period_seconds: 3600,
            claim_window: 2,
        }
    }

    #[test]
    fn each_term_has_its_limits() {
        check(&terms()).unwrap();
        let wrong: [(&str, Change); 9] = [
            ("name length", |t| t.name.clear()),
            ("name or unit", |t| t.name = " basic".into()),
            ("name or unit", |t| t.unit = "a\nb".into()),
            ("unit length", |t| t.unit = "x".repeat(17)),
            ("minor_digits", |t| t.minor_digits = 19),
            ("amount", |t| t.policy = Policy::Fixed { amount: Amount::ZERO }),
            ("starts_at", |t| t.starts_at = UnixTime(u64::MAX)),
            ("period_seconds", |t| t.period_seconds = 0),
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
