//! Postgres: connections, transactions, and one module of SQL for each table.
//!
//! All work is [`Store::run_tx`]: named, timed, and repeated where repeating helps. The body may run more than once,
//! so it changes nothing outside the transaction; a refusal that must be remembered is an `Ok` value, because an
//! `Err` rolls back.
//!
//! Isolation is `READ COMMITTED`: where rows must not change under a decision, they are locked, and enrollments
//! are one after the other behind [`lock_enrollments`].

pub(crate) mod devices;
pub(crate) mod leaves;
pub(crate) mod nullifiers;
pub(crate) mod reviews;
pub(crate) mod roots;
pub(crate) mod sessions;
pub(crate) mod templates;

use std::error::Error as _;
use std::fmt::Display;
use std::ops::DerefMut as _;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime};
use refinery::{Migration, Runner};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{NoTls, Row};
use unum_identity::time::UnixTime;

use crate::metrics::Metrics;

/// The schema's history: never edit one that has been released, add the next.
const MIGRATIONS: &[(&str, &str)] =
    &[("V1__devices_people_and_the_set", include_str!("../migrations/V1__devices_people_and_the_set.sql"))];

/// Connections at once. Postgres' default allows 100; a few servers and an operator's shell must fit.
const CONNECTIONS: usize = 16;
/// How long a request waits for a connection: longer, and the client has given up.
const CONNECTION_WAIT: Duration = Duration::from_secs(3);
/// How long one attempt at a transaction may take. The longest holds a lock for a comparison with a few rows.
const ATTEMPT: Duration = Duration::from_secs(10);
/// Attempts at a transaction that conflicts with others, or whose connection broke.
const ATTEMPTS: u32 = 5;
/// Wait before the second attempt; grows with each.
const PAUSE: Duration = Duration::from_millis(20);
/// Server-side limits, shorter than [`ATTEMPT`]: a frozen server must not keep a lock. The schema is ours alone.
const SETTINGS: &str =
    "-c search_path=enroll -c statement_timeout=8000 -c idle_in_transaction_session_timeout=10000";
/// Advisory locks; any two numbers that nobody else uses in this database.
const ENROLLMENTS: i64 = 0x756e_756d_0001; // "unum", 1
const MIGRATING: i64 = 0x756e_756d_0002;

/// Why the database gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// Postgres cannot be reached, or not in time. Nothing happened; come back later.
    #[error("Postgres is unavailable: {0}")]
    Unavailable(String),
    /// The connection broke before the end: nothing happened, so the transaction is tried again.
    #[error("the connection to Postgres broke")]
    Lost(#[source] tokio_postgres::Error),
    /// The connection broke while committing: nobody knows whether it happened. Come back and look.
    #[error("the connection to Postgres broke during a commit")]
    InDoubt(#[source] tokio_postgres::Error),
    /// Another transaction was in the way: tried again.
    #[error("conflict with another transaction")]
    Conflict(#[source] tokio_postgres::Error),
    /// A statement failed: a fault of ours, or of the schema.
    #[error("a statement failed")]
    Statement(#[source] tokio_postgres::Error),
    /// The tables hold what this server would never have written, or wrote with other keys.
    #[error("the database is damaged: {0}")]
    Damaged(String),
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        let of_io = error.source().is_some_and(<dyn std::error::Error>::is::<std::io::Error>);
        match error.code() {
            Some(&(SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED)) => {
                Self::Conflict(error)
            }
            Some(&(SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN)) => Self::Lost(error),
            Some(
                &(SqlState::CANNOT_CONNECT_NOW | SqlState::TOO_MANY_CONNECTIONS | SqlState::QUERY_CANCELED),
            ) => Self::Unavailable(error.to_string()),
            None if of_io || error.is_closed() => Self::Lost(error),
            _ => Self::Statement(error),
        }
    }
}

impl StoreError {
    fn of_pool(error: PoolError) -> Self {
        match error {
            // Not even a connection: waiting any longer is for the client to decide.
            PoolError::Backend(error) => Self::Unavailable(chain(&error)),
            other => Self::Unavailable(other.to_string()),
        }
    }

    fn of_commit(error: tokio_postgres::Error) -> Self {
        match Self::from(error) {
            Self::Lost(error) => Self::InDoubt(error),
            other => other,
        }
    }

    fn helps_to_repeat(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Conflict(_))
    }

    pub(crate) fn damaged(what: impl Display) -> Self {
        Self::Damaged(what.to_string())
    }
}

/// The database.
#[derive(Clone)]
pub(crate) struct Store {
    pool: Pool,
    metrics: Metrics,
}

/// One transaction. Statements are prepared once per connection.
///
/// Owns its connection instead of borrowing it, so that a body is an ordinary closure that returns an ordinary
/// future.
pub(crate) struct Tx {
    /// `None` only after the end.
    client: Option<Object>,
}

impl Tx {
    async fn begin(client: Object) -> Result<Self, tokio_postgres::Error> {
        let tx = Self { client: Some(client) };
        tx.client().batch_execute("BEGIN").await?;
        Ok(tx)
    }

    /// Commits or rolls back, and gives the connection back to the pool.
    async fn end(mut self, statement: &str) -> Result<(), tokio_postgres::Error> {
        self.client().batch_execute(statement).await?;
        drop(self.client.take());
        Ok(())
    }

    fn client(&self) -> &Object {
        self.client.as_ref().expect("there until the end, which consumes the transaction")
    }

    async fn rows(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, StoreError> {
        let statement = self.client().prepare_cached(sql).await?;
        Ok(self.client().query(&statement, values).await?)
    }

    async fn row(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Option<Row>, StoreError> {
        let statement = self.client().prepare_cached(sql).await?;
        Ok(self.client().query_opt(&statement, values).await?)
    }

    /// Rows changed.
    async fn execute(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<u64, StoreError> {
        let statement = self.client().prepare_cached(sql).await?;
        Ok(self.client().execute(&statement, values).await?)
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

impl Store {
    /// Connects, waiting up to `wait` for Postgres to come up, and brings the schema up to date.
    pub(crate) async fn open(url: &str, wait: Duration, metrics: Metrics) -> Result<Self, StoreError> {
        let mut config: tokio_postgres::Config =
            url.parse().map_err(|_| StoreError::Unavailable("the database address cannot be read".into()))?;
        config.options(SETTINGS).application_name("enroll-server").connect_timeout(CONNECTION_WAIT);
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let pool = Pool::builder(Manager::from_config(config, NoTls, recycling))
            .max_size(CONNECTIONS)
            .wait_timeout(Some(CONNECTION_WAIT))
            .create_timeout(Some(CONNECTION_WAIT))
            .recycle_timeout(Some(CONNECTION_WAIT))
            .runtime(Runtime::Tokio1)
            .build()
            .expect("timeouts come with a runtime");
        let store = Self { pool, metrics };
        store.migrate(wait).await?;
        Ok(store)
    }

    async fn migrate(&self, wait: Duration) -> Result<(), StoreError> {
        let until = Instant::now() + wait;
        let mut client = loop {
            match self.pool.get().await.map_err(StoreError::of_pool) {
                Ok(client) => break client,
                Err(error) if Instant::now() >= until => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "waiting for Postgres");
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
        };
        // Servers that start together migrate one after the other.
        client.execute("SELECT pg_advisory_lock($1)", &[&MIGRATING]).await?;
        client.batch_execute("CREATE SCHEMA IF NOT EXISTS enroll").await?;
        let migrations: Result<Vec<_>, _> =
            MIGRATIONS.iter().map(|(name, sql)| Migration::unapplied(name, sql)).collect();
        let migrations = migrations.expect("the names above are well-formed");
        let migrated = Runner::new(&migrations).run_async(client.deref_mut().deref_mut()).await;
        client.execute("SELECT pg_advisory_unlock($1)", &[&MIGRATING]).await?;
        migrated
            .map(|_| ())
            .map_err(|error| StoreError::damaged(format!("cannot migrate: {}", chain(&error))))
    }

    /// Runs `body` in a transaction and commits it if the body returns `Ok`. `name` stands in logs and metrics.
    ///
    /// Repeated after a conflict, and after a connection that broke before the commit was sent. Not repeated if it
    /// broke later: the commit may have happened, and a body run twice would then meet its own rows.
    pub(crate) async fn run_tx<T, F>(
        &self,
        name: &'static str,
        body: impl Fn(Arc<Tx>) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let started = Instant::now();
        let mut attempt = 1;
        let result = loop {
            let result = match tokio::time::timeout(ATTEMPT, self.attempt(&body)).await {
                Ok(result) => result,
                Err(_) => Err(StoreError::Unavailable(format!("no answer within {ATTEMPT:?}"))),
            };
            match result {
                Err(error) if error.helps_to_repeat() && attempt < ATTEMPTS => {
                    tracing::info!(transaction = name, attempt, %error, "repeating");
                    tokio::time::sleep(PAUSE * attempt).await;
                    attempt += 1;
                }
                result => break result,
            }
        };
        self.metrics.transaction(name, result.is_ok(), attempt, started.elapsed());
        result
    }

    async fn attempt<T, F>(&self, body: impl Fn(Arc<Tx>) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let client = self.pool.get().await.map_err(StoreError::of_pool)?;
        let tx = Arc::new(Tx::begin(client).await?);
        let result = body(Arc::clone(&tx)).await;
        let tx = Arc::into_inner(tx).expect("the body has ended, and with it its share of the transaction");
        match result {
            Ok(value) => tx.end("COMMIT").await.map(|()| value).map_err(StoreError::of_commit),
            Err(error) => {
                // If this fails the connection is closed, and the transaction with it.
                let _ = tx.end("ROLLBACK").await;
                Err(error)
            }
        }
    }

    /// Whether Postgres answers.
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        self.run_tx("ping", |tx| async move { tx.row("SELECT 1", &[]).await.map(|_| ()) }).await
    }
}

/// From here to the end of the transaction no other enrollment adds anything, on any server: what is read next is
/// everything there is.
pub(crate) async fn lock_enrollments(tx: &Tx) -> Result<(), StoreError> {
    tx.execute("SELECT pg_advisory_xact_lock($1)", &[&ENROLLMENTS]).await.map(|_| ())
}

/// An error with its causes, for the log.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

/// A `BYTEA` column of fixed length.
fn bytes<const N: usize>(row: &Row, column: &str) -> Result<[u8; N], StoreError> {
    let bytes: &[u8] = row.try_get(column)?;
    bytes.try_into().map_err(|_| StoreError::damaged(format!("{column} has {} bytes, not {N}", bytes.len())))
}

/// A `BIGINT` column that is never negative.
fn count(row: &Row, column: &str) -> Result<u64, StoreError> {
    let value: i64 = row.try_get(column)?;
    value.try_into().map_err(|_| StoreError::damaged(format!("{column} is {value}")))
}

/// A `TIMESTAMPTZ` column.
fn time(row: &Row, column: &str) -> Result<UnixTime, StoreError> {
    Ok(row.try_get::<_, SystemTime>(column)?.into())
}

/// A number for a `BIGINT` column.
fn bigint(value: u64) -> Result<i64, StoreError> {
    value.try_into().map_err(|_| StoreError::damaged(format!("{value} is beyond what the schema can hold")))
}
