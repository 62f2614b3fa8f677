//! Postgres: connections, migrations, and transactions.
//!
//! All work is [`Store::run_tx`]: named, timed, and repeated where repeating helps. The body may run more than once,
//! so it changes nothing outside the transaction; a refusal that must be remembered is an `Ok` value, because an
//! `Err` rolls back.
//!
//! Isolation is `READ COMMITTED`: where rows must not change under a decision, the body locks them. Knows no table.

mod column;
mod error;
mod tx;

use std::ops::DerefMut as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use refinery::{Migration, Runner};
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

use crate::metrics::Metrics;
pub use column::{bigint, bytes, count, time};
pub use error::{StoreError, chain};
pub use tx::{Change, Tx};

/// Connections at once. Postgres' default allows 100; a few servers and an operator's shell must fit.
const CONNECTIONS: usize = 16;
/// How long a request waits for a connection: longer, and the client has given up.
const CONNECTION_WAIT: Duration = Duration::from_secs(3);
/// How long one attempt at a transaction may take.
const ATTEMPT: Duration = Duration::from_secs(10);
/// How long reading everything may take: 10⁷ rows at 10⁵ a second (an estimate), and as much again.
const AUDIT: Duration = Duration::from_secs(200);
/// Attempts at a transaction that conflicts with others, or whose connection broke.
const ATTEMPTS: u32 = 5;
/// Wait before the second attempt; grows with each.
const PAUSE: Duration = Duration::from_millis(20);
/// Server-side limits in milliseconds, shorter than [`ATTEMPT`]: a frozen service must not keep a lock.
const LIMITS: &str = "-c statement_timeout=8000 -c idle_in_transaction_session_timeout=10000";

/// What Postgres says of a schema that is not there, or not for us.
const MISSING: [SqlState; 3] =
    [SqlState::UNDEFINED_TABLE, SqlState::INVALID_SCHEMA_NAME, SqlState::INSUFFICIENT_PRIVILEGE];

/// What a service keeps in Postgres.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// Name of the schema; no other service uses it.
    pub name: &'static str,
    /// Its history, oldest first: name and SQL. Never edit one that has been released, add the next.
    pub migrations: &'static [(&'static str, &'static str)],
    /// Number of the advisory lock around migrations; nobody else in the database uses it.
    pub lock: i64,
}

impl Schema {
    fn migrations(&self) -> Vec<Migration> {
        let migrations: Result<_, _> =
            self.migrations.iter().map(|(name, sql)| Migration::unapplied(name, sql)).collect();
        migrations.expect("names of migrations are well-formed")
    }
}

/// The database.
#[derive(Clone, Debug)]
pub struct Store {
    pool: Pool,
    metrics: Metrics,
}

impl Store {
    /// Connects, waiting up to `wait` for Postgres to come up, and brings the schema up to date.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if Postgres does not come up; [`StoreError::Damaged`] if what it holds is not this
    /// schema or an older one.
    pub async fn open(
        url: &str,
        schema: &Schema,
        wait: Duration,
        metrics: Metrics,
    ) -> Result<Self, StoreError> {
        let store = Self::lazy(url, schema, metrics)?;
        let client = store.wait_for_postgres(wait).await?;
        migrate(client, schema).await?;
        Ok(store)
    }

    /// As [`Store::open`], for a role that may not change the schema: it has to be up to date.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if Postgres does not come up; [`StoreError::Outdated`] if somebody has to migrate first.
    pub async fn connect(
        url: &str,
        schema: &Schema,
        wait: Duration,
        metrics: Metrics,
    ) -> Result<Self, StoreError> {
        let store = Self::lazy(url, schema, metrics)?;
        let client = store.wait_for_postgres(wait).await?;
        let sql = "SELECT version FROM refinery_schema_history ORDER BY version DESC LIMIT 1";
        let found = match client.query_one(sql, &[]).await.and_then(|row| row.try_get(0)) {
            Err(error) if error.code().is_some_and(|code| MISSING.contains(code)) => 0,
            found => found?,
        };
        let needed = schema.migrations().last().map_or(0, Migration::version);
        if found != needed {
            return Err(StoreError::Outdated { found, needed });
        }
        Ok(store)
    }

    fn lazy(url: &str, schema: &Schema, metrics: Metrics) -> Result<Self, StoreError> {
        let mut config: tokio_postgres::Config =
            url.parse().map_err(|_| StoreError::Unavailable("the database address cannot be read".into()))?;
        let settings = format!("-c search_path={} {LIMITS}", schema.name);
        config.options(settings).application_name(schema.name).connect_timeout(CONNECTION_WAIT);
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let pool = Pool::builder(Manager::from_config(config, NoTls, recycling))
            .max_size(CONNECTIONS)
            .wait_timeout(Some(CONNECTION_WAIT))
            .create_timeout(Some(CONNECTION_WAIT))
            .recycle_timeout(Some(CONNECTION_WAIT))
            .runtime(Runtime::Tokio1)
            .build()
            .expect("timeouts come with a runtime");
        Ok(Self { pool, metrics })
    }

    async fn wait_for_postgres(&self, wait: Duration) -> Result<Object, StoreError> {
        let until = Instant::now() + wait;
        loop {
            match self.pool.get().await.map_err(StoreError::of_pool) {
                Ok(client) => return Ok(client),
                Err(error) if Instant::now() >= until => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "waiting for Postgres");
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
        }
    }

    /// Runs `body` in a transaction and commits it if the body returns `Ok`. `name` stands in logs and metrics.
    ///
    /// Repeated after a conflict, and after a connection that broke before the commit was sent. Not repeated if it
    /// broke later: the commit may have happened, and a body run twice would then meet its own rows.
    ///
    /// # Errors
    ///
    /// The body's, or a [`StoreError`] of its own.
    pub async fn run_tx<T, F>(&self, name: &'static str, body: impl Fn(Arc<Tx>) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let started = Instant::now();
        let mut attempt = 1;
        let result = loop {
            match within(ATTEMPT, self.attempt(Tx::WRITE, &body)).await {
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

    /// Reads everything as it was at one moment, without holding up anybody. May take minutes; not repeated.
    ///
    /// # Errors
    ///
    /// As [`Store::run_tx`].
    pub async fn run_audit<T, F>(
        &self,
        name: &'static str,
        body: impl Fn(Arc<Tx>) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let started = Instant::now();
        let result = within(AUDIT, self.attempt(Tx::READ_ONE_MOMENT, &body)).await;
        self.metrics.transaction(name, result.is_ok(), 1, started.elapsed());
        result
    }

    async fn attempt<T, F>(&self, begin: &str, body: impl Fn(Arc<Tx>) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let client = self.pool.get().await.map_err(StoreError::of_pool)?;
        let tx = Arc::new(Tx::begin(client, begin).await?);
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
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.run_tx("ping", |tx| async move { tx.row("SELECT 1", &[]).await.map(|_| ()) }).await
    }
}

/// Servers that start together migrate one after the other.
async fn migrate(mut client: Object, schema: &Schema) -> Result<(), StoreError> {
    client.execute("SELECT pg_advisory_lock($1)", &[&schema.lock]).await?;
    client.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS {}", schema.name)).await?;
    let migrated = Runner::new(&schema.migrations()).run_async(client.deref_mut().deref_mut()).await;
    client.execute("SELECT pg_advisory_unlock($1)", &[&schema.lock]).await?;
    migrated.map(|_| ()).map_err(|error| StoreError::damaged(format!("cannot migrate: {}", chain(&error))))
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
