//! Everyone reads the set.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use service::{Path, ProblemResponse, Query};
use unum_identity::enrollment::{InclusionProof, LogPage, SetIdentity, Snapshot};
use unum_identity::field::Commitment;
use unum_identity::problem::Problem;

use crate::server::App;
use crate::store::devices;

/// At which size of the set.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AtSize {
    /// Events of the log; all of them if absent.
    size: Option<u64>,
}

/// From which event on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct From {
    /// Number of the first event; 0 if absent.
    #[serde(default)]
    from: u64,
}

/// What a newcomer must trust to follow the set
#[utoipa::path(get, path = "/v1/set", tag = "set", responses((status = 200, body = SetIdentity)))]
pub(super) async fn identity(State(app): State<Arc<App>>) -> Result<Json<SetIdentity>, ProblemResponse> {
    let devices = app.store.run_tx("list_devices", |tx| async move { devices::all(&tx).await }).await?;
    Ok(Json(SetIdentity { origin: app.config.origin.clone(), key: app.keys.service_key(), devices }))
}

/// The signed root of the whole set, as C2SP `tlog-checkpoint`
#[utoipa::path(get, path = "/v1/set/checkpoint", tag = "set",
    responses((status = 200, body = String, content_type = "text/plain")))]
pub(super) async fn checkpoint(State(app): State<Arc<App>>) -> Result<String, ProblemResponse> {
    Ok(app.published.checkpoint(&app.store).await?.0)
}

/// The whole set at one size
#[utoipa::path(get, path = "/v1/set/snapshot", tag = "set",
    params(("size" = Option<u64>, Query, description = "Events of the log; all of them if absent")),
    responses(
        (status = 200, body = Snapshot),
        (status = 400, description = "`query_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`size_invalid`", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn snapshot(
    State(app): State<Arc<App>>,
    Query(at): Query<AtSize>,
) -> Result<Json<Snapshot>, ProblemResponse> {
    Ok(Json(app.published.snapshot(&app.store, at.size).await?))
}

/// What has happened to the set, up to a thousand events at a time
#[utoipa::path(get, path = "/v1/set/log", tag = "set",
    params(("from" = Option<u64>, Query, description = "Number of the first event; 0 if absent")),
    responses(
        (status = 200, body = LogPage),
        (status = 400, description = "`query_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`size_invalid`", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn log(
    State(app): State<Arc<App>>,
    Query(asked): Query<From>,
) -> Result<Json<LogPage>, ProblemResponse> {
    Ok(Json(app.published.log(&app.store, asked.from).await?))
}

/// The path from a commitment to a root
#[utoipa::path(get, path = "/v1/commitments/{commitment}/proof", tag = "set",
    params(
        ("commitment" = Commitment, Path, description = "0x and 64 lower-case hex digits"),
        ("size" = Option<u64>, Query, description = "Events of the log; all of them if absent")),
    responses(
        (status = 200, body = InclusionProof),
        (status = 404, description = "`commitment_unknown`", body = Problem, content_type = "application/problem+json"),
        (status = 400, description = "`path_invalid`, `query_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`size_invalid`", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn inclusion_proof(
    State(app): State<Arc<App>>,
    Path(commitment): Path<Commitment>, // parsed here; below this line it is canonical
    Query(at): Query<AtSize>,
) -> Result<Json<InclusionProof>, ProblemResponse> {
    Ok(Json(app.published.inclusion_proof(&app.store, commitment, at.size).await?))
}
