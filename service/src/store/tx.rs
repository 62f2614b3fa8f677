//! One transaction on one connection.

use std::fmt;

use deadpool_postgres::Object;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::StoreError;

/// One transaction. Statements are prepared once per connection.
///
/// Owns its connection instead of borrowing it, so that a body is an ordinary closure that returns an ordinary
/// future.
pub struct Tx {
    /// `None` only after the end.
    client: Option<Object>,
}

impl Tx {
    pub(super) const WRITE: &str = "BEGIN";
    pub(super) const READ_ONE_MOMENT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

    pub(super) async fn begin(client: Object, statement: &str) -> Result<Self, tokio_postgres::Error> {
        let tx = Self { client: Some(client) };
        tx.client().batch_execute(statement).await?;
        Ok(tx)
    }

    /// Commits or rolls back, and gives the connection back to the pool.
    pub(super) async fn end(mut self, statement: &str) -> Result<(), tokio_postgres::Error> {
        self.client().batch_execute(statement).await?;
        drop(self.client.take());
        Ok(())
    }

    fn client(&self) -> &Object {
        self.client.as_ref().expect("there until the end, which consumes the transaction")
    }

    /// All rows of a query.
    ///
    /// # Errors
    ///
    /// A [`StoreError`].
    pub async fn rows(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, StoreError> {
        let statement = self.client().prepare_cached(sql).await?;
        Ok(self.client().query(&statement, values).await?)
    }

    /// The row of a query that has one at most.
    ///
    /// # Errors
    ///
    /// A [`StoreError`].
    pub async fn row(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Option<Row>, StoreError> {
        let statement = self.client().prepare_cached(sql).await?;
        Ok(self.client().query_opt(&statement, values).await?)
    }

    /// Changes rows, and says how many.
    ///
    /// # Errors
    ///
    /// A [`StoreError`].
    pub async fn execute(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<u64, StoreError> {
        let statement = self.client().prepare_cached(sql).await?;
        Ok(self.client().execute(&statement, values).await?)
    }
}

impl fmt::Debug for Tx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tx")
    }
}

impl Drop for Tx {
    /// Given up half-way: the connection is closed, so that nobody continues this transaction, and Postgres rolls
    /// it back.
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            drop(Object::take(client));
        }
    }
}
