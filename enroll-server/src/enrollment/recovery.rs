//! Recovery: somebody known gets a new commitment in the place of the one whose wallet they have lost.
//!
//! They keep their leaf. Whatever was frozen with the old commitment in it, such as the people of a period that is open,
//! stays as it was: there the old wallet counts, and nobody has two leaves. For anything frozen later the new one does.
//!
//! A new commitment has new nullifiers. Whoever could recover as often as they liked would be a new human to every app
//! each time; so one recovery is enough for `recovery_wait_seconds`, and when somebody last recovered stands with their
//! eyes, encrypted.

use unum_identity::enrollment::{EnrollmentOutcome, LogEvent};
use unum_identity::time::UnixTime;
use unum_iris::{Verdict, verdict};

use super::{Compared, Refusal, Settled, leaf, look_again, publish, receipt, start_of_hour};
use crate::gallery;
use crate::matcher::Finding;
use crate::sealed::{Person, Place};
use crate::server::App;
use crate::store::{StoreError, Tx, log, reviews, templates};

/// Seconds of a day.
const DAY: u64 = 24 * 3600;

/// Acts on what the scan found.
pub(super) async fn decide(
    app: &App,
    tx: &Tx,
    compared: &Compared<'_>,
    now: UnixTime,
) -> Result<Settled, StoreError> {
    let refuse = |refusal| Ok(Err(refusal));
    match look_again(app, tx, compared).await?.0 {
        Finding::Duplicate { person } => recover(app, tx, compared, person, now).await,
        Finding::Unique => refuse(Refusal::NotEnrolled),
        Finding::Review | Finding::Duplicates => refuse(Refusal::NotOnePerson),
        Finding::TooLittleOverlap { compared, needed } => {
            refuse(Refusal::TooLittleOverlap { compared, needed })
        }
    }
}

/// Gives person number `seq` the commitment that they ask for. The caller holds the lock.
async fn recover(
    app: &App,
    tx: &Tx,
    Compared { payload, probe, .. }: &Compared<'_>,
    seq: u64,
    now: UnixTime,
) -> Result<Settled, StoreError> {
    let refuse = |refusal| Ok(Err(refusal));
    if log::place_of(tx, payload.commitment).await?.is_some() {
        return refuse(Refusal::CommitmentKnown);
    }
    let known = read(app, tx, seq).await?;
    // What was compared is a copy. Before anybody gets somebody's leaf, the row itself has to say so.
    let same = verdict(probe.query().orientations(), &known.eyes, app.config.thresholds);
    if same != Ok(Verdict::Duplicate) {
        return Err(StoreError::overtaken("the person found is not the one in the row"));
    }
    if let Some(until) = known.recovered_at.map(|at| at.plus(app.config.recovery_wait()))
        && now < until
    {
        return refuse(Refusal::RecoveredLately { days: until.since(now).as_secs().div_ceil(DAY) });
    }
    let Some(leaf_index) = log::leaf_of(tx, known.commitment).await? else {
        return Err(StoreError::damaged(format!("template {seq} has no leaf")));
    };
    let replaced = |_| LogEvent::Replaced { leaf_index, leaf: leaf(payload) };
    publish(app, tx, replaced, now).await?.map_err(StoreError::damaged)?;
    let (replaced, recovered_at) = (known.commitment, Some(start_of_hour(now)));
    let (commitment, consent_version) = (payload.commitment, payload.consent_version);
    let person = Person { commitment, consent_version, recovered_at, ..known };
    let row = gallery::row(&person, seq, &app.keys.template, &mut *app.rng());
    if !templates::replace(tx, &row).await? {
        return Err(StoreError::damaged(format!("template {seq} disappeared")));
    }
    reviews::delete(tx, commitment).await?;
    let receipt = receipt(app, payload, leaf_index, now);
    Ok(Ok(EnrollmentOutcome::Recovered { receipt, replaced }))
}

/// Person number `seq`, from their row.
async fn read(app: &App, tx: &Tx, seq: u64) -> Result<Person, StoreError> {
    let sealed = templates::get(tx, seq).await?.and_then(|row| row.sealed());
    let sealed = sealed.ok_or_else(|| StoreError::overtaken("the person found has just been erased"))?;
    let opened = app.keys.template.open(&sealed, Place::Template { seq });
    opened.map_err(|_| StoreError::damaged(format!("template {seq} cannot be opened with this template key")))
}
