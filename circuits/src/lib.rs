//! The statement that wallets prove and services verify: relation, prover, verifier, keys.
//!
//! Groth16 (Groth 2016) over BN254, on arkworks.
//!
//! | module | what it knows |
//! |---|---|
//! | [`membership`] | the statement in its parts: [`Public`], [`Private`], native [`check`], [`Circuit`] |
//! | [`poseidon`] | the hash as a circuit |
//! | [`relation`] | the circuit as matrices, and its pinned description |
//! | [`proof`], [`points`] | proofs and points from outside, decoded with every check |
//! | [`keys`] | proving and verifying key, and their bytes |
//! | [`provenance`] | where keys come from, by their hashes |
//! | `quotient` | the circuit as polynomials, as snarkjs has them |
//! | `arithmetic`, `msm`, `subgroup` | fields, sums over fixed points, and membership, fast |
//! | [`prover`], [`verifier`] | the two sides |
//! | `ceremony` | keys made by many, in the files of snarkjs (feature `ceremony`) |
//! | [`interop`] | proofs and keys in the forms of other systems |
//!
//! Does no I/O, reads no clock and draws no randomness that was not handed in. The one exception stands behind the
//! feature `folder`: key files on disk, for the programs that make or read them. The feature `program`, on by default, is for
//! the programs of this package; the other members of the workspace turn it off. Knows nothing of people, apps or money.

mod arithmetic;
#[cfg(feature = "ceremony")]
pub mod ceremony;
#[cfg(feature = "folder")]
pub mod folder;
pub mod interop;
pub mod keys;
pub mod membership;
mod msm;
pub mod points;
pub mod poseidon;
pub mod proof;
pub mod provenance;
pub mod prover;
mod quotient;
mod randomness;
pub mod relation;
mod subgroup;
pub mod verifier;

pub use keys::{KeyError, ProvingKey, VerifyingKey};
pub use membership::{CheckError, Circuit, Private, Public, check};
pub use proof::Proof;
pub use provenance::Provenance;
pub use prover::{ProveError, Prover};
pub use relation::Description;
pub use verifier::{Batches, InvalidProof, InvalidProofs, Verifier};
