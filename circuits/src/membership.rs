//! The statement: "I know a secret whose commitment is a leaf under `root`, `nullifier` is right for
//! `external_nullifier`, and I bind `signal_hash`."
//!
//! | part | what it is |
//! |---|---|
//! | [`Public`] | what everyone sees, and the one order of the public inputs |
//! | [`Private`] | what only the wallet knows |
//! | [`check`] | the statement in plain code: the judge |
//! | [`Circuit`] | the statement as constraints |
//! | [`Assignment`] | the value of every wire, without building the circuit |
//! | [`Proof`](crate::Proof) | what convinces a verifier |

mod assignment;
mod check;
mod circuit;
mod private;
mod public;
#[cfg(test)]
pub(crate) mod tests;

pub use assignment::Assignment;
pub use check::{CheckError, check};
pub use circuit::Circuit;
pub use private::Private;
pub use public::Public;
