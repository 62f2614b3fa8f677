//! Why the database gave no answer, and whether asking again helps.

use std::error::Error as _;
use std::fmt::Display;

use deadpool_postgres::PoolError;
use tokio_postgres::error::SqlState;

/// Why the database gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Postgres cannot be reached, or not in time. Nothing happened; come back later.
    #[error("Postgres is unavailable: {0}")]
    Unavailable(String),
    /// The connection broke before the commit was sent: nothing happened, so the transaction is tried again.
    #[error("the connection to Postgres broke")]
    Lost(#[source] tokio_postgres::Error),
    /// The connection broke while committing: nobody knows whether it happened. Come back and look.
    #[error("the connection to Postgres broke during a commit")]
    InDoubt(#[source] tokio_postgres::Error),
    /// Another transaction was in the way: tried again.
    #[error("conflict with another transaction")]
    Conflict(#[source] tokio_postgres::Error),
    /// What was read before the transaction is not what stands there now: nothing happened. Read again.
    #[error("overtaken: {0}")]
    Overtaken(String),
    /// A statement failed: a fault of ours, or of the schema.
    #[error("a statement failed")]
    Statement(#[source] tokio_postgres::Error),
    /// Somebody who may has to bring the schema up to date first.
    #[error("the schema is at version {found}, this program needs {needed}")]
    Outdated {
        /// The database's; 0 before the first.
        found: i32,
        /// This program's.
        needed: i32,
    },
    /// The tables hold what this service would never have written, or wrote with other keys.
    #[error("the database is damaged: {0}")]
    Damaged(String),
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        let of_io = error.source().is_some_and(<dyn std::error::Error>::is::<std::io::Error>);
        match error.code() {
            // A unique key that was taken meanwhile counts as a conflict: the next attempt sees who took it.
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
    /// Says what has changed.
    pub fn overtaken(by: impl Display) -> Self {
        Self::Overtaken(by.to_string())
    }

    /// Says what is wrong with a row.
    pub fn damaged(what: impl Display) -> Self {
        Self::Damaged(what.to_string())
    }

    pub(super) fn of_pool(error: PoolError) -> Self {
        match error {
            // Not even a connection: waiting any longer is for the client to decide.
            PoolError::Backend(error) => Self::Unavailable(chain(&error)),
            other => Self::Unavailable(other.to_string()),
        }
    }

    pub(super) fn of_commit(error: tokio_postgres::Error) -> Self {
        match Self::from(error) {
            Self::Lost(error) => Self::InDoubt(error),
            other => other,
        }
    }

    pub(super) fn helps_to_repeat(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Conflict(_))
    }
}

/// An error with its causes, for the log.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
