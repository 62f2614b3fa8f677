//! Periods: where they stand, their steps, their statements.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use service::{Operator, Path, ProblemResponse};
use unum_identity::action::Period;
use unum_identity::bytes::ProgrammeId;
use unum_identity::problem::Problem;
use unum_identity::programme::{PeriodStatement, PeriodView};
use unum_identity::signed::Signed;

use crate::app::App;
use crate::period::Transition;

/// Where a period stands: all that a wallet needs for a claim.
#[utoipa::path(get, path = "/v1/programmes/{programme}/periods/{period}", tag = "wallets",
    params(("programme" = String, Path, description = "32 lower-case hex digits"), ("period" = u64, Path)),
    responses((status = 200, body = PeriodView), (status = "4XX", body = Problem)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    Path((id, period)): Path<(ProgrammeId, Period)>,
) -> Result<Json<PeriodView>, ProblemResponse> {
    Ok(Json(app.period(id, period).await?))
}

/// Periods whose window runs, and the newest that have started, newest first; a hundred at most.
#[utoipa::path(get, path = "/v1/programmes/{programme}/periods", tag = "wallets",
    params(("programme" = String, Path, description = "32 lower-case hex digits")),
    responses((status = 200, body = Vec<PeriodView>), (status = "4XX", body = Problem)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Path(id): Path<ProgrammeId>,
) -> Result<Json<Vec<PeriodView>>, ProblemResponse> {
    Ok(Json(app.periods(id).await?))
}

/// Takes the next step in a period's life. The same step again changes nothing; any other is 409 `period_state`.
#[utoipa::path(post, path = "/v1/programmes/{programme}/periods/{period}/{step}", tag = "operators",
    params(("programme" = String, Path, description = "32 lower-case hex digits"), ("period" = u64, Path),
        ("step" = Transition, Path)),
    responses((status = 200, body = PeriodView), (status = "4XX", body = Problem), (status = "5XX", body = Problem)))]
pub(super) async fn advance(
    State(app): State<Arc<App>>,
    _: Operator,
    Path((id, period, step)): Path<(ProgrammeId, Period, Transition)>,
) -> Result<Json<PeriodView>, ProblemResponse> {
    Ok(Json(app.advance(id, period, step).await?))
}

/// How a sealed period went.
#[utoipa::path(get, path = "/v1/programmes/{programme}/periods/{period}/statement", tag = "wallets",
    params(("programme" = String, Path, description = "32 lower-case hex digits"), ("period" = u64, Path)),
    responses((status = 200, body = Signed<PeriodStatement>), (status = "4XX", body = Problem)))]
pub(super) async fn statement(
    State(app): State<Arc<App>>,
    Path((id, period)): Path<(ProgrammeId, Period)>,
) -> Result<Json<Signed<PeriodStatement>>, ProblemResponse> {
    Ok(Json(app.statement(id, period).await?))
}
