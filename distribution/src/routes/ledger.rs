//! Balances, and the check of the whole ledger.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use service::{Operator, Path, ProblemResponse};
use unum_identity::bytes::AccountId;
use unum_identity::ledger::{AccountView, LedgerReport};
use unum_identity::problem::Problem;

use crate::app::App;
use crate::ledger::account::Account;
use crate::ledger::audit::Audit;
use crate::store::{StoreError, audit, ledger};

/// What a wallet's account holds. One that was never paid holds nothing.
#[utoipa::path(get, path = "/v1/accounts/{account}", tag = "wallets",
    params(("account" = String, Path, description = "64 lower-case hex digits")),
    responses((status = 200, body = AccountView), (status = "4XX", body = Problem)))]
pub(super) async fn account(
    State(app): State<Arc<App>>,
    Path(account): Path<AccountId>,
) -> Result<Json<AccountView>, ProblemResponse> {
    let balance = app
        .store
        .run_tx("account", |tx| async move { ledger::balance(&tx, &Account::Wallet(account)).await });
    let balance = balance.await?;
    let balance = balance.amount().ok_or_else(|| StoreError::damaged(format!("a wallet holds {balance}")))?;
    Ok(Json(AccountView { account, balance }))
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
        Ok(check.finish(ledger::head(&tx).await?, audit::accounts(&tx).await?, &periods))
    });
    let report = report.await?;
    if !report.problems.is_empty() {
        tracing::error!(problems = report.problems.len(), "the ledger does not hold");
    }
    Ok(Json(report))
}
