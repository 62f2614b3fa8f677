//! A person's secret, and what follows from it by World ID 3's rule.
//!
//! `s = hex(sha256(secret))`; `trapdoor = sha256(s ‖ "identity_trapdoor") mod r`;
//! `nullifier_key = sha256(s ‖ "identity_nullifier") mod r`; `secret_hash = H2(nullifier_key, trapdoor)`;
//! `commitment = H1(secret_hash)`.

use std::fmt;

use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::field::{Commitment, ExternalNullifier, FieldElement, Nullifier, Opening};
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
        let commitment = Opening(hash2(nullifier_key, trapdoor)).commitment();
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

    /// Private until it is shown, to have the commitment removed.
    pub fn opening(&self) -> Opening {
        Opening(hash2(self.nullifier_key, self.trapdoor))
    }

    /// `H2(external_nullifier, nullifier_key)`.
    pub fn nullifier(&self, external: ExternalNullifier) -> Nullifier {
        Nullifier(hash2(external.0, self.nullifier_key))
    }
}

impl Opening {
    /// The commitment that it opens.
    pub fn commitment(self) -> Commitment {
        Commitment(hash1(self.0))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::{hash_signal, hash_to_field};
    use crate::set::Set;

    #[derive(serde::Deserialize)]
    struct File {
        identities: Vec<IdentityVector>,
        tree_depth_30_zero_leaf_0: Tree,
        signals: Vec<Signal>,
        external_nullifiers: Vec<External>,
        nullifier_hashes: Vec<NullifierVector>,
        nullifier_hash_not_a_real_secret_app_id_no_action: Nullifier,
    }
    #[derive(serde::Deserialize)]
    struct IdentityVector {
        seed_utf8: String,
        trapdoor: FieldElement,
        nullifier: FieldElement,
        secret_hash: Option<FieldElement>,
        commitment_hex: Commitment,
    }
    #[derive(serde::Deserialize)]
    struct Tree {
        zeros_hex: Vec<FieldElement>,
        one_leaf_root_of_identity_0: crate::field::Root,
    }
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Signal {
        #[serde(rename = "signal_utf8")]
        signal: String,
        signal_hash: crate::field::SignalHash,
    }
    #[derive(serde::Deserialize)]
    struct External {
        app_id: String,
        action: String,
        app_id_hash: FieldElement,
        external_nullifier: ExternalNullifier,
    }
    #[derive(serde::Deserialize)]
    struct NullifierVector {
        seed: String,
        external_nullifier: ExternalNullifier,
        nullifier_hash: Nullifier,
    }

    fn vectors() -> File {
        serde_json::from_str(include_str!("../vectors/worldid3.json")).unwrap()
    }

    #[test]
    fn identities_equal_those_of_world_id() {
        let identities = vectors().identities;
        assert!(identities.len() >= 4, "an empty file must not pass");
        for v in identities {
            let identity = Identity::from_secret(v.seed_utf8.as_bytes());
            assert_eq!(identity.trapdoor(), v.trapdoor, "{}", v.seed_utf8);
            assert_eq!(identity.nullifier_key(), v.nullifier, "{}", v.seed_utf8);
            assert_eq!(identity.commitment(), v.commitment_hex, "{}", v.seed_utf8);
            if let Some(secret_hash) = v.secret_hash {
                assert_eq!(hash2(v.nullifier, v.trapdoor), secret_hash, "{}", v.seed_utf8);
            }
        }
    }

    #[test]
    fn trees_equal_those_of_world_id() {
        let File { identities, tree_depth_30_zero_leaf_0: tree, .. } = vectors();
        let mut set = Set::default();
        set.extend([identities[0].commitment_hex]).unwrap();
        assert_eq!(set.root(), tree.one_leaf_root_of_identity_0);
        let path = set.path_at(0, 1).unwrap();
        for (step, zero) in path.steps().iter().zip(&tree.zeros_hex) {
            assert_eq!(step.sibling(), *zero);
        }
        assert_eq!(path.root(identities[0].commitment_hex), set.root());
    }

    #[test]
    fn signals_hash_as_in_world_id() {
        let signals = vectors().signals;
        assert!(!signals.is_empty());
        for v in signals {
            assert_eq!(hash_signal(&v.signal), v.signal_hash, "{:?}", v.signal);
        }
        assert_eq!(hash_signal("0x00ff"), crate::field::SignalHash(hash_to_field(&[0, 255])));
        assert_eq!(
            hash_signal("0x0"),
            crate::field::SignalHash(hash_to_field(b"0x0")),
            "odd digits are text"
        );
    }

    #[test]
    fn nullifiers_equal_those_of_world_id() {
        let file = vectors();
        assert!(!file.external_nullifiers.is_empty() && !file.nullifier_hashes.is_empty());
        for v in &file.external_nullifiers {
            assert_eq!(hash_to_field(v.app_id.as_bytes()), v.app_id_hash);
            assert_eq!(
                ExternalNullifier::of_app(&v.app_id, &v.action),
                v.external_nullifier,
                "{:?}",
                v.action
            );
        }
        for v in &file.nullifier_hashes {
            let identity = Identity::from_secret(v.seed.as_bytes());
            assert_eq!(identity.nullifier(v.external_nullifier), v.nullifier_hash, "{}", v.seed);
        }
        let identity = Identity::from_secret(b"not_a_real_secret");
        assert_eq!(
            identity.nullifier(ExternalNullifier::of_app("app_id", "")),
            file.nullifier_hash_not_a_real_secret_app_id_no_action
        );
    }

    #[test]
    fn debug_shows_nothing() {
        let secret = Secret::from_bytes([7; 32]);
        assert_eq!(format!("{secret:?} {:?}", secret.identity()), "Secret Identity");
    }
}
