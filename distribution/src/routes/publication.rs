//! What everyone may read to recompute what the service states (`docs/audit.md`).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, header};
use serde::Deserialize;
use service::{Path, ProblemResponse, Query};
use unum_identity::action::Period;
use unum_identity::bytes::ProgrammeId;
use unum_identity::field::Nullifier;
use unum_identity::problem::Problem;
use unum_identity::programme::PeriodState;
use unum_identity::published::{ClaimPage, EntryPage};

use crate::app::App;
use crate::store::publication;

/// Entries in a page: half a megabyte of JSON.
const MOST_ENTRIES: u32 = 1000;
/// Claims in a page: a megabyte of JSON.
const MOST_CLAIMS: u32 = 500;

/// Which entries.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EntriesAfter {
    /// Place of the last one that is known.
    #[serde(default)]
    after: u64,
    limit: Option<u32>,
}

/// Which claims.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClaimsAfter {
    /// The last one that is known.
    after: Option<Nullifier>,
    limit: Option<u32>,
}

fn limited(limit: Option<u32>, most: u32) -> Result<u32, ProblemResponse> {
    match limit.unwrap_or(most) {
        limit if (1..=most).contains(&limit) => Ok(limit),
        limit => {
            Err(ProblemResponse::new(422, "limit_invalid")
                .detail(format!("{limit} is not within 1 to {most}")))
        }
    }
}

/// Entries of the ledger, by place, as they stand. An empty page is the end.
#[utoipa::path(get, path = "/v1/ledger/entries", tag = "auditors",
    params(("after" = Option<u64>, Query, description = "place of the last entry that is known; 0 if absent"),
        ("limit" = Option<u32>, Query, description = "1 to 1000, which it is if absent")),
    responses((status = 200, body = EntryPage), (status = "4XX", body = Problem)))]
pub(super) async fn entries(
    State(app): State<Arc<App>>,
    Query(asked): Query<EntriesAfter>,
) -> Result<Json<EntryPage>, ProblemResponse> {
    let (after, limit) = (asked.after, limited(asked.limit, MOST_ENTRIES)?);
    let entries = app
        .store
        .run_tx("published_entries", |tx| async move { publication::entries_after(&tx, after, limit).await });
    Ok(Json(EntryPage { entries: entries.await? }))
}

/// Claims of a period that is closed, by nullifier, each with its proof and its receipt. An empty page is the end.
#[utoipa::path(get, path = "/v1/programmes/{programme}/periods/{period}/claims", tag = "auditors",
    params(("programme" = String, Path, description = "32 lower-case hex digits"), ("period" = u64, Path),
        ("after" = Option<String>, Query, description = "the last nullifier that is known"),
        ("limit" = Option<u32>, Query, description = "1 to 500, which it is if absent")),
    responses((status = 200, body = ClaimPage), (status = 409, body = Problem, description = "`period_not_closed`"),
        (status = "4XX", body = Problem)))]
pub(super) async fn claims(
    State(app): State<Arc<App>>,
    Path((id, period)): Path<(ProgrammeId, Period)>,
    Query(asked): Query<ClaimsAfter>,
) -> Result<Json<ClaimPage>, ProblemResponse> {
    let limit = limited(asked.limit, MOST_CLAIMS)?;
    let state = app.period(id, period).await?.state;
    if state < PeriodState::Closed {
        return Err(ProblemResponse::new(409, "period_not_closed").detail(format!("the period is {state}")));
    }
    let (place, ledger, after) = ((id, period), app.ledger, asked.after);
    let claims = app.store.run_tx("published_claims", |tx| async move {
        publication::claims_after(&tx, ledger, place, after, limit).await
    });
    Ok(Json(ClaimPage { claims: claims.await? }))
}

/// The set's checkpoint, as it was read when the period's people were frozen.
#[utoipa::path(get, path = "/v1/programmes/{programme}/periods/{period}/checkpoint", tag = "auditors",
    params(("programme" = String, Path, description = "32 lower-case hex digits"), ("period" = u64, Path)),
    responses((status = 200, body = String, content_type = "text/plain"), (status = "4XX", body = Problem)))]
pub(super) async fn checkpoint(
    State(app): State<Arc<App>>,
    Path((id, period)): Path<(ProgrammeId, Period)>,
) -> Result<String, ProblemResponse> {
    let state = app.period(id, period).await?.state;
    let checkpoint =
        app.store.run_tx("checkpoint", |tx| async move { publication::checkpoint(&tx, id, period).await });
    match checkpoint.await? {
        Some(checkpoint) => Ok(checkpoint.0),
        None => Err(ProblemResponse::new(404, "no_snapshot").detail(format!("the period is {state}"))),
    }
}

/// The key that claims are checked with now. A statement names the one of its period by its hash.
#[utoipa::path(get, path = "/v1/verifying-key", tag = "auditors",
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream")))]
pub(super) async fn verifying_key(State(app): State<Arc<App>>) -> ([(HeaderName, &'static str); 1], Vec<u8>) {
    ([(header::CONTENT_TYPE, "application/octet-stream")], app.verifying_key_bytes.clone())
}
