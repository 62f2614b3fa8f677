//! What a repository keeps of a finished ceremony: the hash of the circuit and all contributions. With the powers and
//! the proving key, anyone can follow it again.
//!
//! ```text
//! "unum-tr" 0x01 ‖ section 10 of the .zkey file
//! ```

use super::container::Reader;
use super::zkey::{contributions_bytes, take_contributions};
use super::{CeremonyError, Contribution, Parameters};
use crate::ProvingKey;

const MAGIC: &[u8; 8] = b"unum-tr\x01";
const FILE: &str = "transcript";

/// The contributions of a ceremony.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript {
    circuit_hash: [u8; 64],
    contributions: Vec<Contribution>,
}

impl Transcript {
    /// Its one encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&MAGIC[..], &contributions_bytes(&self.circuit_hash, &self.contributions)].concat()
    }

    /// Reads a transcript; whether it holds, [`Parameters::verify`] says.
    ///
    /// # Errors
    ///
    /// [`CeremonyError::Malformed`] or [`CeremonyError::Point`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CeremonyError> {
        let mut reader = Reader::new(bytes, FILE, "contributions");
        reader.expect(MAGIC, "it does not start with the magic word")?;
        let (circuit_hash, contributions) = take_contributions(reader)?;
        Ok(Self { circuit_hash, contributions })
    }

    /// The contributions.
    pub fn contributions(&self) -> &[Contribution] {
        &self.contributions
    }

    /// The parameters that the ceremony ended with, if `key` is its proving key; [`Parameters::verify`] says.
    ///
    /// # Errors
    ///
    /// [`CeremonyError::NotDerived`] if the key's γ is not the generator.
    pub fn with_key(self, key: &ProvingKey) -> Result<Parameters, CeremonyError> {
        use ark_ec::AffineRepr;
        let ark_groth16::ProvingKey {
            vk,
            beta_g1,
            delta_g1,
            a_query,
            b_g1_query,
            b_g2_query,
            h_query,
            l_query,
        } = key.0.clone();
        if vk.gamma_g2 != ark_bn254::G2Affine::generator() {
            return Err(CeremonyError::NotDerived { section: "gamma" });
        }
        Ok(Parameters {
            alpha_g1: vk.alpha_g1,
            beta_g1,
            beta_g2: vk.beta_g2,
            delta_g1,
            delta_g2: vk.delta_g2,
            ic: vk.gamma_abc_g1,
            a: a_query,
            b_g1: b_g1_query,
            b_g2: b_g2_query,
            l: l_query,
            h: h_query,
            circuit_hash: self.circuit_hash,
            contributions: self.contributions,
        })
    }
}

impl From<&Parameters> for Transcript {
    fn from(parameters: &Parameters) -> Self {
        Self { circuit_hash: parameters.circuit_hash, contributions: parameters.contributions.clone() }
    }
}
