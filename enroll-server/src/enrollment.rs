//! The way of one envelope through the server.
//!
//! ```text
//! authenticate   whose envelope? signature, leaf signature, device not revoked
//! open           seal, eyes
//! judge          nonce and counter good? enough visible? compare with everyone up to a watermark, without a lock
//! settle         one transaction: use up nonce and counter; then refuse, record for review, or
//!                lock ─► same segments as scanned? ─► compare with whoever came after the watermark
//!                     ─► leaf, root, sealed eyes ─► commit
//! ```
//!
//! A recovery goes the same way and ends the other way round: whoever is known gets what they ask for ([`recovery`]).
//!
//! An envelope that its device has signed uses up its nonce and counter whatever the answer is; nothing else is kept
//! of a refused one. Refusals that come out the same every time (a bad signature) are given without writing.
//! The answer goes out after the commit. Before it nothing has happened, and the same envelope may come again.

mod recovery;

use std::sync::Arc;
use std::time::Instant;

use unum_identity::enrollment::{EnrollmentOutcome, EnrollmentReceipt, LogEvent, PublishedLeaf};
use unum_identity::envelope::{
    EnvelopeError, Payload, Purpose, SealContext, UnverifiedEnvelope, leaf_signature_holds,
};
use unum_identity::field::{Commitment, FieldElement};
use unum_identity::set::SetError;
use unum_identity::signed::Signed;
use unum_identity::time::UnixTime;
use unum_iris::EyePair;

use crate::gallery;
use crate::matcher::{Answer, Finding, Manifest, People, ScanError};
use crate::sealed::{Person, Place};
use crate::server::App;
use crate::store::devices::Device;
use crate::store::sessions::IssuedNonce;
use crate::store::{
    StoreError, Tx, devices, lock_enrollments, log, reviews, roots, segments, sessions, templates,
};
use crate::uniqueness::{Probe, Unfit};

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
    /// A replay, or an answer that was lost. Look whether the commitment is in the set.
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
}

/// Why there is no outcome.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnrollError {
    /// The server has decided against it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database gave no answer: nothing is decided.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is known before the deciding transaction.
enum Judgement {
    /// Not to be enrolled.
    Refuse(Refusal),
    /// Worth a decision.
    Compared(Compared),
}

/// What a scan without a lock found.
struct Compared {
    probe: Arc<Probe>,
    answer: Answer,
}

/// How an envelope was settled.
enum Settled {
    /// The leaf's place.
    Enrolled {
        leaf_index: u64,
    },
    Recovered {
        leaf_index: u64,
        replaced: Commitment,
    },
    Review,
    Refused(Refusal),
}

/// Enrolls the person of an envelope, if they are new; or recovers them, if they are known.
pub(crate) async fn submit(
    app: &App,
    purpose: Purpose,
    envelope: &[u8],
) -> Result<EnrollmentOutcome, EnrollError> {
    let payload = timed(app, "envelope", authenticate(app, purpose, envelope)).await?;
    let eyes = timed(app, "open", async { open(app, &payload) }).await?;
    let settled = judge_and_settle(app, purpose, &payload, &eyes).await?;
    let receipt = |leaf_index| {
        let accepted_at = start_of_hour(app.clock.now());
        let receipt = EnrollmentReceipt { commitment: payload.commitment, leaf_index, accepted_at };
        Signed::new(receipt, &app.keys.signing)
    };
    match settled {
        Settled::Refused(refusal) => Err(refusal.into()),
        Settled::Review => Ok(EnrollmentOutcome::Review),
        Settled::Enrolled { leaf_index } => Ok(EnrollmentOutcome::Enrolled { receipt: receipt(leaf_index) }),
        Settled::Recovered { leaf_index, replaced } => {
            Ok(EnrollmentOutcome::Recovered { receipt: receipt(leaf_index), replaced })
        }
    }
}

/// Judges, and acts on it; once more if what was judged by is not what stands there any more.
async fn judge_and_settle(
    app: &App,
    purpose: Purpose,
    payload: &Payload,
    eyes: &EyePair,
) -> Result<Settled, StoreError> {
    let mut scan = 1;
    loop {
        let judgement = timed(app, "scan", judge(app, payload, eyes)).await?;
        match timed(app, "settle", settle(app, purpose, payload, &judgement)).await {
            Err(StoreError::Overtaken(by)) if scan < SCANS => tracing::info!(scan, by, "comparing again"),
            settled => return settled,
        }
        scan += 1;
    }
}

async fn timed<T>(app: &App, stage: &str, work: impl Future<Output = T>) -> T {
    let started = Instant::now();
    let result = work.await;
    app.metrics.seconds("enroll_stage_seconds", &[("stage", stage)], started.elapsed());
    result
}

async fn authenticate(app: &App, purpose: Purpose, envelope: &[u8]) -> Result<Payload, EnrollError> {
    let envelope = UnverifiedEnvelope::from_bytes(envelope).map_err(|_| Refusal::Malformed)?;
    let id = envelope.device();
    let device = app.store.run_tx("find_device", |tx| async move { devices::get(&tx, id).await }).await?;
    let device = device.ok_or(Refusal::DeviceUnknown)?;
    let key = device.registration.key;
    let payload = envelope.verify(&key, purpose).map_err(|error| match error {
        EnvelopeError::Signature => Refusal::Signature,
        EnvelopeError::Commitment => Refusal::Commitment,
        _ => Refusal::Malformed,
    })?;
    if !leaf_signature_holds(payload.device, payload.commitment, &payload.leaf_signature, &key) {
        return Err(Refusal::Signature.into());
    }
    if device.is_revoked {
        return Err(Refusal::DeviceRevoked.into());
    }
    if payload.commitment == Commitment(FieldElement::ZERO) {
        return Err(Refusal::Commitment.into());
    }
    if i64::try_from(payload.counter).is_err() {
        return Err(Refusal::Malformed.into()); // a device that counts ten times a second gets there in 29 billion years
    }
    let needed = app.config.consent_version;
    if payload.consent_version != needed {
        return Err(Refusal::Consent { found: payload.consent_version, needed }.into());
    }
    Ok(payload)
}

fn open(app: &App, payload: &Payload) -> Result<EyePair, Refusal> {
    let opened = payload.sealed.open(&app.keys.opening, SealContext::from(payload));
    EyePair::from_bytes(&opened.map_err(|_| Refusal::Malformed)?).map_err(|_| Refusal::Malformed)
}

/// Everything that can be found out without a lock. What may have changed since is looked at again by [`settle`].
async fn judge(app: &App, payload: &Payload, eyes: &EyePair) -> Result<Judgement, StoreError> {
    let now = app.clock.now();
    let first_look = app.store.run_tx("look_at_enrollment", |tx| async move {
        let device = devices::get(&tx, payload.device).await?;
        let nonce = sessions::get(&tx, payload.nonce).await?;
        if let Err(refusal) = admits(device.as_ref(), nonce.as_ref(), payload, now) {
            return Ok(Err(refusal));
        }
        let known = log::place_of(&tx, payload.commitment).await?.is_some();
        Ok(if known { Err(Refusal::CommitmentKnown) } else { Ok(()) })
    });
    if let Err(refusal) = first_look.await? {
        return Ok(Judgement::Refuse(refusal));
    }
    let probe = match Probe::new(eyes, app.config.min_usable_bits, app.config.one_eye) {
        Ok(probe) => Arc::new(probe),
        Err(unfit) => return Ok(Judgement::Refuse(unfit.into())),
    };
    app.gallery.sync(&app.store).await?;
    let answer = app.matcher.scan(Arc::clone(&probe)).await?;
    Ok(Judgement::Compared(Compared { probe, answer }))
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
    /// Nothing is decided, and the same envelope may come again: as when the database is gone.
    fn from(error: ScanError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// Whether nonce and counter let this envelope in.
fn admits(
    device: Option<&Device>,
    nonce: Option<&IssuedNonce>,
    payload: &Payload,
    now: UnixTime,
) -> Result<(), Refusal> {
    let device = device.ok_or(Refusal::DeviceUnknown)?;
    if device.is_revoked {
        return Err(Refusal::DeviceRevoked);
    }
    let nonce = nonce.filter(|nonce| nonce.device == payload.device).ok_or(Refusal::NonceUnknown)?;
    if nonce.is_used {
        return Err(Refusal::NonceUsed);
    }
    if now >= nonce.expires_at {
        return Err(Refusal::NonceExpired);
    }
    match device.last_counter {
        Some(last) if payload.counter <= last => Err(Refusal::Counter { found: payload.counter, last }),
        _ => Ok(()),
    }
}

async fn settle(
    app: &App,
    purpose: Purpose,
    payload: &Payload,
    judgement: &Judgement,
) -> Result<Settled, StoreError> {
    let now = app.clock.now();
    let settled = app.store.run_tx("settle_enrollment", |tx| async move {
        if let Err(refusal) = use_up(&tx, payload, now).await? {
            return Ok(Settled::Refused(refusal));
        }
        match judgement {
            Judgement::Refuse(refusal) => Ok(Settled::Refused(refusal.clone())),
            Judgement::Compared(compared) => match purpose {
                Purpose::Enroll => decide(app, &tx, payload, compared, now).await,
                Purpose::Recover => recovery::decide(app, &tx, payload, compared, now).await,
            },
        }
    });
    settled.await
}

/// Uses up nonce and counter, as far as they are this device's to use, and says whether they let the envelope in.
async fn use_up(tx: &Tx, payload: &Payload, now: UnixTime) -> Result<Result<(), Refusal>, StoreError> {
    let device = devices::lock(tx, payload.device).await?;
    let nonce = sessions::lock(tx, payload.nonce).await?;
    let admitted = admits(device.as_ref(), nonce.as_ref(), payload, now);
    if device.is_some_and(|device| device.last_counter.is_none_or(|last| payload.counter > last)) {
        devices::set_counter(tx, payload.device, payload.counter).await?;
    }
    if nonce.is_some_and(|nonce| nonce.device == payload.device) {
        sessions::use_up(tx, payload.nonce).await?;
    }
    Ok(admitted)
}

/// What is found among everyone, with those who came since the scan; and how many they all are. From here to the commit
/// nobody else enrolls, on any server. The scan covered rows 1 to the watermark, this covers the rest: everyone, exactly
/// once.
async fn look_again(
    app: &App,
    tx: &Tx,
    Compared { probe, answer }: &Compared,
) -> Result<(Finding, u64), StoreError> {
    lock_enrollments(tx).await?;
    still_covered(tx, answer).await?;
    let watermark = answer.everyone.watermark();
    let tail = app.gallery.tail(tx, &answer.everyone).await?;
    let people = watermark + tail.len();
    let finding = match scan(app, probe, tail).await? {
        Finding::Duplicate { person } => Finding::Duplicate { person: watermark + person },
        other => other,
    };
    Ok((answer.finding.and(finding), people))
}

/// Acts on what the scan found; of the unique ones, compares with whoever came since.
async fn decide(
    app: &App,
    tx: &Tx,
    payload: &Payload,
    compared: &Compared,
    now: UnixTime,
) -> Result<Settled, StoreError> {
    let (probe, scanned) = (&compared.probe, &compared.answer);
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
            Ok(Settled::Review)
        }
        Finding::Duplicate { .. } | Finding::Duplicates => Ok(Settled::Refused(Refusal::Duplicate)),
        Finding::TooLittleOverlap { compared, needed } => {
            Ok(Settled::Refused(Refusal::TooLittleOverlap { compared, needed }))
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
        return Ok(Settled::Refused(Refusal::CommitmentKnown));
    }
    let enrolled = |leaf_index| LogEvent::Enrolled { leaf_index, leaf: leaf(payload) };
    let Ok(leaf_index) = publish(app, tx, enrolled, now).await? else {
        return Ok(Settled::Refused(Refusal::SetFull));
    };
    let row = gallery::row(&person(payload, probe), people + 1, &app.keys.template, &mut *app.rng());
    templates::insert(tx, &row).await?;
    reviews::delete(tx, commitment).await?;
    Ok(Settled::Enrolled { leaf_index })
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
