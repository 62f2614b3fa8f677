//! A wallet asks that its person be erased.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use service::ProblemResponse;
use unum_identity::enrollment::{Erasure, ErasureRequest};
use unum_identity::problem::Problem;

use crate::erasure;
use crate::server::App;

/// Erases a person's eyes and empties their leaf
///
/// Whoever shows the opening of a commitment is its wallet. The receipt comes when nothing is left in tables, segments and
/// running servers. The same request again tells how far it is, and gives the receipt again.
#[utoipa::path(post, path = "/v1/erasures", tag = "enrollment",
    request_body = ErasureRequest,
    responses(
        (status = 200, description = "Erased", body = Erasure),
        (status = 202, description = "Asked for; ask again", body = Erasure),
        (status = 400, description = "`body_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`commitment_unknown`: never in the set, or replaced", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`opening_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn erase(
    State(app): State<Arc<App>>,
    service::Json(request): service::Json<ErasureRequest>,
) -> Result<(StatusCode, Json<Erasure>), ProblemResponse> {
    let erasure = erasure::ask(&app, &request).await?;
    let status = match erasure {
        Erasure::Pending => StatusCode::ACCEPTED,
        Erasure::Erased { .. } => StatusCode::OK,
    };
    Ok((status, Json(erasure)))
}
