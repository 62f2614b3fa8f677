//! The money side over HTTP, on a real Postgres and with real proofs: whoever is entitled is paid once, whoever is not
//! leaves no trace, and nobody can alter the books unseen.
//!
//! The set is a small one of our own, signed with a test key and served as the enrollment server serves it.

mod accounts;
mod audit;
mod bank;
mod batches;
mod claims;
mod ledger;
mod outage;
mod page;
mod payments;
mod periods;
mod policies;
mod recovery;
mod reversals;
mod set;
mod worker;
