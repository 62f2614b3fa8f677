//! Operators look at envelopes that could not be judged.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use service::{Operator, Path, ProblemResponse};
use unum_identity::bytes::Nonce;
use unum_identity::problem::Problem;
use unum_identity::time::UnixTime;

use crate::server::App;
use crate::store::queue::{self, Quarantined};
use crate::store::{Tx, sessions};

/// An envelope that nobody judges any more.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct QuarantinedEnvelope {
    /// Of its session.
    nonce: Nonce,
    /// `enroll` or `recover`.
    purpose: &'static str,
    /// At judging it.
    attempts: u32,
    /// How the last one failed; missing if the server just ended, and the attempt with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    /// Since when.
    quarantined_at: UnixTime,
}

impl From<Quarantined> for QuarantinedEnvelope {
    fn from(envelope: Quarantined) -> Self {
        let Quarantined { nonce, purpose, attempts, failure, quarantined_at } = envelope;
        Self { nonce, purpose: queue::name(purpose), attempts, failure, quarantined_at }
    }
}

/// Lists envelopes that nobody judges any more
///
/// Each has made its judge fail several times, the last times with nothing beside it. They are kept for a week.
#[utoipa::path(get, path = "/v1/quarantine", tag = "operations", security(("operator" = [])),
    responses(
        (status = 200, description = "The first to come first", body = Vec<QuarantinedEnvelope>),
        (status = "4XX", description = "`operator_required`", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn list(
    _: Operator,
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<QuarantinedEnvelope>>, ProblemResponse> {
    let list = app.store.run_tx("list_quarantine", |tx| async move { queue::quarantined(&tx).await });
    Ok(Json(list.await?.into_iter().map(QuarantinedEnvelope::from).collect()))
}

/// Has an envelope judged once more
///
/// After the fault was mended. Its device gets the new answer if it sends the same envelope again.
#[utoipa::path(post, path = "/v1/quarantine/{nonce}/release", tag = "operations", security(("operator" = [])),
    params(("nonce" = String, Path, description = "64 lower-case hex digits")),
    responses(
        (status = 204, description = "It is in the queue again"),
        (status = "4XX", description = "`operator_required`, `nonce_unknown`, `path_invalid`",
            body = Problem, content_type = "application/problem+json")))]
pub(super) async fn release(
    _: Operator,
    State(app): State<Arc<App>>,
    Path(nonce): Path<Nonce>,
) -> Result<StatusCode, ProblemResponse> {
    let release = |tx: Arc<Tx>| async move {
        let released = queue::release(&tx, nonce).await?;
        if released {
            sessions::answer(&tx, nonce, None).await?;
        }
        Ok(released)
    };
    if !app.store.run_tx("release_quarantine", release).await? {
        return Err(
            ProblemResponse::new(404, "nonce_unknown").detail("nothing with this nonce is in quarantine")
        );
    }
    app.queue.wake();
    Ok(StatusCode::NO_CONTENT)
}
