//! Proofs, public inputs and verifying keys in the forms of other systems.
//!
//! | form | noun | who speaks it |
//! |---|---|---|
//! | eight words, G2 as `c1, c0` | [`ProofBytes`](unum_identity::proof::ProofBytes), the form that Unum itself uses | Ethereum, World ID |
//! | [`Nested`] | the same words as `[[a0, a1], [[b00, b01], [b10, b11]], [c0, c1]]` | World ID's API |
//! | [`Compressed`] | four words: an abscissa and a sign each | World ID's wallets and contracts |
//! | [`snarkjs`] | JSON of decimal numbers, G2 as `c0, c1` | snarkjs, circom's tools |
//!
//! Whatever comes in leaves as a [`Proof`](crate::Proof) or a [`VerifyingKey`](crate::VerifyingKey), whose points are
//! valid; whether a proof holds is for the verifier to say. A number that may be written in two ways is refused in
//! JSON of snarkjs and in compressed words; World ID drops leading zeros of hex, so those may be missing where its
//! forms are read.

mod compressed;
mod nested;
mod number;
pub mod snarkjs;

pub use compressed::Compressed;
pub use nested::Nested;

/// Why something is no proof, key or list of inputs in the form that it was taken for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormError {
    /// Other fields, or a number that is not canonical. Look for the right file, or mend what wrote it.
    #[error("not of this form")]
    Malformed(#[from] serde_json::Error),
    /// Of the right form, but a point is off its curve, outside its subgroup, or the identity. No honest tool writes
    /// such a thing.
    #[error("a point is not valid")]
    NotAPoint,
    /// Made for another statement than ours.
    #[error("{found} public inputs, the statement has {expected}")]
    OtherStatement {
        /// Inputs that the file has.
        found: usize,
        /// Inputs of the statement.
        expected: usize,
    },
}
