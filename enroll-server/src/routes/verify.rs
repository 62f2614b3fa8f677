//! An app asks whether its user is one human.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use service::ProblemResponse;
use unum_identity::humanness::{Verified, VerifyRequest};
use unum_identity::problem::Problem;

use crate::server::App;

/// Verifies a proof and consumes its nullifier
#[utoipa::path(post, path = "/v1/verify", tag = "humanness",
    request_body = VerifyRequest,
    responses(
        (status = 200, description = "A human in the set, for the first time", body = Verified),
        (status = 400, description = "`body_invalid`: also for every value that is not canonical", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`nullifier_used`, with the time of its first use", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`root_unknown`, `root_expired`, `proof_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn verify(
    State(app): State<Arc<App>>,
    service::Json(request): service::Json<VerifyRequest>,
) -> Result<Json<Verified>, ProblemResponse> {
    let result = crate::verify::verify(&app, request).await.map_err(ProblemResponse::from);
    let outcome = result.as_ref().map_or_else(ProblemResponse::code, |_| "verified");
    app.metrics.count("enroll_verifications_total", &[("outcome", outcome)], 1);
    result.map(Json)
}
