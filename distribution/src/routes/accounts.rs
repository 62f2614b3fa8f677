//! Accounts of wallets. The ledger is public, and an account is a key without a name: whoever knows the key may look.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use service::{Path, ProblemResponse, Query};
use unum_identity::account::AccountStatement;
use unum_identity::bytes::AccountId;
use unum_identity::ledger::AccountView;
use unum_identity::problem::Problem;

use crate::app::App;
use crate::ledger::account::Account;
use crate::store::{StoreError, accounts, ledger};

/// Lines of a page unless asked otherwise: what fits on a few screens.
const DEFAULT_LINES: u32 = 50;
/// Most lines of a page: about 150 KB of JSON.
const MAX_LINES: u32 = 500;

/// What a wallet's account holds. One that was never paid holds nothing.
#[utoipa::path(get, path = "/v1/accounts/{account}", tag = "wallets",
    params(("account" = String, Path, description = "64 lower-case hex digits")),
    responses((status = 200, body = AccountView), (status = "4XX", body = Problem)))]
pub(super) async fn balance(
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

/// Which page of a statement.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    /// Lines before this place; the newest if not given.
    before: Option<u64>,
    /// How many.
    #[serde(default = "default_lines")]
    limit: u32,
}

fn default_lines() -> u32 {
    DEFAULT_LINES
}

/// What moved a wallet's balance, newest first, with the balance after each line. `before` of one page is where the next
/// one begins.
#[utoipa::path(get, path = "/v1/accounts/{account}/statement", tag = "wallets",
    params(("account" = String, Path, description = "64 lower-case hex digits"),
        ("before" = Option<u64>, Query, description = "only lines before this place in the ledger"),
        ("limit" = Option<u32>, Query, description = "lines, 1 to 500; 50 if not given")),
    responses((status = 200, body = AccountStatement), (status = "4XX", body = Problem)))]
pub(super) async fn statement(
    State(app): State<Arc<App>>,
    Path(account): Path<AccountId>,
    Query(Page { before, limit }): Query<Page>,
) -> Result<Json<AccountStatement>, ProblemResponse> {
    if !(1..=MAX_LINES).contains(&limit) {
        let detail = format!("limit {limit} is not within 1 to {MAX_LINES}");
        return Err(ProblemResponse::new(400, "query_invalid").detail(detail));
    }
    let before = before.map_or(i64::MAX, |place| place.try_into().unwrap_or(i64::MAX)); // no entry lies beyond
    let lines = app.store.run_tx("account_statement", |tx| async move {
        accounts::lines(&tx, account, before, limit + 1).await // one more, to know whether there are more
    });
    let mut lines = lines.await?;
    let is_last = lines.len() <= limit as usize;
    lines.truncate(limit as usize);
    let before = lines.last().filter(|_| !is_last).map(|line| line.sequence);
    Ok(Json(AccountStatement { account, lines, before }))
}
