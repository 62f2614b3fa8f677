//! One transaction on one connection.

use std::fmt;

use deadpool_postgres::Object;
use futures_util::TryStreamExt as _;
use futures_util::stream::FuturesOrdered;
use tokio_postgres::Row;
use tokio_postgres::binary_copy::{BinaryCopyOutRow, BinaryCopyOutStream};
use tokio_postgres::types::{ToSql, Type};

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

    /// All rows of a query whose columns have these types, as binary `COPY`: for many rows, of which Postgres then sends
    /// one after the other without being asked. A `COPY` takes no values, so the query has to contain them.
    ///
    /// # Errors
    ///
    /// A [`StoreError`].
    pub async fn copy(&self, sql: &str, types: &[Type]) -> Result<Vec<BinaryCopyOutRow>, StoreError> {
        let stream = self.client().copy_out(&format!("COPY ({sql}) TO STDOUT (FORMAT binary)")).await?;
        Ok(BinaryCopyOutStream::new(stream, types).try_collect().await?)
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

    /// Changes rows with each statement in turn, and says how many each changed. They are sent without waiting for answers in
    /// between: the way to Postgres and back is paid once. None after one that fails is carried out.
    ///
    /// # Errors
    ///
    /// A [`StoreError`]: of the first that failed.
    pub async fn execute_all(&self, changes: &[Change<'_>]) -> Result<Vec<u64>, StoreError> {
        let client = self.client();
        let mut prepared = Vec::with_capacity(changes.len());
        for (sql, _) in changes {
            prepared.push(client.prepare_cached(sql).await?); // all before any is sent: so they are sent in order
        }
        let sent: FuturesOrdered<_> = prepared
            .iter()
            .zip(changes)
            .map(|(statement, (_, values))| client.execute(statement, values))
            .collect();
        Ok(sent.try_collect().await?)
    }
}

/// A statement that changes rows, and its values.
pub type Change<'a> = (&'a str, &'a [&'a (dyn ToSql + Sync)]);

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
