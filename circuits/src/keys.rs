//! The two keys of the circuit, and their bytes.
//!
//! ```text
//! proving key:   "unum-pk" 0x02 ‖ circuit hash (32) ‖ arkworks' uncompressed form of the rest
//! verifying key: "unum-vk" 0x01 ‖ circuit hash (32) ‖ α (G1) β γ δ (G2) ‖ 5 points of G1, one a public input and one before
//! ```
//!
//! For the form in which a proving key is downloaded, see `download`.
//!
//! Whoever makes keys on one machine could keep the randomness behind them and forge proofs; it lives in that
//! process's memory while [`ProvingKey::generate`] runs, in places that arkworks does not wipe. Such keys are for one
//! machine whose owner trusts itself. Keys for many are made by a ceremony, of which one honest member is enough.

mod download;

use std::fmt;

use ark_bn254::{Bn254, G1Affine};
use ark_groth16::Groth16;
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use unum_identity::bytes::KeyHash;

use crate::points::{put_g1, put_g2, take_g1, take_g2};
use crate::quotient::Quotient;
use crate::randomness::Randomness;
use crate::{Circuit, Description};

const PROVING_MAGIC: &[u8; 8] = b"unum-pk\x02";
const VERIFYING_MAGIC: &[u8; 8] = b"unum-vk\x01";

/// Why bytes are no key to use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not the bytes of a key of this kind and version. Look for the right file.
    #[error("these bytes are no key of this kind")]
    NotAKey,
    /// A key of another circuit, made by an older or newer version. Make or fetch a new one.
    #[error("the key belongs to another circuit than this program's")]
    OtherCircuit,
    /// A key, but not the one that was expected: damaged or exchanged. Fetch it again.
    #[error("the key's hash is {found}, expected {expected}")]
    OtherKey {
        /// Hash asked for.
        expected: KeyHash,
        /// Hash of the bytes.
        found: KeyHash,
    },
}

/// What makes proofs. Public, about 3 MB.
#[derive(Clone)]
pub struct ProvingKey(pub(crate) ark_groth16::ProvingKey<Bn254>);

impl ProvingKey {
    /// Makes a new pair of keys. See the module's header for what they are good for.
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let shape = Circuit::shape();
        let key = Groth16::<Bn254, Quotient>::generate_random_parameters_with_reduction(
            shape,
            &mut Randomness(rng),
        );
        Self(key.expect("the circuit's domain exists"))
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = header(PROVING_MAGIC);
        self.0.serialize_uncompressed(&mut bytes).expect("writing to memory cannot fail");
        bytes
    }

    /// Reads a key whose hash is known from a trusted place. Only the hash is compared; then the points need no
    /// check each, which would take seconds.
    ///
    /// # Errors
    ///
    /// A [`KeyError`].
    pub fn from_bytes(bytes: &[u8], expected: &KeyHash) -> Result<Self, KeyError> {
        let body = strip_header(bytes, PROVING_MAGIC)?;
        let found = hash(bytes);
        if found != *expected {
            return Err(KeyError::OtherKey { expected: *expected, found });
        }
        let mut rest = body;
        let key = ark_groth16::ProvingKey::deserialize_uncompressed_unchecked(&mut rest)
            .map_err(|_| KeyError::NotAKey)?;
        if !rest.is_empty() {
            return Err(KeyError::NotAKey);
        }
        let circuit = Description::pinned();
        let variables = circuit.instance_variables + circuit.witness_variables;
        let lengths = [&key.a_query, &key.b_g1_query, &key.l_query, &key.h_query].map(Vec::len);
        if lengths != [variables, variables, circuit.witness_variables, circuit.domain]
            || key.b_g2_query.len() != variables
        {
            return Err(KeyError::OtherCircuit);
        }
        Ok(Self(key))
    }

    /// The other half of the pair.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(self.0.vk.clone())
    }

    /// SHA-256 of [`ProvingKey::to_bytes`].
    pub fn hash(&self) -> KeyHash {
        hash(&self.to_bytes())
    }
}

/// What checks proofs. Public, 808 bytes.
#[derive(Clone, PartialEq)]
pub struct VerifyingKey(pub(crate) ark_groth16::VerifyingKey<Bn254>);

impl VerifyingKey {
    /// Its one encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = header(VERIFYING_MAGIC);
        put_g1(&mut bytes, &self.0.alpha_g1);
        for point in [&self.0.beta_g2, &self.0.gamma_g2, &self.0.delta_g2] {
            put_g2(&mut bytes, point);
        }
        for point in &self.0.gamma_abc_g1 {
            put_g1(&mut bytes, point);
        }
        bytes
    }

    /// Reads a key with every check of every point. Compare [`VerifyingKey::hash`] with one from a trusted place:
    /// a valid key of somebody else accepts somebody else's proofs.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotAKey`] or [`KeyError::OtherCircuit`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let body = strip_header(bytes, VERIFYING_MAGIC)?;
        Self::take(body).ok_or(KeyError::NotAKey)
    }

    fn take(mut body: &[u8]) -> Option<Self> {
        let key = ark_groth16::VerifyingKey {
            alpha_g1: take_g1(&mut body)?,
            beta_g2: take_g2(&mut body)?,
            gamma_g2: take_g2(&mut body)?,
            delta_g2: take_g2(&mut body)?,
            // Exactly one for each public input and one before: arkworks pairs them up and drops what is left over,
            // so that a shorter key would leave an input unread.
            gamma_abc_g1: (0..Description::pinned().instance_variables)
                .map(|_| take_g1(&mut body))
                .collect::<Option<Vec<G1Affine>>>()?,
        };
        body.is_empty().then_some(Self(key))
    }

    /// SHA-256 of [`VerifyingKey::to_bytes`].
    pub fn hash(&self) -> KeyHash {
        hash(&self.to_bytes())
    }
}

fn header(magic: &[u8]) -> Vec<u8> {
    [magic, &Description::pinned().sha256.0].concat()
}

fn strip_header<'a>(bytes: &'a [u8], magic: &[u8]) -> Result<&'a [u8], KeyError> {
    let body = bytes.strip_prefix(magic).ok_or(KeyError::NotAKey)?;
    let (circuit, body) = body.split_first_chunk::<32>().ok_or(KeyError::NotAKey)?;
    if *circuit == Description::pinned().sha256.0 { Ok(body) } else { Err(KeyError::OtherCircuit) }
}

fn hash(bytes: &[u8]) -> KeyHash {
    KeyHash(Sha256::digest(bytes).into())
}

impl fmt::Debug for ProvingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProvingKey")
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.hash())
    }
}

#[cfg(test)]
pub(crate) mod tests;
