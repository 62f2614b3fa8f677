//! What the benches of services share.
//!
//! | module | what it knows |
//! |---|---|
//! | [`forge`] | proofs by the hundred thousand, under a key whose secrets were kept |
//! | [`http`] | a connection with as little work of its own as possible |
//! | [`load`] | requests as fast as they are answered, or by a clock that does not wait |
//!
//! No service links it.

pub mod forge;
pub mod http;
pub mod load;

pub use forge::Forger;
