//! The distribution: it keeps programmes and their periods, pays each person's share once, and keeps the ledger.
//!
//! ```text
//! routes ─► programme, deposit ─┐
//!    ├────► period ─► eligible ─┼─► store (Postgres: the only truth) ◄─ ledger (the arithmetic)
//!    │        ▲                 │
//!    │      worker              │
//!    └────► claim ─► circuits ──┘
//! ```
//!
//! | module | knows |
//! |---|---|
//! | [`config`] | what an operator chooses |
//! | [`server`] | starting and stopping |
//! | [`client`] | how an operator's program talks to the server |
//! | `routes` | HTTP: parse, one call, answer |
//! | `programme`, `deposit`, `reversal` | what was promised, the money for it, and deposits taken back |
//! | `payment` | what people pay each other |
//! | `period` | the life of a period, from its snapshot to its sealed statement |
//! | `worker`, `steady` | taking its steps when they are due, by clocks that agree |
//! | `eligible` | who may claim: the published set, believed only as far as its signature |
//! | `overview`, `page` | how a programme is going, and the pages that show it to people |
//! | [`claim`] | the way of one claim through the server |
//! | [`proof_key`] | the key that claims are checked with, and who could forge them |
//! | [`ledger`] | accounts, entries, hashes, the check of all of them |
//! | [`audit`] | whether a sealed period is what was published about it |
//! | [`archive`] | what was published about a period, fetched and kept in a folder |
//! | [`rights`] | who may do what in the database |
//! | `store` | the SQL of each table |
//!
//! Knows no iris, no device and no person: of the enrollment server it reads the published, signed set, over HTTP.
//! Memory holds nothing that must last: kill the process at any moment and whatever it has acknowledged is in Postgres.

mod app;
pub mod archive;
pub mod audit;
pub mod claim;
pub mod client;
pub mod config;
mod deposit;
mod eligible;
pub mod ledger;
mod overview;
mod page;
mod payment;
mod period;
mod programme;
pub mod proof_key;
mod reversal;
pub mod rights;
mod routes;
pub mod server;
mod steady;
mod store;
mod worker;

pub use config::Config;
pub use period::Transition;
pub use rights::{PrepareError, prepare_database};
pub use routes::openapi;
pub use server::{Server, StartError};
