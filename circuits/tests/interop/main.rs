//! Our proofs, keys and statement against other people's programs: an Ethereum machine, circom, snarkjs, arkworks.
//!
//! Uses what any program can use of this crate. The tests that need Node are ignored: `make nightly` runs them.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "these are tests, and gas is worth seeing")]

mod arkworks;
mod assignment;
mod ceremony;
mod circom;
mod evm;
mod node;
mod on_chain;
mod program;
mod snarkjs;
mod statements;
mod vectors;
#[path = "../../src/bin/prove-bench/wtns.rs"]
mod wtns;
