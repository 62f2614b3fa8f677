//! The distribution: it keeps programmes and their periods, pays each person's share once, and keeps the ledger.
//!
//! ```text
//! routes ─► programme, deposit ─┐
//!    ├────► period ─► eligible ─┼─► store (Postgres: the only truth) ◄─ ledger (the arithmetic)
//!    └────► claim ─► circuits ──┘
//! ```
//!
//! | module | knows |
//! |---|---|
//! | [`config`] | what an operator chooses |
//! | [`server`] | starting and stopping |
//! | [`client`] | how an operator's program talks to the server |
//! | `routes` | HTTP: parse, one call, answer |
//! | `programme`, `deposit` | what was promised, and the money for it |
//! | `period` | the life of a period, from its snapshot to its sealed statement |
//! | `eligible` | who may claim: the published set, believed only as far as its signature |
//! | `overview`, `page` | how a programme is going, and the pages that show it to people |
//! | [`claim`] | the way of one claim through the server |
//! | [`proof_key`] | the key that claims are checked with, and who could forge them |
//! | [`ledger`] | accounts, entries, hashes, the check of all of them |
//! | `store` | the SQL of each table |
//!
//! Knows no iris, no device and no person: of the enrollment server it reads the published, signed set, over HTTP.
//! Memory holds nothing that must last: kill the process at any moment and whatever it has acknowledged is in Postgres.

mod app;
pub mod claim;
pub mod client;
pub mod config;
mod deposit;
mod eligible;
pub mod ledger;
mod overview;
mod page;
mod period;
mod programme;
pub mod proof_key;
mod routes;
pub mod server;
mod store;

pub use config::Config;
pub use period::Transition;
pub use routes::openapi;
pub use server::{Server, StartError};
