//! Payments between people.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use service::ProblemResponse;
use unum_identity::payment::{PaymentReceipt, SignedPayment};
use unum_identity::problem::Problem;
use unum_identity::signed::Signed;

use super::programmes::made;
use crate::app::App;

/// Pays somebody. Anyone may send it: the payer's signature is in it. The same payment again gets the first receipt.
#[utoipa::path(post, path = "/v1/payments", tag = "wallets", request_body = SignedPayment,
    responses((status = 201, body = Signed<PaymentReceipt>),
        (status = 200, body = Signed<PaymentReceipt>, description = "paid before"),
        (status = 409, body = Problem, description = "not enough money, or another payment has the key"),
        (status = "4XX", body = Problem), (status = 503, body = Problem, description = "come again, with the same")))]
pub(super) async fn pay(
    State(app): State<Arc<App>>,
    service::Json(order): service::Json<SignedPayment>,
) -> Result<(StatusCode, Json<Signed<PaymentReceipt>>), ProblemResponse> {
    let (is_new, receipt) = app.pay(&order).await?;
    Ok((made(is_new), Json(receipt)))
}
