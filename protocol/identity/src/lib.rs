//! Every noun that crosses a boundary between Unum's parts, each with its one codec.
//!
//! | module | nouns |
//! |---|---|
//! | [`field`] | [`FieldElement`](field::FieldElement) and the meanings it has: commitment, nullifier, root, … |
//! | [`bytes`] | byte strings of fixed length with one text form: nonces, ids, keys, signatures |
//! | [`poseidon`], [`hash`] | the hashes between them |
//! | [`secret`] | a person's secret, and the commitment and nullifiers that follow from it |
//! | [`action`] | what a nullifier is for: an app's action, a period's claim |
//! | [`set`] | the Merkle set of commitments, its paths |
//! | [`checkpoint`] | a signed root of the set |
//! | [`envelope`] | what a device signs and seals |
//! | [`enrollment`], [`programme`], [`claim`], [`ledger`], [`account`], [`published`], [`proof`], [`humanness`] | the bodies that travel over HTTP |
//! | [`payment`] | what an account's owner signs to pay somebody, and the link that asks for it |
//! | [`signed`] | a statement with its signature: receipts |
//! | [`problem`] | an error over HTTP |
//!
//! Does no I/O, reads no clock, draws no randomness that was not handed in, and knows nothing about irises:
//! what a device seals is opaque bytes here.

pub mod account;
pub mod action;
pub mod bytes;
pub mod checkpoint;
pub mod claim;
pub mod enrollment;
pub mod envelope;
pub mod field;
pub mod hash;
pub mod humanness;
pub mod ledger;
pub mod payment;
pub mod poseidon;
pub mod problem;
pub mod programme;
pub mod proof;
pub mod published;
pub mod secret;
pub mod set;
pub mod signed;
pub mod time;
