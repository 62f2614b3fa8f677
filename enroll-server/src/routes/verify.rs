//! An app asks whether its user is one human, or fetches what it needs to find out by itself.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use service::ProblemResponse;
use unum_identity::bytes::KeyHash;
use unum_identity::humanness::{Checked, PublishedRoots, UNUM_SET, Verified, VerifyRequest};
use unum_identity::problem::Problem;
use unum_identity::time::UnixTime;

use crate::server::App;
use crate::store::roots;

/// Most roots that are published: 130 KB of JSON.
const MOST_ROOTS: u64 = 1000;

/// How long a list of roots may be kept: whoever has just enrolled is in it ten seconds later.
const ROOTS_KEPT: (HeaderName, &str) = (header::CACHE_CONTROL, "public, max-age=10");
/// How long the key may be kept. It changes with a new ceremony, if ever.
const KEYS_KEPT: (HeaderName, &str) = (header::CACHE_CONTROL, "public, max-age=3600");

/// A key that proofs are made for.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Key<'a> {
    /// SHA-256 of its bytes.
    id: KeyHash,
    /// The set whose people prove with it.
    name: &'static str,
    /// As snarkjs writes it.
    #[schema(value_type = Object)]
    verifying_key: &'a serde_json::Value,
}

/// Our own keys.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Keys<'a> {
    keys: Vec<Key<'a>>,
}

/// Verifies a proof and counts one use more
///
/// Needs a registered app with this action; `/v1/proofs/check` needs nothing. A use that was counted stays counted, whether or not the
/// answer arrives.
#[utoipa::path(post, path = "/v1/verify", tag = "humanness",
    request_body = VerifyRequest,
    responses(
        (status = 200, description = "A human in a set that the app takes, who has not done this too often", body = Verified),
        (status = 400, description = "`body_invalid`: also for every value that is not canonical", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`app_unknown`, `action_unknown`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`nullifier_used`, as often as allowed, with the time of the last use", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`root_unknown`, `root_expired`, `proof_invalid`, `action_closed`, `set_not_accepted`, `day_wrong`, `day_over`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_requests`: of this address, or for this app", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`busy`: too many proofs are under way; `unavailable`", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn verify(
    State(app): State<Arc<App>>,
    service::Json(request): service::Json<VerifyRequest>,
) -> Result<Json<Verified>, ProblemResponse> {
    let result = crate::verify::verify(&app, request).await.map_err(ProblemResponse::from);
    app.count_verification("v1", result.as_ref().map_or_else(ProblemResponse::code, |_| "verified"));
    result.map(Json)
}

/// Verifies a proof and keeps nothing
///
/// For apps that count by themselves: whether the nullifier was used before is not looked at, and the app needs no registration. People
/// of every set that this server knows pass; the answer says which.
#[utoipa::path(post, path = "/v1/proofs/check", tag = "humanness",
    request_body = VerifyRequest,
    responses(
        (status = 200, description = "The proof holds", body = Checked),
        (status = 400, description = "`body_invalid`: also for every value that is not canonical", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`root_unknown`, `root_expired`, `proof_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_requests`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`busy`: too many proofs are under way; `unavailable`", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn check(
    State(app): State<Arc<App>>,
    service::Json(request): service::Json<VerifyRequest>,
) -> Result<Json<Checked>, ProblemResponse> {
    let result = crate::verify::check(&app, &request).await.map_err(ProblemResponse::from);
    app.count_verification("check", result.as_ref().map_or_else(ProblemResponse::code, |_| "verified"));
    result.map(Json)
}

/// The roots of our own set that count now, newest first
#[utoipa::path(get, path = "/v1/roots", tag = "humanness",
    responses(
        (status = 200, description = "May be kept for ten seconds", body = PublishedRoots),
        (status = 503, description = "`unavailable`", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn roots(
    State(app): State<Arc<App>>,
) -> Result<([(HeaderName, &'static str); 1], Json<PublishedRoots>), ProblemResponse> {
    let window_seconds = app.config.root_window_seconds;
    let since = UnixTime(app.clock.now().0.saturating_sub(window_seconds));
    let roots =
        app.store.run_tx("list_roots", |tx| async move { roots::since(&tx, since, MOST_ROOTS).await });
    Ok(([ROOTS_KEPT], Json(PublishedRoots { roots: roots.await?, window_seconds })))
}

/// The key that proofs of our own set are made for
///
/// Compare its id with one from a trusted place: whoever could answer here with another key could make proofs that hold.
#[utoipa::path(get, path = "/v1/keys", tag = "humanness",
    responses((status = 200, description = "May be kept for an hour", body = Keys<'_>)))]
pub(super) async fn keys(State(app): State<Arc<App>>) -> Response {
    let key = app.sets.key();
    let key = Key { id: key.id, name: UNUM_SET, verifying_key: &key.verifying_key };
    ([KEYS_KEPT], Json(Keys { keys: vec![key] })).into_response()
}
