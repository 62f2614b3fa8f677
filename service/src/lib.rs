//! What every service does the same way.
//!
//! | module | what it knows |
//! |---|---|
//! | [`config`] | reading a TOML file that holds secrets; the operators' token |
//! | [`key_file`] | a key of 32 bytes in a file of its own |
//! | [`store`] | Postgres: connections, migrations, transactions that are named, timed and repeated |
//! | [`extract`] | what handlers take from a request |
//! | [`problem`] | errors as they leave a server |
//! | [`http`] | limits around all handlers; listening and stopping |
//! | [`metrics`] | numbers for Prometheus, one recorder a server |
//! | [`stage`] | work that gathers, so that many are done together |
//! | [`threads`] | threads that compute and step aside for everything else |
//! | [`program`] | logs on standard error, signals that mean "stop" |
//!
//! Knows no table, no route, and nothing of eyes, proofs or money. Whatever only one service needs is not here.

pub mod config;
pub mod extract;
pub mod http;
pub mod key_file;
pub mod metrics;
pub mod problem;
pub mod program;
pub mod stage;
pub mod store;
pub mod threads;

pub use config::OperatorToken;
pub use extract::{Body, Json, Operated, Operator, Path, Query};
pub use metrics::Metrics;
pub use problem::ProblemResponse;
pub use store::{Store, StoreError, Tx};
