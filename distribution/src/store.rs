//! The schema `distribution`: one module of SQL for each noun.
//!
//! Bodies of transactions refuse before they write. Locks are taken in one order: the period, then the end of the
//! ledger's chain. Whoever holds the latter is the only one who moves money.

pub(crate) mod audit;
pub(crate) mod claims;
pub(crate) mod ledger;
mod numeric;
pub(crate) mod periods;
pub(crate) mod programmes;

pub(crate) use numeric::Numeric;
use service::store::Schema;
pub(crate) use service::store::{Store, StoreError, Tx, chain};
use service::store::{bigint, bytes, count, time};

/// What stands in Postgres.
pub(crate) const SCHEMA: Schema = Schema {
    name: "distribution",
    migrations: &[
        ("V1__ledger", include_str!("../migrations/V1__ledger.sql")),
        ("V2__references", include_str!("../migrations/V2__references.sql")),
    ],
    lock: 0x756e_756d_0003, // "unum", 3
};
