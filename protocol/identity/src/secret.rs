//! A person's secret, and what follows from it by World ID 3's rule.
//!
//! `s = hex(sha256(secret))`; `trapdoor = sha256(s ‖ "identity_trapdoor") mod r`;
//! `nullifier_key = sha256(s ‖ "identity_nullifier") mod r`; `secret_hash = H2(nullifier_key, trapdoor)`;
//! `commitment = H1(secret_hash)`.

use std::fmt;

use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::field::{Commitment, ExternalNullifier, FieldElement, Nullifier};
use crate::poseidon::{hash1, hash2};

/// 32 bytes that only the person's wallet holds. Whoever has them is that person here.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Secret([u8; 32]);

impl Secret {
    /// A new secret.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// A stored secret.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for storing them encrypted.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The identity that follows from it.
    pub fn identity(&self) -> Identity {
        Identity::from_secret(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// The two private field elements, and the public commitment to them.
#[derive(Clone)]
pub struct Identity {
    nullifier_key: FieldElement,
    trapdoor: FieldElement,
    commitment: Commitment,
}

impl Identity {
    /// Derives an identity from a secret of any length (World ID derives some from text).
    pub fn from_secret(secret: &[u8]) -> Self {
        let s = Zeroizing::new(hex::encode(Sha256::digest(secret)));
        let derive = |label: &str| {
            let digest = Sha256::new().chain_update(s.as_bytes()).chain_update(label).finalize();
            FieldElement::from_be_bytes_mod_order(&digest.into())
        };
        Self::from_parts(derive("identity_nullifier"), derive("identity_trapdoor"))
    }

    /// The identity of two given private elements.
    pub fn from_parts(nullifier_key: FieldElement, trapdoor: FieldElement) -> Self {
        let commitment = Commitment(hash1(hash2(nullifier_key, trapdoor)));
        Self { nullifier_key, trapdoor, commitment }
    }

    /// Private: makes nullifiers.
    pub fn nullifier_key(&self) -> FieldElement {
        self.nullifier_key
    }

    /// Private: blinds the commitment.
    pub fn trapdoor(&self) -> FieldElement {
        self.trapdoor
    }

    /// Public: this person's leaf in the set.
    pub fn commitment(&self) -> Commitment {
        self.commitment
    }

    /// `H2(external_nullifier, nullifier_key)`.
    pub fn nullifier(&self, external: ExternalNullifier) -> Nullifier {
        Nullifier(hash2(external.0, self.nullifier_key))
    }
}

impl Drop for Identity {
    fn drop(&mut self) {
        self.nullifier_key.zeroize();
        self.trapdoor.zeroize();
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}
