//! Programmes and the money for them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use service::{Operator, Path, ProblemResponse};
use unum_identity::bytes::ProgrammeId;
use unum_identity::problem::Problem;
use unum_identity::programme::{Deposit, DepositRequest, ProgrammeTerms, ProgrammeView};

use crate::app::App;

/// Status of something that was made now, or before.
pub(super) fn made(is_new: bool) -> StatusCode {
    if is_new { StatusCode::CREATED } else { StatusCode::OK }
}

/// All programmes, by name.
#[utoipa::path(get, path = "/v1/programmes", tag = "wallets",
    responses((status = 200, body = Vec<ProgrammeView>), (status = "5XX", body = Problem)))]
pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Vec<ProgrammeView>>, ProblemResponse> {
    Ok(Json(app.programmes().await?))
}

/// Makes a programme. The same terms again change nothing.
#[utoipa::path(post, path = "/v1/programmes", tag = "operators", request_body = ProgrammeTerms,
    responses((status = 201, body = ProgrammeView), (status = 200, body = ProgrammeView, description = "made before"),
        (status = "4XX", body = Problem)))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    _: Operator,
    service::Json(terms): service::Json<ProgrammeTerms>,
) -> Result<(StatusCode, Json<ProgrammeView>), ProblemResponse> {
    let (is_new, view) = app.create_programme(&terms).await?;
    Ok((made(is_new), Json(view)))
}

/// One programme.
#[utoipa::path(get, path = "/v1/programmes/{programme}", tag = "wallets",
    params(("programme" = String, Path, description = "32 lower-case hex digits")),
    responses((status = 200, body = ProgrammeView), (status = "4XX", body = Problem)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    Path(id): Path<ProgrammeId>,
) -> Result<Json<ProgrammeView>, ProblemResponse> {
    Ok(Json(app.programme(id).await?))
}

/// Puts money into the pool. The same idempotency key again changes nothing.
#[utoipa::path(post, path = "/v1/programmes/{programme}/deposits", tag = "operators", request_body = DepositRequest,
    params(("programme" = String, Path, description = "32 lower-case hex digits")),
    responses((status = 201, body = Deposit), (status = 200, body = Deposit, description = "booked before"),
        (status = "4XX", body = Problem)))]
pub(super) async fn deposit(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(id): Path<ProgrammeId>,
    service::Json(request): service::Json<DepositRequest>,
) -> Result<(StatusCode, Json<Deposit>), ProblemResponse> {
    let (is_new, deposit) = app.deposit(id, request).await?;
    Ok((made(is_new), Json(deposit)))
}
