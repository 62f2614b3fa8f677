//! A device brings an envelope.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use service::{Body, ProblemResponse};
use unum_identity::enrollment::EnrollmentOutcome;
use unum_identity::problem::Problem;

use crate::enrollment;
use crate::server::App;

/// Enrolls the person of a device envelope
///
/// The body is `COSE_Sign1`. Whatever the answer, except 503: the envelope's nonce is used up.
#[utoipa::path(post, path = "/v1/enrollments", tag = "enrollment",
    request_body(content = Vec<u8>, content_type = "application/cose; cose-type=\"cose-sign1\""),
    responses(
        (status = 201, description = "New: the commitment is in the set", body = EnrollmentOutcome),
        (status = 202, description = "The eyes disagree: an operator has to look. Nothing is in the set", body = EnrollmentOutcome),
        (status = 400, description = "`envelope_malformed`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`device_unknown`, `signature_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`device_revoked`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`duplicate`, `commitment_known`, `nonce_used`, `counter_not_rising`", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`recapture`, `commitment_invalid`, `consent_outdated`, `nonce_unknown`, `nonce_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`: nothing has happened, or the answer was lost", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn enroll(
    State(app): State<Arc<App>>,
    Body(envelope): Body,
) -> Result<(StatusCode, Json<EnrollmentOutcome>), ProblemResponse> {
    let result = enrollment::enroll(&app, &envelope).await.map_err(ProblemResponse::from);
    let outcome = match &result {
        Ok(EnrollmentOutcome::Enrolled { .. }) => "enrolled",
        Ok(EnrollmentOutcome::Review) => "review",
        Err(problem) => problem.code(),
    };
    app.metrics.count("enroll_enrollments_total", &[("outcome", outcome)], 1);
    let outcome = result?;
    let status = match &outcome {
        EnrollmentOutcome::Enrolled { receipt } => {
            app.count_leaves(receipt.statement.leaf_index + 1);
            StatusCode::CREATED
        }
        EnrollmentOutcome::Review => StatusCode::ACCEPTED,
    };
    Ok((status, Json(outcome)))
}
