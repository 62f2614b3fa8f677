//! Parameters of phase 2, and the `.zkey` file they come in.
//!
//! ```text
//! section  1  protocol (1: Groth16)
//!          2  32 ‖ q ‖ 32 ‖ r ‖ variables ‖ public inputs ‖ domain ‖ α β (G1) β γ (G2) δ (G1) δ (G2)
//!          3  IC   (β·A + α·B + C)/γ of the constant and the public inputs     γ = 1
//!          4  coefficients of A and B, with the rows that bind the public inputs
//!          5  A (G1)    6  B (G1)    7  B (G2)    of all variables
//!          8  L    (β·A + α·B + C)/δ of the private variables
//!          9  H    the odd half of the Lagrange basis of twice the domain, divided by δ
//!         10  hash of the circuit (64) ‖ number of contributions ‖ contributions
//! ```

use std::fmt;

use ark_bn254::{Bn254, Fq, Fr, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::PrimeField;

use super::circuit::{Matrix, Shape, entries};
use super::container::{self, Reader, Sections};
use super::montgomery::{self, Identity};
use super::{CeremonyError, Contribution, Kind};
use crate::ProvingKey;
use crate::relation::Relation;

const FILE: &str = "zkey";

/// Parameters of phase 2 for one circuit. Public.
#[derive(Clone, PartialEq, Eq)]
pub struct Parameters {
    pub(super) alpha_g1: G1Affine,
    pub(super) beta_g1: G1Affine,
    pub(super) beta_g2: G2Affine,
    pub(super) delta_g1: G1Affine,
    pub(super) delta_g2: G2Affine,
    pub(super) ic: Vec<G1Affine>,
    pub(super) a: Vec<G1Affine>,
    pub(super) b_g1: Vec<G1Affine>,
    pub(super) b_g2: Vec<G2Affine>,
    pub(super) l: Vec<G1Affine>,
    pub(super) h: Vec<G1Affine>,
    pub(super) circuit_hash: [u8; 64],
    pub(super) contributions: Vec<Contribution>,
}

impl Parameters {
    /// Reads a `.zkey` file for `relation`. Every point is valid after this; whether the file is the fruit of a
    /// ceremony, [`Parameters::verify`] says.
    ///
    /// # Errors
    ///
    /// [`CeremonyError::Malformed`], [`CeremonyError::Point`] or [`CeremonyError::OtherCircuit`].
    pub fn from_zkey(bytes: &[u8], relation: &Relation) -> Result<Self, CeremonyError> {
        let (sections, shape) = (Sections::read(bytes, FILE)?, Shape::from(relation));
        let mut protocol = sections.open(1, "protocol")?;
        protocol.expect(&1_u32.to_le_bytes(), "another protocol than Groth16")?;
        protocol.end()?;
        let mut header = sections.open(2, "header")?;
        header.expect(&curve(), "another curve")?;
        if header.bytes(12)? != sizes(&shape) {
            return Err(CeremonyError::OtherCircuit);
        }
        let (alpha_g1, beta_g1, beta_g2) = (header.g1()?, header.g1()?, header.g2()?);
        if header.g2()? != G2Affine::generator() {
            return Err(CeremonyError::NotDerived { section: "gamma" });
        }
        let (delta_g1, delta_g2) = (header.g1()?, header.g2()?);
        header.end()?;
        if sections.bytes(4) != Some(&coefficients(relation)) {
            return Err(CeremonyError::OtherCircuit);
        }
        let g1 = |id, name, count| whole(sections.open(id, name)?, |r| r.g1_list(count, Identity::Allowed));
        let (circuit_hash, contributions) = take_contributions(sections.open(10, "contributions")?)?;
        Ok(Self {
            alpha_g1,
            beta_g1,
            beta_g2,
            delta_g1,
            delta_g2,
            ic: g1(3, "IC", shape.public + 1)?,
            a: g1(5, "A", shape.variables)?,
            b_g1: g1(6, "B1", shape.variables)?,
            b_g2: whole(sections.open(7, "B2")?, |r| r.g2_list(shape.variables, Identity::Allowed))?,
            l: g1(8, "L", shape.variables - shape.public - 1)?,
            h: g1(9, "H", shape.domain)?,
            circuit_hash,
            contributions,
        })
    }

    /// The `.zkey` file; `relation` must be the one that they were made for.
    pub fn to_zkey(&self, relation: &Relation) -> Vec<u8> {
        let shape = Shape::from(relation);
        assert_eq!(self.a.len(), shape.variables, "made for another circuit");
        let mut header = curve();
        header.extend(sizes(&shape));
        header.extend(montgomery::g1_bytes(&[self.alpha_g1, self.beta_g1]));
        header.extend(montgomery::g2_bytes(&[self.beta_g2, G2Affine::generator()]));
        montgomery::put_g1(&mut header, &self.delta_g1);
        montgomery::put_g2(&mut header, &self.delta_g2);
        container::write(
            FILE,
            &[
                (1, 1_u32.to_le_bytes().to_vec()),
                (2, header),
                (3, montgomery::g1_bytes(&self.ic)),
                (4, coefficients(relation)),
                (5, montgomery::g1_bytes(&self.a)),
                (6, montgomery::g1_bytes(&self.b_g1)),
                (7, montgomery::g2_bytes(&self.b_g2)),
                (8, montgomery::g1_bytes(&self.l)),
                (9, montgomery::g1_bytes(&self.h)),
                (10, contributions_bytes(&self.circuit_hash, &self.contributions)),
            ],
        )
    }

    /// BLAKE2b-512 of the parameters before the first contribution, in hex: the same for everyone who makes them from
    /// the same powers. snarkjs calls it the circuit hash.
    pub fn circuit_hash(&self) -> String {
        hex::encode(self.circuit_hash)
    }

    /// The steps so far.
    pub fn contributions(&self) -> &[Contribution] {
        &self.contributions
    }

    /// Whether somebody contributed and the beacon was drawn.
    pub fn finished(&self) -> bool {
        finished(&self.contributions)
    }

    /// The keys. Verify the parameters first.
    ///
    /// # Errors
    ///
    /// [`CeremonyError::Unfinished`] before the beacon.
    pub fn proving_key(&self) -> Result<ProvingKey, CeremonyError> {
        if !self.finished() {
            return Err(CeremonyError::Unfinished);
        }
        Ok(ProvingKey(self.arkworks_key()))
    }

    /// arkworks' form of them.
    pub(super) fn arkworks_key(&self) -> ark_groth16::ProvingKey<Bn254> {
        ark_groth16::ProvingKey {
            vk: ark_groth16::VerifyingKey {
                alpha_g1: self.alpha_g1,
                beta_g2: self.beta_g2,
                gamma_g2: G2Affine::generator(),
                delta_g2: self.delta_g2,
                gamma_abc_g1: self.ic.clone(),
            },
            beta_g1: self.beta_g1,
            delta_g1: self.delta_g1,
            a_query: self.a.clone(),
            b_g1_query: self.b_g1.clone(),
            b_g2_query: self.b_g2.clone(),
            h_query: self.h.clone(),
            l_query: self.l.clone(),
        }
    }
}

/// Whether somebody contributed and the beacon was drawn.
pub(super) fn finished(contributions: &[Contribution]) -> bool {
    matches!(contributions, [_, .., last] if matches!(last.kind(), Kind::Beacon(_)))
}

/// Hash of the circuit and contributions, as section 10 has them.
pub(super) fn contributions_bytes(circuit_hash: &[u8; 64], contributions: &[Contribution]) -> Vec<u8> {
    let mut bytes = circuit_hash.to_vec();
    bytes.extend((contributions.len() as u32).to_le_bytes());
    for contribution in contributions {
        contribution.put(&mut bytes);
    }
    bytes
}

/// Reads what [`contributions_bytes`] wrote.
pub(super) fn take_contributions(
    mut reader: Reader<'_>,
) -> Result<([u8; 64], Vec<Contribution>), CeremonyError> {
    let circuit_hash = reader.array()?;
    let count = reader.u32()?;
    let contributions = (0..count).map(|_| Contribution::take(&mut reader)).collect::<Result<_, _>>()?;
    reader.end()?;
    Ok((circuit_hash, contributions))
}

fn whole<T>(
    mut reader: Reader<'_>,
    take: impl FnOnce(&mut Reader<'_>) -> Result<T, CeremonyError>,
) -> Result<T, CeremonyError> {
    let taken = take(&mut reader)?;
    reader.end()?;
    Ok(taken)
}

fn curve() -> Vec<u8> {
    let mut bytes = Vec::new();
    for modulus in [Fq::MODULUS, Fr::MODULUS] {
        bytes.extend(32_u32.to_le_bytes());
        montgomery::put_limbs(&mut bytes, modulus);
    }
    bytes
}

fn sizes(shape: &Shape) -> Vec<u8> {
    [shape.variables, shape.public, shape.domain]
        .iter()
        .flat_map(|size| (*size as u32).to_le_bytes())
        .collect()
}

/// Section 4: number of entries, then matrix ‖ row ‖ column ‖ value for each entry of A and B.
fn coefficients(relation: &Relation) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    let mut count = 0_u32;
    for entry in entries(relation).filter(|entry| entry.matrix != Matrix::C) {
        for number in [entry.matrix as usize, entry.row, entry.column] {
            bytes.extend((number as u32).to_le_bytes());
        }
        montgomery::put_coefficient(&mut bytes, entry.value);
        count += 1;
    }
    bytes[..4].copy_from_slice(&count.to_le_bytes());
    bytes
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parameters({} contributions)", self.contributions.len())
    }
}
