//! Addresses of World ID's services. What they mean is in [`compat`](crate::compat).

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use service::{Body, Path};

use crate::compat::portal;
use crate::compat::sequencer::{self, Age, Form, PathAndStatus, RootStatus, Validity};
use crate::server::App;

/// Verifies a proof and counts one use more, as World's developer portal does
///
/// Body: `action`, `signal_hash`, `proof`, `nullifier_hash`, `merkle_root`, `verification_level`, `max_age`. Hex may lack leading zeros.
/// `max_age` counts from when the root was replaced. Errors are `{code, detail, attribute, app_id}`.
#[utoipa::path(post, path = "/api/v2/verify/{app_id}", tag = "compatible",
    params(("app_id" = String, Path, description = "The app")),
    request_body(content = serde_json::Value, content_type = "application/json"),
    responses(
        (status = 200, body = portal::Success),
        (status = "4XX", description = "`required`, `invalid_format`, `not_found`, `invalid_action`, `action_inactive`, `max_verifications_reached`, `invalid_merkle_root`, `root_too_old`, `invalid_proof`, `too_many_requests`"),
        (status = "5XX", description = "`prover_error`, `internal_error`")))]
pub(super) async fn verify(
    State(app): State<Arc<App>>,
    Path(app_id): Path<String>,
    Body(body): Body,
) -> Response {
    portal::verify(&app, &app_id, &body).await
}

/// The path of a commitment, as World's signup sequencer gives it
///
/// Body: `identityCommitment`. Errors are plain text.
#[utoipa::path(post, path = "/inclusionProof", tag = "compatible",
    request_body(content = serde_json::Value, content_type = "application/json"),
    responses((status = 200, body = PathAndStatus), (status = 400), (status = 404), (status = 410)))]
pub(super) async fn inclusion_proof(State(app): State<Arc<App>>, Body(body): Body) -> Response {
    sequencer::inclusion_proof(&app, &body).await
}

/// Verifies a proof and keeps nothing, as World's signup sequencer does
///
/// Body: `root`, `signalHash`, `nullifierHash`, `externalNullifierHash`, `proof`. Errors are plain text.
#[utoipa::path(post, path = "/verifySemaphoreProof", tag = "compatible",
    params(("maxRootAgeSeconds" = Option<u64>, Query, description = "Counted from when the root was replaced")),
    request_body(content = serde_json::Value, content_type = "application/json"),
    responses((status = 200, body = RootStatus), (status = 400)))]
pub(super) async fn verify_proof(
    State(app): State<Arc<App>>,
    age: Result<Query<Age>, QueryRejection>,
    Body(body): Body,
) -> Response {
    sequencer::verify_proof(&app, Form::Full, age.ok().map(|Query(age)| age), &body).await
}

/// The same for a proof of four words
#[utoipa::path(post, path = "/verifyCompressedSemaphoreProof", tag = "compatible",
    params(("maxRootAgeSeconds" = Option<u64>, Query, description = "Counted from when the root was replaced")),
    request_body(content = serde_json::Value, content_type = "application/json"),
    responses((status = 200, body = RootStatus), (status = 400)))]
pub(super) async fn verify_compressed(
    State(app): State<Arc<App>>,
    age: Result<Query<Age>, QueryRejection>,
    Body(body): Body,
) -> Response {
    sequencer::verify_proof(&app, Form::Compressed, age.ok().map(|Query(age)| age), &body).await
}

/// The path of a commitment, as the sequencer's newer interface gives it
///
/// Errors are `{errorId, errorMessage}`.
#[utoipa::path(get, path = "/v2/identities/{commitment}/inclusion-proof", tag = "compatible",
    params(("commitment" = String, Path, description = "1 to 64 hex digits")),
    responses(
        (status = 200, body = sequencer::Path),
        (status = "4XX", description = "`invalid_path_param`, `invalid_commitment`, `unreduced_commitment`, `not_found`, `deleted_commitment`")))]
pub(super) async fn identity_path(State(app): State<Arc<App>>, Path(commitment): Path<String>) -> Response {
    sequencer::identity_path(&app, &commitment).await
}

/// Whether a proof holds, as the sequencer's newer interface says it
///
/// Body as of `/verifySemaphoreProof`, with `maxRootAgeSeconds`. Errors are `{errorId, errorMessage}`.
#[utoipa::path(post, path = "/v2/semaphore-proof/verify", tag = "compatible",
    request_body(content = serde_json::Value, content_type = "application/json"),
    responses(
        (status = 200, body = Validity),
        (status = "4XX", description = "`invalid_request`, `invalid_root`, `root_too_old`, `decompressing_proof_error`")))]
pub(super) async fn validity(State(app): State<Arc<App>>, Body(body): Body) -> Response {
    sequencer::validity(&app, &body).await
}
