//! The exhaustive scan over several machines, on an engine that others maintain (`datafusion-distributed`).
//!
//! ```text
//! coordinator  manifest ─► placement: which workers hold a segment ─► one task a worker ─► engine ─► rows ─► Scanned
//! leaf         the operator at the bottom of the engine's plan: carries an order there, and replies back
//! worker       segments in locked memory; answers for exactly what it holds, in the version asked
//! ```
//!
//! | module | knows |
//! |---|---|
//! | [`coordinator`] | whom to ask, how long to wait, whom to ask instead; the tail is compared here |
//! | [`placement`] | rendezvous hashing: which workers hold a segment |
//! | [`queries`] | eyes on their way: sealed, whatever the engine does with them |
//! | [`wire`] | the one codec of orders and replies |
//! | `leaf` | the plan of a scan, as the engine sees it |
//! | [`worker`] | segments in memory, and the server around them |
//! | [`tls`] | certificates, both ways |
//!
//! A verdict comes from [`Scanned`](enroll_server::matcher::Scanned) alone, which is held against the manifest as that
//! of one process. Nothing here removes a row that came twice: it is refused. Knows no database and no device.

pub mod coordinator;
#[cfg(any(test, feature = "lab"))]
pub mod lab;
mod leaf;
pub mod placement;
pub mod queries;
pub mod tls;
pub mod wire;
pub mod worker;

pub use coordinator::{ClusterConfig, Coordinator, ScanError};
pub use worker::{Worker, WorkerConfig};
