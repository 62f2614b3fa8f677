//! The way of one envelope through the server.
//!
//! ```text
//! authenticate   whose envelope? signature, leaf signature, device not revoked
//! accept         nonce and counter good? used up, and the envelope is in the queue ─► commit
//! take           by this server or another one
//! judge          seal, eyes; enough visible? compare with everyone up to a watermark, without a lock
//! settle         one transaction: out of the queue; then refuse, record for review, or
//!                lock ─► same segments as scanned? ─► compare with whoever came after the watermark
//!                     ─► leaf, root, sealed eyes ─► the answer, kept with the nonce ─► commit
//! ```
//!
//! A recovery goes the same way and ends the other way round: whoever is known gets what they ask for ([`recovery`]).
//!
//! An envelope that was accepted gets one answer, whatever happens to servers meanwhile, and the same envelope again
//! gets it again, as long as its nonce is remembered. Of a refused one nothing else is kept. Refusals that come out the
//! same every time (a bad signature) are given without writing. The answer goes out after the commit.

mod accept;
mod queue;
mod recovery;

use std::sync::Arc;
use std::time::Instant;

use service::ProblemResponse;
use unum_identity::enrollment::{EnrollmentOutcome, EnrollmentReceipt, LogEvent, PublishedLeaf};
use unum_identity::envelope::{Payload, Purpose, SealContext};
use unum_identity::problem::Problem;
use unum_identity::set::SetError;
use unum_identity::signed::Signed;
use unum_identity::time::UnixTime;
use unum_iris::EyePair;

use crate::gallery;
use crate::matcher::{Answer, Finding, Manifest, People, ScanError};
use crate::sealed::{Person, Place};
use crate::server::App;
use crate::store::queue::{self as queued, Queued};
use crate::store::{
    StoreError, Tx, chain, devices, lock_enrollments, log, reviews, roots, segments, sessions, templates,
};
use crate::uniqueness::{Probe, Unfit};
use accept::{Accepted, accept, authenticate};
pub(crate) use queue::{Queue, work};

/// How often everyone is compared anew because meanwhile somebody was erased, recovered, or put into a segment.
const SCANS: u32 = 3;
/// Seconds of an hour: the finest time that is kept with a leaf.
const HOUR: u64 = 3600;

/// Why nobody was enrolled, or recovered.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// No envelope, or nothing a device of ours would send.
    #[error("not a device envelope of this version")]
    Malformed,
    /// Not registered.
    #[error("this device is not registered")]
    DeviceUnknown,
    /// The envelope's signature or the leaf's does not hold.
    #[error("the device's signature does not hold")]
    Signature,
    /// Registered once, not trusted any more.
    #[error("this device has been revoked")]
    DeviceRevoked,
    /// Never given to this device, or long ago. Ask for a new session.
    #[error("this nonce was not given to this device")]
    NonceUnknown,
    /// Too late. Ask for a new session.
    #[error("the nonce has expired")]
    NonceExpired,
    /// Another envelope has used it. Ask for a new session.
    #[error("the nonce has been used")]
    NonceUsed,
    /// A replay, or a device whose counter was reset.
    #[error("counter {found}, must be above {last}")]
    Counter { found: u64, last: u64 },
    /// Not canonical, or the zero of an empty place.
    #[error("the commitment is not a canonical, non-zero field element")]
    Commitment,
    /// In the set already, or once.
    #[error("this commitment is in the set, or was")]
    CommitmentKnown,
    /// Another text than the one in force.
    #[error("consent to version {found}, version {needed} is in force")]
    Consent { found: u32, needed: u32 },
    /// Not comparable with anyone. Capture again.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// Not comparable with someone. Capture again.
    #[error("only {compared} bits can be compared, need {needed}")]
    TooLittleOverlap { compared: u32, needed: u32 },
    /// Enrolled already.
    #[error("this person is enrolled")]
    Duplicate,
    /// Not to be recovered: enroll.
    #[error("nobody like this person is enrolled")]
    NotEnrolled,
    /// Not to be recovered by these eyes: one is somebody's, the other is not, or they are several people's.
    #[error("the eyes are not clearly those of one person who is enrolled")]
    NotOnePerson,
    /// Recovered already, not long ago. Come again later.
    #[error("this person has recovered lately, and may again in {days} days")]
    RecoveredLately { days: u64 },
    /// No place is left.
    #[error("the set is full")]
    SetFull,
    /// Too many wait. Nothing has happened: come back later.
    #[error("too many envelopes wait")]
    Busy,
    /// The envelope is in the queue: send it again, for its answer.
    #[error("the envelope waits to be judged; the same envelope again gets the answer")]
    Waits,
    /// A fault of ours: whoever tries to judge it fails. Ask for a new session, and tell an operator.
    #[error("this envelope makes the server fail; an operator has to look, and another envelope may pass")]
    Quarantined,
}

/// The answer to an envelope, as it is kept.
pub(crate) type Outcome = Result<EnrollmentOutcome, Problem>;

/// Why there is no outcome.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnrollError {
    /// The server has decided against it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database gave no answer: nothing is decided yet.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is known before the deciding transaction.
enum Judgement<'a> {
    /// Not to be enrolled.
    Refuse(Refusal),
    /// Worth a decision.
    Compared(Compared<'a>),
}

/// What a scan without a lock found.
struct Compared<'a> {
    payload: &'a Payload,
    probe: Arc<Probe>,
    answer: Answer,
}

/// How an envelope was settled.
type Settled = Result<EnrollmentOutcome, Refusal>;

/// Has the person of an envelope enrolled, if they are new, or recovered, if they are known; and waits a while for the answer.
pub(crate) async fn submit(app: &App, purpose: Purpose, envelope: &[u8]) -> Result<Outcome, EnrollError> {
    let payload = timed(app, "envelope", authenticate(app, purpose, envelope)).await?;
    let waiting = app.queue.wait(payload.nonce);
    match timed(app, "accept", accept(app, purpose, &payload, envelope)).await? {
        Accepted::Answered(outcome) => return Ok(outcome),
        Accepted::Full => return Err(Refusal::Busy.into()),
        Accepted::Queued => app.queue.wake(),
    }
    timed(app, "answer", waiting.outcome(app)).await?.ok_or_else(|| Refusal::Waits.into())
}

/// Judges an envelope that this server has taken, and answers it. `None` if another server has taken it meanwhile.
async fn process(app: &App, envelope: &Queued) -> Result<Option<Outcome>, StoreError> {
    let (payload, eyes) = match examine(app, envelope).await {
        Ok(examined) => examined,
        Err(EnrollError::Refused(refusal)) => {
            return settle(app, envelope, &Judgement::Refuse(refusal)).await;
        }
        Err(EnrollError::Store(error)) => return Err(error),
    };
    let mut scan = 1;
    loop {
        let judgement = timed(app, "scan", judge(app, &payload, &eyes)).await?;
        match timed(app, "settle", settle(app, envelope, &judgement)).await {
            // What was judged by is not what stands there any more.
            Err(StoreError::Overtaken(by)) if scan < SCANS => tracing::info!(scan, by, "comparing again"),
            settled => return settled,
        }
        scan += 1;
    }
}

/// What is in an envelope, looked at once more: it has been in the database.
async fn examine(app: &App, envelope: &Queued) -> Result<(Payload, EyePair), EnrollError> {
    let payload = authenticate(app, envelope.purpose, &envelope.envelope).await?;
    let eyes = timed(app, "open", async { open(app, &payload) }).await?;
    Ok((payload, eyes))
}

async fn timed<T>(app: &App, stage: &str, work: impl Future<Output = T>) -> T {
    let started = Instant::now();
    let result = work.await;
    app.metrics.seconds("enroll_stage_seconds", &[("stage", stage)], started.elapsed());
    result
}

fn open(app: &App, payload: &Payload) -> Result<EyePair, Refusal> {
    let opened = payload.sealed.open(&app.keys.opening, SealContext::from(payload));
    EyePair::from_bytes(&opened.map_err(|_| Refusal::Malformed)?).map_err(|_| Refusal::Malformed)
}

/// Everything that can be found out without a lock. What may have changed since is looked at again by [`settle`].
async fn judge<'a>(app: &App, payload: &'a Payload, eyes: &EyePair) -> Result<Judgement<'a>, StoreError> {
    let commitment = payload.commitment;
    let known =
        app.store.run_tx("look_at_enrollment", |tx| async move { log::place_of(&tx, commitment).await });
    if known.await?.is_some() {
        return Ok(Judgement::Refuse(Refusal::CommitmentKnown));
    }
    let probe = match Probe::new(eyes, app.config.min_usable_bits, app.config.one_eye) {
        Ok(probe) => Arc::new(probe),
        Err(unfit) => return Ok(Judgement::Refuse(unfit.into())),
    };
    app.gallery.sync(&app.store).await.map_err(of_everyone)?;
    let answer = app.matcher.scan(Arc::clone(&probe)).await?;
    Ok(Judgement::Compared(Compared { payload, probe, answer }))
}

/// What is wrong with the rows of everyone is no fault of the envelope that is to be compared with them.
fn of_everyone(error: StoreError) -> StoreError {
    match error {
        StoreError::Damaged(_) | StoreError::Statement(_) => StoreError::Unavailable(chain(&error)),
        other => other,
    }
}

/// Compares with a few people, on other threads than those that answer requests.
async fn scan(app: &App, probe: &Arc<Probe>, people: People) -> Result<Finding, StoreError> {
    let (probe, thresholds) = (Arc::clone(probe), app.config.thresholds);
    let scan = tokio::task::spawn_blocking(move || probe.scan(&people, thresholds));
    Ok(scan.await.map_err(|_| ScanError::BrokeOff)?.map_err(ScanError::from)?)
}

/// Whether the segments are still those that were compared. Whatever the database lists now has to have been covered.
async fn still_covered(tx: &Tx, answer: &Answer) -> Result<(), StoreError> {
    let manifest = Manifest::new(segments::all(tx).await?);
    let manifest = manifest.map_err(StoreError::overtaken)?;
    answer.scanned.covers(&manifest, answer.everyone.watermark()).map_err(StoreError::overtaken)
}

impl From<ScanError> for StoreError {
    /// Nothing is decided.
    fn from(error: ScanError) -> Self {
        match error {
            // It did so with this query alone, too.
            ScanError::BrokeOff => Self::damaged(error),
            ScanError::Uncovered(_) | ScanError::Elsewhere(_) => Self::Unavailable(error.to_string()),
        }
    }
}

/// Answers an envelope, and acts on what was found.
async fn settle(
    app: &App,
    envelope: &Queued,
    judgement: &Judgement<'_>,
) -> Result<Option<Outcome>, StoreError> {
    let now = app.clock.now();
    let settled = app.store.run_tx("settle_enrollment", |tx| async move {
        if !queued::finish(&tx, app.matcher_id, envelope.nonce).await? {
            return Ok(None);
        }
        let settled = match judgement {
            Judgement::Refuse(refusal) => Err(refusal.clone()),
            Judgement::Compared(compared) if is_revoked(&tx, compared.payload).await? => {
                Err(Refusal::DeviceRevoked)
            }
            Judgement::Compared(compared) => match envelope.purpose {
                Purpose::Enroll => decide(app, &tx, compared, now).await?,
                Purpose::Recover => recovery::decide(app, &tx, compared, now).await?,
            },
        };
        let outcome = answer(settled);
        sessions::answer(&tx, envelope.nonce, Some(&outcome)).await?;
        Ok(Some(outcome))
    });
    let outcome = settled.await?;
    if let Some(outcome) = &outcome {
        count(app, outcome);
    }
    Ok(outcome)
}

/// Whether the device has been revoked since its envelope was accepted.
async fn is_revoked(tx: &Tx, payload: &Payload) -> Result<bool, StoreError> {
    Ok(devices::get(tx, payload.device).await?.is_none_or(|device| device.is_revoked))
}

fn answer(settled: Settled) -> Outcome {
    settled.map_err(|refusal| ProblemResponse::from(refusal).0)
}

/// Counts an envelope that was answered for the first time.
fn count(app: &App, outcome: &Outcome) {
    let name = match outcome {
        Ok(EnrollmentOutcome::Enrolled { receipt }) => {
            app.count_leaves(receipt.statement.leaf_index + 1);
            "enrolled"
        }
        Ok(EnrollmentOutcome::Recovered { .. }) => "recovered",
        Ok(EnrollmentOutcome::Review) => "review",
        Err(problem) => &problem.code,
    };
    app.metrics.count("enroll_enrollments_total", &[("outcome", name)], 1);
}

/// What is found among everyone, with those who came since the scan; and how many they all are. From here to the commit
/// nobody else enrolls, on any server. The scan covered rows 1 to the watermark, this covers the rest: everyone, exactly
/// once.
async fn look_again(
    app: &App,
    tx: &Tx,
    Compared { probe, answer, .. }: &Compared<'_>,
) -> Result<(Finding, u64), StoreError> {
    lock_enrollments(tx).await?;
    still_covered(tx, answer).await?;
    let watermark = answer.everyone.watermark();
    let tail = app.gallery.tail(tx, &answer.everyone).await.map_err(of_everyone)?;
    let people = watermark + tail.len();
    let finding = match scan(app, probe, tail).await? {
        Finding::Duplicate { person } => Finding::Duplicate { person: watermark + person },
        other => other,
    };
    Ok((answer.finding.and(finding), people))
}

/// Acts on what the scan found; of the unique ones, compares with whoever came since.
async fn decide(app: &App, tx: &Tx, compared: &Compared<'_>, now: UnixTime) -> Result<Settled, StoreError> {
    let Compared { payload, probe, answer: scanned } = compared;
    let (finding, people) = match scanned.finding {
        Finding::Unique => look_again(app, tx, compared).await?,
        other => (other, scanned.everyone.watermark()),
    };
    match finding {
        Finding::Unique => admit(app, tx, payload, probe, people, now).await,
        Finding::Review => {
            let place = Place::Review { commitment: payload.commitment };
            let sealed = app.keys.template.seal(&person(payload, probe), place, &mut *app.rng());
            reviews::insert(tx, payload, &sealed, start_of_hour(now)).await?;
            Ok(Ok(EnrollmentOutcome::Review))
        }
        Finding::Duplicate { .. } | Finding::Duplicates => Ok(Err(Refusal::Duplicate)),
        Finding::TooLittleOverlap { compared, needed } => {
            Ok(Err(Refusal::TooLittleOverlap { compared, needed }))
        }
    }
}

/// Adds a person who is new. `people` is how many there are. The caller holds the lock.
async fn admit(
    app: &App,
    tx: &Tx,
    payload: &Payload,
    probe: &Probe,
    people: u64,
    now: UnixTime,
) -> Result<Settled, StoreError> {
    let commitment = payload.commitment;
    if log::place_of(tx, commitment).await?.is_some() {
        return Ok(Err(Refusal::CommitmentKnown));
    }
    let enrolled = |leaf_index| LogEvent::Enrolled { leaf_index, leaf: leaf(payload) };
    let Ok(leaf_index) = publish(app, tx, enrolled, now).await? else {
        return Ok(Err(Refusal::SetFull));
    };
    let row = gallery::row(&person(payload, probe), people + 1, &app.keys.template, &mut *app.rng());
    templates::insert(tx, &row).await?;
    reviews::delete(tx, commitment).await?;
    Ok(Ok(EnrollmentOutcome::Enrolled { receipt: receipt(app, payload, leaf_index, now) }))
}

/// Writes an event, which is told where the next newcomer's leaf would be, and the root that it makes. Gives the place of
/// the leaf that it is about. The caller holds the lock.
pub(crate) async fn publish(
    app: &App,
    tx: &Tx,
    event: impl FnOnce(u64) -> LogEvent,
    now: UnixTime,
) -> Result<Result<u64, SetError>, StoreError> {
    let next = app.published.next(tx).await?;
    let (number, event) = (next.number, event(next.leaves));
    let root = match app.published.root_with(event.change()) {
        Ok(root) => root,
        Err(error) => return Ok(Err(error)),
    };
    log::insert(tx, number, &event, start_of_hour(now)).await?;
    roots::replace(tx, root, number + 1, end_of_hour(now)).await?;
    Ok(Ok(event.leaf_index()))
}

fn receipt(app: &App, payload: &Payload, leaf_index: u64, now: UnixTime) -> Signed<EnrollmentReceipt> {
    let (commitment, accepted_at) = (payload.commitment, start_of_hour(now));
    Signed::new(EnrollmentReceipt { commitment, leaf_index, accepted_at }, &app.keys.signing)
}

fn leaf(payload: &Payload) -> PublishedLeaf {
    let Payload { commitment, device, leaf_signature: signature, .. } = *payload;
    PublishedLeaf { commitment, device, signature }
}

fn person(payload: &Payload, probe: &Probe) -> Person {
    Person {
        commitment: payload.commitment,
        consent_version: payload.consent_version,
        recovered_at: None,
        eyes: probe.eyes().clone(),
    }
}

pub(crate) fn start_of_hour(time: UnixTime) -> UnixTime {
    UnixTime(time.0 - time.0 % HOUR)
}

fn end_of_hour(time: UnixTime) -> UnixTime {
    UnixTime(time.0.saturating_add(HOUR - 1) / HOUR * HOUR)
}

#[cfg(test)]
mod tests;
