//! The way of an envelope into the queue: whose is it, and does its nonce let it in?
//!
//! Knows nothing of what the envelope contains beyond what its device has signed.

use sha2::{Digest as _, Sha256};
use unum_identity::envelope::{EnvelopeError, Payload, Purpose, UnverifiedEnvelope, leaf_signature_holds};
use unum_identity::field::{Commitment, FieldElement};
use unum_identity::time::UnixTime;

use super::{EnrollError, Outcome, Refusal, answer, count};
use crate::server::App;
use crate::store::devices::{self, Device};
use crate::store::sessions::{self, IssuedNonce};
use crate::store::{StoreError, Tx, queue};

/// Envelopes that may wait, on all servers together: as many as a matcher of one a second answers before a device would
/// have to ask for a new nonce, many times over, and 12 MB.
const MAX_WAITING: u64 = 1000;

/// How an envelope was received.
pub(super) enum Accepted {
    /// It is in the queue, now or since it came for the first time.
    Queued,
    /// There is an answer: it was refused at once, or has come before.
    Answered(Outcome),
    /// Too many wait. Nothing has happened.
    Full,
}

/// The payload of an envelope that a device of ours has signed for this purpose.
pub(super) async fn authenticate(
    app: &App,
    purpose: Purpose,
    envelope: &[u8],
) -> Result<Payload, EnrollError> {
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

/// Uses up nonce and counter, and puts the envelope into the queue; or says what became of it when it came before.
pub(super) async fn accept(
    app: &App,
    purpose: Purpose,
    payload: &Payload,
    envelope: &[u8],
) -> Result<Accepted, StoreError> {
    let (now, hash) = (app.clock.now(), <[u8; 32]>::from(Sha256::digest(envelope)));
    let accepted = app.store.run_tx("accept_envelope", |tx| async move {
        let device = devices::lock(&tx, payload.device).await?;
        let nonce = sessions::lock(&tx, payload.nonce).await?;
        if let Some(nonce) = nonce.as_ref().filter(|nonce| nonce.used_by == Some(hash)) {
            return Ok(nonce.outcome.clone().map_or(Accepted::Queued, Accepted::Answered));
        }
        let waiting = queue::len(&tx).await?;
        app.metrics.gauge("enroll_queue_length", &[], waiting as f64);
        let admitted = admits(device.as_ref(), nonce.as_ref(), payload, now);
        if admitted.is_ok() && waiting >= MAX_WAITING {
            return Ok(Accepted::Full);
        }
        let is_first = use_up(&tx, device.as_ref(), nonce.as_ref(), payload, &hash).await?;
        match admitted {
            Ok(()) => {
                queue::insert(&tx, payload.nonce, purpose, envelope).await?;
                Ok(Accepted::Queued)
            }
            Err(refusal) => {
                let outcome = answer(Err(refusal));
                count(app, &outcome);
                if is_first {
                    sessions::answer(&tx, payload.nonce, Some(&outcome)).await?;
                }
                Ok(Accepted::Answered(outcome))
            }
        }
    });
    accepted.await
}

/// Uses up nonce and counter, as far as they are this device's to use; whether the nonce was unused.
async fn use_up(
    tx: &Tx,
    device: Option<&Device>,
    nonce: Option<&IssuedNonce>,
    payload: &Payload,
    envelope: &[u8; 32],
) -> Result<bool, StoreError> {
    if device.is_some_and(|device| device.last_counter.is_none_or(|last| payload.counter > last)) {
        devices::set_counter(tx, payload.device, payload.counter).await?;
    }
    let is_unused = nonce.is_some_and(|nonce| nonce.device == payload.device && nonce.used_by.is_none());
    if is_unused {
        sessions::use_up(tx, payload.nonce, envelope).await?;
    }
    Ok(is_unused)
}

/// Whether nonce and counter let this envelope in.
pub(super) fn admits(
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
    if nonce.used_by.is_some() {
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
