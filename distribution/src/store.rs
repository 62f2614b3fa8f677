//! Postgres: connections, transactions, and one module of SQL for each noun.
//!
//! All work is [`Store::run_tx`]: named, timed, and repeated where repeating helps. The body may run more than once,
//! so it changes nothing outside the transaction, and it refuses before it writes: a refusal is an `Ok` value.
//!
//! Isolation is `READ COMMITTED`. Locks are taken in one order: the period, then the end of the ledger's chain.
//! Whoever holds the latter is the only one who moves money.

pub(crate) mod audit;
pub(crate) mod claims;
pub(crate) mod ledger;
mod numeric;
pub(crate) mod periods;
pub(crate) mod programmes;

use std::error::Error as _;
use std::fmt::Display;
use std::future::Future;
use std::marker::PhantomData;
use std::ops::DerefMut as _;
use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime};

use deadpool_postgres::{Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{IsolationLevel, NoTls, Row};
use unum_identity::time::UnixTime;

use crate::metrics::Metrics;
pub(crate) use numeric::Numeric;

mod migrations {
    refinery::embed_migrations!("migrations");
}

/// Connections at once. Postgres' default allows 100; a few servers and an operator's shell must fit.
const CONNECTIONS: usize = 16;
/// How long a request waits for a connection: longer, and the client has given up.
const CONNECTION_WAIT: Duration = Duration::from_secs(3);
/// How long one attempt at a transaction may take.
const ATTEMPT: Duration = Duration::from_secs(10);
/// How long reading the whole ledger may take: 10⁷ entries at 10⁵ a second (an estimate), and as much again.
const AUDIT: Duration = Duration::from_secs(200);
/// Attempts at a transaction that conflicts with others, or whose connection broke.
const ATTEMPTS: u32 = 5;
/// Wait before the second attempt; grows with each.
const PAUSE: Duration = Duration::from_millis(20);
/// Server-side limits, shorter than [`ATTEMPT`]: a frozen server must not keep a lock. The schema is ours alone.
const SETTINGS: &str =
    "-c search_path=distribution -c statement_timeout=8000 -c idle_in_transaction_session_timeout=10000";
/// Advisory lock around migrations; a number that nobody else uses in this database.
const MIGRATIONS: i64 = 0x756e_756d_0003; // "unum", 3

/// Why the database gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// Postgres cannot be reached, or not in time. Come back later; every request here may be repeated.
    #[error("Postgres is unavailable: {0}")]
    Unavailable(String),
    /// The connection broke before the commit was sent: nothing happened, so the transaction is tried again.
    #[error("the connection to Postgres broke")]
    Lost(#[source] tokio_postgres::Error),
    /// The connection broke during the commit: nobody knows whether it happened. The client repeats its request, and
    /// finds out.
    #[error("the connection to Postgres broke during a commit")]
    InDoubt(#[source] tokio_postgres::Error),
    /// Another transaction was in the way: tried again.
    #[error("conflict with another transaction")]
    Conflict(#[source] tokio_postgres::Error),
    /// A statement failed: a fault of ours, or of the schema.
    #[error("a statement failed")]
    Statement(#[source] tokio_postgres::Error),
    /// The tables hold what this server would never have written.
    #[error("the database is damaged: {0}")]
    Damaged(String),
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        let of_io = error.source().is_some_and(<dyn std::error::Error>::is::<std::io::Error>);
        match error.code() {
            // A unique key that was taken meanwhile: the next attempt sees who took it.
            Some(
                &(SqlState::T_R_SERIALIZATION_FAILURE
                | SqlState::T_R_DEADLOCK_DETECTED
                | SqlState::UNIQUE_VIOLATION),
            ) => Self::Conflict(error),
            Some(&(SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN)) => Self::Lost(error),
            Some(
                &(SqlState::CANNOT_CONNECT_NOW | SqlState::TOO_MANY_CONNECTIONS | SqlState::QUERY_CANCELED),
            ) => Self::Unavailable(chain(&error)),
            None if of_io || error.is_closed() => Self::Lost(error),
            _ => Self::Statement(error),
        }
    }
}

impl StoreError {
    fn of_pool(error: PoolError) -> Self {
        match error {
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
/// `'c` is what the body borrows from its caller: that it outlives `'t` is what lets a boxed body borrow at all.
pub(crate) struct Tx<'t, 'c>(deadpool_postgres::Transaction<'t>, PhantomData<&'t &'c ()>);

/// What a body returns: `Box::pin(async move { … })`. Boxed because the future must be `Send`, which cannot yet be
/// asked of an `AsyncFn`.
pub(crate) type Step<'t, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 't>>;

impl Tx<'_, '_> {
    async fn rows(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, StoreError> {
        let statement = self.0.prepare_cached(sql).await?;
        Ok(self.0.query(&statement, values).await?)
    }

    async fn row(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Option<Row>, StoreError> {
        let statement = self.0.prepare_cached(sql).await?;
        Ok(self.0.query_opt(&statement, values).await?)
    }

    /// Rows changed.
    async fn execute(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<u64, StoreError> {
        let statement = self.0.prepare_cached(sql).await?;
        Ok(self.0.execute(&statement, values).await?)
    }
}

impl Store {
    /// Connects, waiting up to `wait` for Postgres to come up, and brings the schema up to date.
    pub(crate) async fn open(url: &str, wait: Duration, metrics: Metrics) -> Result<Self, StoreError> {
        let mut config: tokio_postgres::Config =
            url.parse().map_err(|_| StoreError::Unavailable("the database address cannot be read".into()))?;
        config.options(SETTINGS).application_name("distribution").connect_timeout(CONNECTION_WAIT);
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
        client.execute("SELECT pg_advisory_lock($1)", &[&MIGRATIONS]).await?;
        client.batch_execute("CREATE SCHEMA IF NOT EXISTS distribution").await?;
        let migrated = migrations::migrations::runner().run_async(client.deref_mut().deref_mut()).await;
        client.execute("SELECT pg_advisory_unlock($1)", &[&MIGRATIONS]).await?;
        migrated
            .map(|_| ())
            .map_err(|error| StoreError::damaged(format!("cannot migrate: {}", chain(&error))))
    }

    /// Runs `body` in a transaction and commits it. `name` stands in logs and metrics.
    ///
    /// Repeated after a conflict, and after a connection that broke before the commit was sent. Not repeated if it
    /// broke later: the client does that, and meets its own first receipt.
    pub(crate) async fn run_tx<'c, T>(
        &self,
        name: &'static str,
        body: impl for<'t> Fn(&'t Tx<'t, 'c>) -> Step<'t, T>,
    ) -> Result<T, StoreError> {
        let started = Instant::now();
        let mut attempt = 1;
        let result = loop {
            match within(ATTEMPT, self.attempt(&body)).await {
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

    async fn attempt<'c, T>(
        &self,
        body: &impl for<'t> Fn(&'t Tx<'t, 'c>) -> Step<'t, T>,
    ) -> Result<T, StoreError> {
        let mut client = self.pool.get().await.map_err(StoreError::of_pool)?;
        let tx = Tx(client.transaction().await?, PhantomData);
        let value = body(&tx).await?; // dropping the transaction rolls it back
        tx.0.commit().await.map_err(StoreError::of_commit)?;
        Ok(value)
    }

    /// Reads everything as it was at one moment, without holding up anybody. Not repeated.
    pub(crate) async fn run_audit<'c, T>(
        &self,
        name: &'static str,
        body: impl for<'t> Fn(&'t Tx<'t, 'c>) -> Step<'t, T>,
    ) -> Result<T, StoreError> {
        let started = Instant::now();
        let audit = async {
            let mut client = self.pool.get().await.map_err(StoreError::of_pool)?;
            let builder = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead);
            let tx = Tx(builder.read_only(true).start().await?, PhantomData);
            body(&tx).await
        };
        let result = within(AUDIT, audit).await;
        self.metrics.transaction(name, result.is_ok(), 1, started.elapsed());
        result
    }

    /// Whether Postgres answers.
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        self.run_tx("ping", |tx| Box::pin(async move { tx.row("SELECT 1", &[]).await.map(|_| ()) })).await
    }
}

async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result,
        Err(_) => Err(StoreError::Unavailable(format!("no answer within {limit:?}"))),
    }
}

/// An error with its causes, for the log.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
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
