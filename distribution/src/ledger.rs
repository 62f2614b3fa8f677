//! The ledger's arithmetic: accounts, entries and their hashes, and how a ledger is checked.
//!
//! ```text
//! deposit   funding:<source>              ─► pool:<programme>
//! reserve   pool:<programme>              ─► reserve:<programme>:<period>
//! claim     reserve:<programme>:<period>  ─► wallet:<account>  (and the fee ─► the relayer's wallet, or fees)
//! return    reserve:<programme>:<period>  ─► pool:<programme>
//! payment   wallet:<account>              ─► wallet:<another>
//! reversal  pool:<programme>              ─► funding:<source>
//! ```
//!
//! Double entry in whole minor units: the lines of an entry sum to zero, so all accounts together always hold nothing.
//! Entries form a chain: each hash covers the one before it.
//!
//! Knows no database and no clock.

pub mod account;
pub mod audit;
pub mod entry;
mod published;
