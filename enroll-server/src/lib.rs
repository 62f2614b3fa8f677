//! The enrollment server: it knows the devices, compares everyone's eyes with everyone's, keeps the set and its
//! log, and tells apps whether a proof shows a human.
//!
//! ```text
//! routes ─► enrollment ─► matcher ◄─ gallery ───┐   (segments on disk: copies)
//!    │           └────────────────────────────► store (Postgres: the only truth)
//!    ├────► published (the tree) ───────────────┤
//!    └────► verify (circuits) ──────────────────┘
//! ```
//!
//! | module | knows |
//! |---|---|
//! | [`config`] | what an operator chooses |
//! | [`server`] | starting, stopping, and what runs beside the requests |
//! | `routes` | HTTP: parse, one call, answer |
//! | `enrollment` | the way of one envelope through the server, to enroll or to recover |
//! | `erasure` | taking somebody out of everything |
//! | `uniqueness` | whether these eyes are fit to be compared |
//! | `gallery` | which segments and which rows are in memory, and how they come there |
//! | [`matcher`] | everyone's eyes in memory and in files, the comparison with all of them, and when it counts |
//! | `published` | the tree in memory; checkpoints, paths, snapshots |
//! | `apps` | apps, and how often a human may do what in them |
//! | `verify` | proofs, whose sets they are of, roots that count, nullifiers |
//! | `bridge` | mailboxes between pages of apps and wallets, whose letters it cannot read |
//! | `compat` | the interfaces of World ID's services |
//! | `limits` | how much a client or an app may ask for |
//! | `store` | the SQL of each table |
//! | [`keys`], `sealed` | key files; how eyes are encrypted at rest |
//! | `seed` | people who never came, for benches |
//! | `problem` | which code each refusal has |
//! | [`program`] | what its programs do: locked memory, the address, signals |
//!
//! Knows no camera, no wallet and no money. Memory and files hold copies only: kill the process at any moment, or take
//! away its disk, and whatever it has acknowledged is in Postgres.

mod apps;
mod bridge;
mod compat;
pub mod config;
mod enrollment;
mod erasure;
mod gallery;
pub mod keys;
mod limits;
pub mod matcher;
mod problem;
pub mod program;
mod published;
mod routes;
mod sealed;
mod seed;
pub mod server;
mod store;
mod uniqueness;
mod verify;

pub use config::Config;
pub use routes::openapi;
pub use seed::seed;
pub use server::{Server, StartError};
pub use verify::sets::ForeignKeyError;
