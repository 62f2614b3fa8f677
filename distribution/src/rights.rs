//! Who may do what in the database: the owner makes the tables, the server adds to them, and neither is the other.
//!
//! The server's role may add rows and move what moves: balances, states of periods, the end of the chain. It owns nothing, so it
//! cannot drop the triggers that guard the rest, and it has no right to change or delete an entry, a claim or a promise. Whoever
//! takes over the server can add wrong entries, which the audit finds; they cannot rewrite those that are there.

use std::time::Duration;

use service::Metrics;

use crate::store::{SCHEMA, Store, StoreError, Tx, chain};

/// Longest name of a role in Postgres.
const MAX_ROLE: usize = 63;

/// Why the database was not prepared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// Choose another name.
    #[error("a role is named with 1 to {MAX_ROLE} of a-z 0-9 _, not with {0:?}")]
    Role(String),
    /// Look at the reason: Postgres is away, the role does not exist, or the owner is not the owner.
    #[error("database: {0}")]
    Database(String),
}

impl From<StoreError> for PrepareError {
    fn from(error: StoreError) -> Self {
        Self::Database(chain(&error))
    }
}

/// Makes the tables, or brings them up to date, as `owner_url`'s role, and lets `role` work with them. Again changes nothing.
///
/// # Errors
///
/// A [`PrepareError`].
pub async fn prepare_database(owner_url: &str, role: &str, wait: Duration) -> Result<(), PrepareError> {
    let allowed = |c: u8| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'_');
    if role.is_empty() || role.len() > MAX_ROLE || !role.bytes().all(allowed) {
        return Err(PrepareError::Role(role.to_owned()));
    }
    let store = Store::open(owner_url, &SCHEMA, wait, Metrics::default()).await?;
    let granted = store.run_tx("grant", |tx| async move {
        for grant in [
            "USAGE ON SCHEMA distribution",
            "SELECT ON ALL TABLES IN SCHEMA distribution",
            "INSERT ON programmes, periods, accounts, transfers, postings, claims, payments, ledger",
            "UPDATE ON periods", // a trigger guards what a snapshot froze
            "UPDATE (balance) ON accounts",
            "UPDATE (sequence, head) ON ledger",
        ] {
            tx.execute(&format!("GRANT {grant} TO \"{role}\""), &[]).await?;
        }
        Ok(())
    });
    Ok(granted.await?)
}

/// A table whose history this connection's role could rewrite, if there is one.
pub(crate) async fn rewritable(tx: &Tx) -> Result<Option<String>, StoreError> {
    let sql = "SELECT relname::text FROM pg_class \
               WHERE relnamespace = 'distribution'::regnamespace AND relkind = 'r' \
               AND (pg_has_role(relowner, 'MEMBER') OR has_table_privilege(oid, 'DELETE, TRUNCATE, TRIGGER') \
                    OR (relname IN ('programmes', 'transfers', 'postings', 'claims', 'payments') \
                        AND has_any_column_privilege(oid, 'UPDATE'))) \
               ORDER BY relname LIMIT 1";
    tx.row(sql, &[]).await?.map(|row| Ok(row.try_get(0)?)).transpose()
}
