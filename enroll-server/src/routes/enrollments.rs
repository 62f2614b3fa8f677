//! A device brings an envelope: of a newcomer, or of somebody who has lost their wallet.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use service::{Body, ProblemResponse};
use unum_identity::enrollment::EnrollmentOutcome;
use unum_identity::envelope::Purpose;
use unum_identity::problem::Problem;

use crate::enrollment;
use crate::server::App;

/// Enrolls the person of a device envelope
///
/// The body is `COSE_Sign1`. Whatever the answer, except 503: the envelope's nonce is used up, and the same envelope again
/// gets the same answer. After 503 send it again.
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
        (status = 422, description = "`recapture`, `commitment_invalid`, `consent_outdated`, `nonce_unknown`, `nonce_expired`, `quarantined`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`: nothing has happened, or the envelope waits; `busy`: too many wait", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn enroll(
    State(app): State<Arc<App>>,
    Body(envelope): Body,
) -> Result<(StatusCode, Json<EnrollmentOutcome>), ProblemResponse> {
    submit(&app, Purpose::Enroll, &envelope).await
}

/// Gives somebody who is enrolled another commitment
///
/// The body is `COSE_Sign1`, signed for a recovery. The new commitment takes the old one's place; what was frozen before,
/// such as the people of a period that is open, stays as it is. Whatever the answer, except 503: the envelope's nonce is
/// used up, and the same envelope again gets the same answer. After 503 send it again.
#[utoipa::path(post, path = "/v1/recoveries", tag = "enrollment",
    request_body(content = Vec<u8>, content_type = "application/cose; cose-type=\"cose-sign1\""),
    responses(
        (status = 200, description = "Recovered: the commitment is in the set, in the place of another", body = EnrollmentOutcome),
        (status = 400, description = "`envelope_malformed`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`device_unknown`, `signature_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`device_revoked`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`not_enrolled`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`not_one_person`, `recovered_lately`, `commitment_known`, `nonce_used`, `counter_not_rising`", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`recapture`, `commitment_invalid`, `consent_outdated`, `nonce_unknown`, `nonce_expired`, `quarantined`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`: nothing has happened, or the envelope waits; `busy`: too many wait", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn recover(
    State(app): State<Arc<App>>,
    Body(envelope): Body,
) -> Result<(StatusCode, Json<EnrollmentOutcome>), ProblemResponse> {
    submit(&app, Purpose::Recover, &envelope).await
}

async fn submit(
    app: &App,
    purpose: Purpose,
    envelope: &[u8],
) -> Result<(StatusCode, Json<EnrollmentOutcome>), ProblemResponse> {
    let outcome = match enrollment::submit(app, purpose, envelope).await {
        Ok(answer) => answer.map_err(ProblemResponse)?,
        Err(error) => {
            // Nothing was accepted, or there is no answer yet; whatever is answered is counted when it is.
            let problem = ProblemResponse::from(error);
            app.metrics.count("enroll_enrollments_total", &[("outcome", problem.code())], 1);
            return Err(problem);
        }
    };
    let status = match outcome {
        EnrollmentOutcome::Enrolled { .. } => StatusCode::CREATED,
        EnrollmentOutcome::Recovered { .. } => StatusCode::OK,
        EnrollmentOutcome::Review => StatusCode::ACCEPTED,
    };
    Ok((status, Json(outcome)))
}
