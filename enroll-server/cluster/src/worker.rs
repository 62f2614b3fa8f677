//! A worker: segments in locked memory, and a server that compares queries with them.
//!
//! ```text
//! TLS, both certificates ─► token ─► plan: an order, nothing else ─► Holding ─► a reply for each segment
//! ```
//!
//! It answers for exactly the segments that it has read as the coordinator lists them, nonce and tag included, and
//! refuses all others by name. It never asks its folder what there is: a file that has gone is a segment that is
//! missing, not one segment less. Knows no database, no manifest, and no other worker.

mod config;
mod holding;
mod sabotage;
mod server;

pub use config::{ConfigError, WorkerConfig};
pub(crate) use holding::Holding;
pub use sabotage::Sabotage;
pub(crate) use server::without_disk;
pub use server::{StartError, Worker};
