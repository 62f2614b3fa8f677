//! Keys made by many, of whom one honest member is enough (Bowe, Gabizon, Miers 2017, "MMORPG").
//!
//! ```text
//! phase 1, once for all circuits     powers of τ, α and β            .ptau
//! phase 2, once for this circuit     keys whose δ each member moves  .zkey
//! ```
//!
//! Whoever knows all of τ, α, β or all of δ can forge proofs; each is a product of one secret for each member, so it
//! takes all of them together. The last step of a phase is a beacon: public randomness that nobody knew before.
//!
//! | module | what it knows |
//! |---|---|
//! | [`powers`] | phase 1: reading, making and checking powers |
//! | [`specialise`] | the first parameters of phase 2, the same to the bit on every machine |
//! | [`zkey`] | parameters on disk |
//! | [`contribution`] | one member's step, with a proof that the member knew the secret |
//! | [`step`] | taking such a step; the beacon |
//! | [`verify`] | whether parameters follow from powers, circuit and steps |
//! | [`series`] | many files in a row, of which bad ones are skipped and named |
//! | [`transcript`] | the record of a ceremony that a repository can carry |
//! | [`r1cs`] | the circuit for snarkjs |
//!
//! Files and hashes are those of snarkjs 0.7 to the bit, so that `snarkjs zkey verify` is a second, independent
//! verifier. Reads and writes no file, asks no clock; randomness is handed in.

mod circuit;
mod container;
pub mod contribution;
mod entropy;
mod error;
mod lagrange;
mod montgomery;
pub mod powers;
pub mod r1cs;
mod ratio;
pub mod series;
pub mod specialise;
pub mod step;
mod stream;
pub mod transcript;
pub mod verify;
mod weights;
pub mod zkey;

pub use contribution::{Contribution, Kind};
pub use entropy::contributor_rng;
pub use error::{CeremonyError, Fault};
pub use powers::Powers;
pub use series::{Series, Skipped};
pub use step::BeaconSource;
pub use transcript::Transcript;
pub use verify::Chain;
pub use zkey::Parameters;

#[cfg(test)]
mod tests;
