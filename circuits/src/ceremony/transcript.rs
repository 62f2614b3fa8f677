//! What a repository keeps of a finished ceremony: the hash of the circuit and all contributions. With the powers,
//! anyone can follow them again to the verifying key, whose soundness is all that others rely on; with the proving key
//! also to that.
//!
//! ```text
//! "unum-tr" 0x01 ‖ section 10 of the .zkey file
//! ```

use rand_core::CryptoRng;

use super::container::Reader;
use super::verify::{Head, verify_contributions};
use super::zkey::{self, contributions_bytes, take_contributions};
use super::{CeremonyError, Chain, Contribution, Parameters, Powers};
use crate::relation::Relation;
use crate::{ProvingKey, VerifyingKey};

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

    /// As [`Parameters::circuit_hash`].
    pub fn circuit_hash(&self) -> String {
        hex::encode(self.circuit_hash)
    }

    /// The contributions.
    pub fn contributions(&self) -> &[Contribution] {
        &self.contributions
    }

    /// Sees that `key` is the verifying key that this ceremony ended with, and that the ceremony is finished. Needs no
    /// proving key: a wrong one makes no proofs, but no false ones either.
    ///
    /// # Errors
    ///
    /// As [`Parameters::verify`], or [`CeremonyError::Unfinished`].
    pub fn verify(
        &self,
        key: &VerifyingKey,
        powers: &Powers,
        relation: &Relation,
        rng: &mut dyn CryptoRng,
    ) -> Result<Chain, CeremonyError> {
        let delta_g1 = verify_contributions(&self.circuit_hash, &self.contributions, rng)?;
        Head { delta_g1, beta_g1: powers.beta_g1[0], key: &key.0 }.check(powers, relation, rng)?;
        let finished = zkey::finished(&self.contributions);
        let chain = Chain { members: self.contributions.len() - usize::from(finished), finished };
        if finished { Ok(chain) } else { Err(CeremonyError::Unfinished) }
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
