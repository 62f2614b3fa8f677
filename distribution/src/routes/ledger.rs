//! The ledger: which one it is, deposits taken back, and the check of all of it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use service::{Operator, Path, ProblemResponse};
use unum_identity::ledger::{LedgerReport, LedgerView, Reversal, ReversalRequest};
use unum_identity::problem::Problem;

use super::programmes::made;
use crate::app::App;
use crate::ledger::audit::Audit;
use crate::store::{audit, ledger, payments, programmes};

/// Which ledger this is, and what it counts.
#[utoipa::path(get, path = "/v1/ledger", tag = "wallets",
    responses((status = 200, body = LedgerView), (status = "5XX", body = Problem)))]
pub(super) async fn view(State(app): State<Arc<App>>) -> Result<Json<LedgerView>, ProblemResponse> {
    let unit = app.store.run_tx("ledger", |tx| async move { programmes::unit(&tx).await }).await?;
    Ok(Json(LedgerView { id: app.ledger, key: app.key(), unit }))
}

/// Takes a deposit back that was a mistake, while the pool still holds the money. The same request again changes nothing.
#[utoipa::path(post, path = "/v1/ledger/{sequence}/reversal", tag = "operators", request_body = ReversalRequest,
    params(("sequence" = u64, Path, description = "place of the deposit")),
    responses((status = 201, body = Reversal), (status = 200, body = Reversal, description = "booked before"),
        (status = "4XX", body = Problem)))]
pub(super) async fn reverse(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(sequence): Path<u64>,
    service::Json(request): service::Json<ReversalRequest>,
) -> Result<(StatusCode, Json<Reversal>), ProblemResponse> {
    let (is_new, reversal) = app.reverse(sequence, request).await?;
    Ok((made(is_new), Json(reversal)))
}

/// Recomputes the whole ledger. For operators, because it reads everything.
#[utoipa::path(get, path = "/v1/ledger/check", tag = "operators",
    responses((status = 200, body = LedgerReport), (status = "4XX", body = Problem)))]
pub(super) async fn check(
    State(app): State<Arc<App>>,
    _: Operator,
) -> Result<Json<LedgerReport>, ProblemResponse> {
    let id = app.ledger;
    let report = app.store.run_audit("ledger_check", |tx| async move {
        let periods = audit::periods(&tx, id).await?;
        let mut check = Audit::new(id, &periods);
        let mut after = 0;
        loop {
            let page = audit::entries_after(&tx, id, after).await?;
            let Some(last) = page.last() else { break };
            after = last.sequence;
            // A thousand hashes and signatures: long enough to get out of the way of requests.
            tokio::task::block_in_place(|| page.iter().for_each(|stored| check.entry(stored)));
        }
        audit::stray_claims(&tx).await?.into_iter().for_each(|sequence| check.stray_claim(sequence));
        payments::strays(&tx).await?.into_iter().for_each(|sequence| check.stray_payment(sequence));
        Ok(check.finish(ledger::head(&tx).await?, audit::accounts(&tx).await?, &periods))
    });
    let report = report.await?;
    if !report.problems.is_empty() {
        tracing::error!(problems = report.problems.len(), "the ledger does not hold");
    }
    Ok(Json(report))
}
