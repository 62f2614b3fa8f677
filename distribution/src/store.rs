//! The schema `distribution`: one module of SQL for each noun.
//!
//! Bodies of transactions refuse before they write. Locks are taken in one order: the period, then the end of the
//! ledger's chain. Whoever holds the latter is the only one who moves money.

pub(crate) mod accounts;
pub(crate) mod audit;
pub(crate) mod claims;
pub(crate) mod ledger;
mod numeric;
pub(crate) mod payments;
pub(crate) mod periods;
pub(crate) mod programmes;
pub(crate) mod publication;

pub(crate) use numeric::Numeric;
use service::store::Schema;
pub(crate) use service::store::{Change, Store, StoreError, Tx, chain};
use service::store::{bigint, bytes, count, time};
use unum_identity::time::UnixTime;

/// What Postgres's own clock says.
pub(crate) async fn clock_timestamp(tx: &Tx) -> Result<UnixTime, StoreError> {
    let row = tx.row("SELECT clock_timestamp() AS now", &[]).await?;
    time(&row.ok_or_else(|| StoreError::damaged("no time"))?, "now")
}

/// What stands in Postgres.
pub(crate) const SCHEMA: Schema = Schema {
    name: "distribution",
    migrations: &[
        ("V1__ledger", include_str!("../migrations/V1__ledger.sql")),
        ("V2__references", include_str!("../migrations/V2__references.sql")),
        ("V3__policies", include_str!("../migrations/V3__policies.sql")),
        ("V4__payments", include_str!("../migrations/V4__payments.sql")),
        ("V5__writing", include_str!("../migrations/V5__writing.sql")),
    ],
    lock: 0x756e_756d_0003, // "unum", 3
};

#[cfg(test)]
mod tests;
