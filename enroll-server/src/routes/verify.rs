//! An app asks whether its user is one human.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use unum_identity::humanness::{Verified, VerifyRequest};
use unum_identity::problem::Problem as ProblemBody;

use super::input;
use crate::problem::Problem;
use crate::server::App;

/// Verifies a proof and consumes its nullifier
#[utoipa::path(post, path = "/v1/verify", tag = "humanness",
    request_body = VerifyRequest,
    responses(
        (status = 200, description = "A human in the set, for the first time", body = Verified),
        (status = 400, description = "`body_invalid`: also for every value that is not canonical", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`nullifier_used`, with the time of its first use", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`root_unknown`, `root_expired`, `proof_invalid`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json")))]
pub(super) async fn verify(
    State(app): State<Arc<App>>,
    input::Json(request): input::Json<VerifyRequest>,
) -> Result<Json<Verified>, Problem> {
    let result = crate::verify::verify(&app, request).await.map_err(Problem::from);
    app.metrics.verification(result.as_ref().map_or_else(Problem::code, |_| "verified"));
    result.map(Json)
}
