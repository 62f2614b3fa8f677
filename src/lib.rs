//! The whole of Unum on one machine: a private Postgres, both services, devices, wallets and an app.
//!
//! | module | what it knows |
//! |---|---|
//! | [`cluster`] | a Postgres of our own, which cannot outlive us |
//! | [`system`] | both services, on it |
//! | [`demo`] | the whole path, from an eye to a claimed share, walked once and checked |
//! | [`audit`] | whether a sealed period is what was published about it |
//! | [`doctor`] | what is missing on this machine |
//!
//! Uses all parts and is used by none: what stands here is for demonstrations and tests, not for operation apart.

pub mod audit;
pub mod demo;
pub mod doctor;
pub mod system;

pub use private_postgres as cluster;
