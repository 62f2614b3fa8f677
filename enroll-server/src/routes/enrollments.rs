//! A device brings an envelope.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use unum_identity::enrollment::EnrollmentOutcome;
use unum_identity::problem::Problem as ProblemBody;

use super::input::Body;
use crate::enrollment;
use crate::problem::Problem;
use crate::server::App;

/// Enrolls the person of a device envelope
///
/// The body is `COSE_Sign1`. Whatever the answer, except 503: the envelope's nonce is used up.
#[utoipa::path(post, path = "/v1/enrollments", tag = "enrollment",
    request_body(content = Vec<u8>, content_type = "application/cose; cose-type=\"cose-sign1\""),
    responses(
        (status = 201, description = "New: the commitment is in the set", body = EnrollmentOutcome),
        (status = 202, description = "The eyes disagree: an operator has to look. Nothing is in the set", body = EnrollmentOutcome),
        (status = 400, description = "`envelope_malformed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`device_unknown`, `signature_invalid`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`device_revoked`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`duplicate`, `commitment_known`, `nonce_used`, `counter_not_rising`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`recapture`, `commitment_invalid`, `consent_outdated`, `nonce_unknown`, `nonce_expired`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`: nothing has happened, or the answer was lost", body = ProblemBody, content_type = "application/problem+json")))]
pub(super) async fn enroll(
    State(app): State<Arc<App>>,
    Body(envelope): Body,
) -> Result<(StatusCode, Json<EnrollmentOutcome>), Problem> {
    let result = enrollment::enroll(&app, &envelope).await.map_err(Problem::from);
    app.metrics.enrollment(match &result {
        Ok(EnrollmentOutcome::Enrolled { .. }) => "enrolled",
        Ok(EnrollmentOutcome::Review) => "review",
        Err(problem) => problem.code(),
    });
    let outcome = result?;
    let status = match &outcome {
        EnrollmentOutcome::Enrolled { receipt } => {
            app.metrics.set_size(receipt.statement.leaf_index + 1);
            StatusCode::CREATED
        }
        EnrollmentOutcome::Review => StatusCode::ACCEPTED,
    };
    Ok((status, Json(outcome)))
}
