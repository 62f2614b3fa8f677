//! Claims.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use service::ProblemResponse;
use unum_identity::claim::{Claim, ClaimReceipt};
use unum_identity::problem::Problem;
use unum_identity::signed::Signed;

use super::programmes::made;
use crate::app::App;

/// Claims a share. Anyone may send it: the proof binds who is paid. The same claim again gets the first receipt.
#[utoipa::path(post, path = "/v1/claims", tag = "wallets", request_body = Claim,
    responses((status = 201, body = Signed<ClaimReceipt>),
        (status = 200, body = Signed<ClaimReceipt>, description = "paid before, on the same terms"),
        (status = 409, body = Problem, description = "paid before, on other terms"), (status = "4XX", body = Problem),
        (status = 503, body = Problem, description = "come again: too many at once, or the database is away")))]
pub(super) async fn claim(
    State(app): State<Arc<App>>,
    service::Json(claim): service::Json<Claim>,
) -> Result<(StatusCode, Json<Signed<ClaimReceipt>>), ProblemResponse> {
    let answer = app.claims.claim(claim).await?;
    Ok((made(answer.is_new), Json(answer.receipt)))
}
