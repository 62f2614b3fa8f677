//! `statement`: what moved the account.

use crate::arguments::Statement;
use crate::session::Session;

pub(crate) fn statement(session: &Session, asked: &Statement) -> anyhow::Result<()> {
    let (account, distribution) = (session.wallet()?.account(), session.distribution());
    let statement = distribution.statement(account, asked.before, asked.limit)?;
    let ledger = distribution.ledger()?;
    session.answer(&statement, || statement.text(&ledger))
}
