//! Whether a proof shows a human who has not done this before, and the remembering of it.
//!
//! Cheap checks first: one look at the nullifier and the root, then 1–2 ms of pairings, then one insert. Only the
//! insert decides who was first. Knows nothing of eyes or devices.

use std::sync::Arc;
use std::time::Duration;

use circuits::Public;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use unum_identity::field::ExternalNullifier;
use unum_identity::humanness::{Verified, VerifyRequest};
use unum_identity::time::UnixTime;

use crate::server::App;
use crate::store::roots::KnownRoot;
use crate::store::{StoreError, Tx, nullifiers, roots};

/// Why the answer is no.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VerifyError {
    /// This human has done this before.
    #[error("used at {}", rfc3339(*.at))]
    NullifierUsed {
        /// When.
        at: UnixTime,
    },
    /// Never a root of this set.
    #[error("not a root of this set")]
    RootUnknown,
    /// Replaced too long ago. Fetch a new path and prove again.
    #[error("this root was replaced too long ago")]
    RootExpired,
    /// The proof does not hold.
    #[error("the proof does not hold")]
    Proof,
    /// The database gave no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn rfc3339(at: UnixTime) -> String {
    let time = i64::try_from(at.0).ok().and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_else(|| at.0.to_string())
}

/// Verifies and consumes.
pub(crate) async fn verify(app: &App, request: VerifyRequest) -> Result<Verified, VerifyError> {
    let now = app.clock.now();
    let scope = ExternalNullifier::of_app(&request.app_id, &request.action);
    let public = Public {
        root: request.root,
        nullifier: request.nullifier,
        signal_hash: request.signal_hash,
        external_nullifier: scope,
    };
    let window = app.config.root_window();
    let statement = &public;
    app.store
        .run_tx("look_at_nullifier", |tx| async move { look(&tx, statement, now, window).await })
        .await??;

    let (verifier, proof) = (Arc::clone(&app.verifier), request.proof);
    tokio::task::spawn_blocking(move || verifier.verify(&public, &proof))
        .await
        .expect("verifying does not panic")
        .map_err(|_| VerifyError::Proof)?;

    app.store
        .run_tx("consume_nullifier", |tx| async move {
            if nullifiers::consume(&tx, scope, request.nullifier, now).await? {
                return Ok(Ok(Verified { nullifier: request.nullifier, used_at: now }));
            }
            let at = nullifiers::used_at(&tx, scope, request.nullifier).await?.unwrap_or(now);
            Ok(Err(VerifyError::NullifierUsed { at }))
        })
        .await?
}

/// What can be said without looking at the proof.
async fn look(
    tx: &Tx,
    public: &Public,
    now: UnixTime,
    window: Duration,
) -> Result<Result<(), VerifyError>, StoreError> {
    if let Some(at) = nullifiers::used_at(tx, public.external_nullifier, public.nullifier).await? {
        return Ok(Err(VerifyError::NullifierUsed { at }));
    }
    Ok(counts(roots::get(tx, public.root).await?, now, window))
}

/// A root counts while it is current, and for `window` after it was replaced — not after it was made, or a set
/// that nobody joins would shut out everyone in it.
fn counts(root: Option<KnownRoot>, now: UnixTime, window: Duration) -> Result<(), VerifyError> {
    match root {
        None => Err(VerifyError::RootUnknown),
        Some(KnownRoot { replaced_at: Some(at) }) if now > at.plus(window) => Err(VerifyError::RootExpired),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_counts_from_when_it_was_replaced() {
        let window = Duration::from_secs(100);
        let root = |replaced_at| Some(KnownRoot { replaced_at });
        let counts = |root, now| counts(root, UnixTime(now), window);
        assert!(matches!(counts(None, 0), Err(VerifyError::RootUnknown)));
        assert!(counts(root(None), u64::MAX).is_ok(), "the current root never expires");
        assert!(counts(root(Some(UnixTime(1000))), 500).is_ok());
        assert!(counts(root(Some(UnixTime(1000))), 1100).is_ok());
        assert!(matches!(counts(root(Some(UnixTime(1000))), 1101), Err(VerifyError::RootExpired)));
    }

    #[test]
    fn the_time_of_first_use_is_readable() {
        let error = VerifyError::NullifierUsed { at: UnixTime(1_700_000_000) };
        assert_eq!(error.to_string(), "used at 2023-11-14T22:13:20Z");
    }
}
