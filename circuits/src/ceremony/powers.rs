//! Phase 1: powers of τ, also times α and times β, for every circuit up to a size; and the `.ptau` file they come in.
//!
//! ```text
//! section  1  bytes of a coordinate (32) ‖ q ‖ power of this file ‖ power of the ceremony
//!          2  τ⁰·G … τ²ⁿ⁻²·G          4  α·τ⁰·G … α·τⁿ⁻¹·G          6  β·H
//!          3  τ⁰·H … τⁿ⁻¹·H           5  β·τ⁰·G … β·τⁿ⁻¹·G          7  contributions
//!         12 … 15  the Lagrange bases of 2, 3, 4, 5 for every domain of 2⁰ … 2ᵖᵒʷᵉʳ (and twice that for 2), if prepared
//! ```
//!
//! `G` and `H` are the generators, n = 2ᵖᵒʷᵉʳ. A file whose power is less than its ceremony's was cut from a larger one:
//! its points are as good, but the hashes of its contributions cover what was cut away.

mod check;
mod compact;
pub mod contribution;
mod prepare;
mod response;
pub mod step;

use std::fmt;

use ark_bn254::{Fq, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::PrimeField;
use blake2::{Blake2b512, Digest};

pub use self::check::Attested;
use self::contribution::PowersContribution;
use super::container::{self, Reader, Sections};
use super::montgomery::{self, Identity};
use super::{CeremonyError, lagrange};

/// The file that the world made: 54 contributions and a beacon of the perpetual powers of tau, cut to 2^13 and
/// prepared by Polygon Hermez. BLAKE2b-512 as published in the readme of snarkjs.
pub const HERMEZ_13: &str = "58efc8bf2834d04768a3d7ffcd8e1e23d461561729beaac4e3e7a47829a1c906\
                             6d5320241e124a1a8e8aa6c75be0ba66f65bc8239a0542ed38e11276f6fdb4d9";

/// The largest power for which the field has roots of unity for twice the domain.
const MOST_POWER: u32 = 27;
const FILE: &str = "ptau";

/// Powers of tau.
#[derive(Clone, PartialEq, Eq)]
pub struct Powers {
    power: u32,
    ceremony_power: u32,
    pub(super) tau_g1: Vec<G1Affine>,
    pub(super) tau_g2: Vec<G2Affine>,
    pub(super) alpha_g1: Vec<G1Affine>,
    pub(super) beta_g1: Vec<G1Affine>,
    pub(super) beta_g2: G2Affine,
    contributions: Vec<PowersContribution>,
    prepared: Option<Prepared>,
}

/// Sections 12 to 15 as they are in the file. Decoded where they are used, and never trusted.
#[derive(Clone, PartialEq, Eq)]
struct Prepared {
    tau_g1: Vec<u8>,
    tau_g2: Vec<u8>,
    alpha_g1: Vec<u8>,
    beta_g1: Vec<u8>,
}

/// Lagrange bases of one domain.
pub(super) struct Bases {
    pub tau_g1: Vec<G1Affine>,
    pub tau_g2: Vec<G2Affine>,
    pub alpha_g1: Vec<G1Affine>,
    pub beta_g1: Vec<G1Affine>,
    /// Elements 1, 3, 5, … of the basis of the domain that is twice as large.
    pub odd: Vec<G1Affine>,
}

impl Powers {
    /// The beginning of a phase 1: τ = α = β = 1.
    ///
    /// # Errors
    ///
    /// [`CeremonyError::Malformed`] if `power` is not in 1..=27.
    pub fn first(power: u32) -> Result<Self, CeremonyError> {
        check_power(power)?;
        let (n, g, h) = (1 << power, G1Affine::generator(), G2Affine::generator());
        Ok(Self {
            power,
            ceremony_power: power,
            tau_g1: vec![g; 2 * n - 1],
            tau_g2: vec![h; n],
            alpha_g1: vec![g; n],
            beta_g1: vec![g; n],
            beta_g2: h,
            contributions: Vec::new(),
            prepared: None,
        })
    }

    /// Reads a `.ptau` file. Every point is valid after this; whether they are powers, [`Powers::check`] says.
    ///
    /// # Errors
    ///
    /// [`CeremonyError::Malformed`] or [`CeremonyError::Point`].
    pub fn from_ptau(bytes: &[u8]) -> Result<Self, CeremonyError> {
        let sections = Sections::read(bytes, FILE)?;
        let (power, ceremony_power) = take_header(sections.open(1, "header")?)?;
        let n = 1 << power;
        let g1 = |id, name, count| {
            let mut reader: Reader<'_> = sections.open(id, name)?;
            let points = reader.g1_list(count, Identity::Refused)?;
            reader.end().map(|()| points)
        };
        let g2 = |id, name, count| {
            let mut reader: Reader<'_> = sections.open(id, name)?;
            let points = reader.g2_list(count, Identity::Refused)?;
            reader.end().map(|()| points)
        };
        let prepared = |id| sections.bytes(id).map(<[u8]>::to_vec);
        Ok(Self {
            power,
            ceremony_power,
            tau_g1: g1(2, "tauG1", 2 * n - 1)?,
            tau_g2: g2(3, "tauG2", n)?,
            alpha_g1: g1(4, "alphaTauG1", n)?,
            beta_g1: g1(5, "betaTauG1", n)?,
            beta_g2: g2(6, "betaG2", 1)?[0],
            contributions: contribution::take_list(sections.open(7, "contributions")?)?,
            prepared: prepared(12).zip(prepared(13)).zip(prepared(14)).zip(prepared(15)).map(
                |(((tau_g1, tau_g2), alpha_g1), beta_g1)| Prepared { tau_g1, tau_g2, alpha_g1, beta_g1 },
            ),
        })
    }

    /// The `.ptau` file, with the Lagrange bases if the powers were [prepared](Powers::prepare).
    pub fn to_ptau(&self) -> Vec<u8> {
        let mut sections = vec![
            (1, header(self.power, self.ceremony_power)),
            (2, montgomery::g1_bytes(&self.tau_g1)),
            (3, montgomery::g2_bytes(&self.tau_g2)),
            (4, montgomery::g1_bytes(&self.alpha_g1)),
            (5, montgomery::g1_bytes(&self.beta_g1)),
            (6, montgomery::g2_bytes(&[self.beta_g2])),
            (7, contribution::list_bytes(&self.contributions)),
        ];
        if let Some(Prepared { tau_g1, tau_g2, alpha_g1, beta_g1 }) = self.prepared.clone() {
            sections.extend([(12, tau_g1), (13, tau_g2), (14, alpha_g1), (15, beta_g1)]);
        }
        container::write(FILE, &sections)
    }

    /// Serves circuits on a domain of up to 2^power.
    pub fn power(&self) -> u32 {
        self.power
    }

    /// Who took part.
    pub fn contributions(&self) -> &[PowersContribution] {
        &self.contributions
    }

    /// The Lagrange bases for a domain of `size`: from the file if it has them, else computed, which takes seconds.
    /// Bases from a file are as good as the file: check what is made from them.
    pub(super) fn bases(&self, size: usize) -> Result<Bases, CeremonyError> {
        self.require(size)?;
        let prepared = self.prepared.as_ref();
        let g1 = |name, bytes: Option<&Vec<u8>>, powers: &[G1Affine]| match bytes {
            Some(bytes) => {
                let mut reader = block(bytes, powers.len(), montgomery::G1_LEN, name)?;
                reader.g1_list(powers.len(), Identity::Allowed)
            }
            None => Ok(lagrange::basis(powers)),
        };
        let mut twice = self.tau_g1.clone();
        twice.resize(2 * size, G1Affine::identity()); // the last one of the largest domain is missing, as in snarkjs
        let tau_g2 = match prepared {
            Some(Prepared { tau_g2, .. }) => block(tau_g2, size, montgomery::G2_LEN, "tauG2 (Lagrange)")?
                .g2_list(size, Identity::Allowed)?,
            None => lagrange::basis(&self.tau_g2[..size]),
        };
        let odd = g1("tauG1 (Lagrange)", prepared.map(|bytes| &bytes.tau_g1), &twice)?;
        Ok(Bases {
            tau_g1: g1("tauG1 (Lagrange)", prepared.map(|bytes| &bytes.tau_g1), &self.tau_g1[..size])?,
            tau_g2,
            alpha_g1: g1(
                "alphaTauG1 (Lagrange)",
                prepared.map(|bytes| &bytes.alpha_g1),
                &self.alpha_g1[..size],
            )?,
            beta_g1: g1("betaTauG1 (Lagrange)", prepared.map(|bytes| &bytes.beta_g1), &self.beta_g1[..size])?,
            odd: odd.into_iter().skip(1).step_by(2).collect(),
        })
    }

    /// Whether there are powers enough for a domain of `size`.
    pub(super) fn require(&self, size: usize) -> Result<(), CeremonyError> {
        let needed = size.ilog2();
        if needed <= self.power {
            Ok(())
        } else {
            Err(CeremonyError::TooFewPowers { power: self.power, needed })
        }
    }
}

impl fmt::Debug for Powers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Powers(2^{}, {} contributions)", self.power, self.contributions.len())
    }
}

/// BLAKE2b-512 of a file, in hex: what is published beside it.
pub fn file_hash(bytes: &[u8]) -> String {
    hex::encode(Blake2b512::digest(bytes))
}

/// The block for `count` points in a prepared section: the domains lie one after the other, the smallest first.
fn block<'a>(
    bytes: &'a [u8],
    count: usize,
    length: usize,
    name: &'static str,
) -> Result<Reader<'a>, CeremonyError> {
    let mut reader = Reader::new(bytes, FILE, name);
    reader.bytes((count - 1) * length)?;
    Ok(reader)
}

fn header(power: u32, ceremony_power: u32) -> Vec<u8> {
    let mut bytes = 32_u32.to_le_bytes().to_vec();
    montgomery::put_limbs(&mut bytes, Fq::MODULUS);
    bytes.extend(power.to_le_bytes());
    bytes.extend(ceremony_power.to_le_bytes());
    bytes
}

fn take_header(mut reader: Reader<'_>) -> Result<(u32, u32), CeremonyError> {
    let curve = &header(0, 0)[..36];
    reader.expect(curve, "another curve")?;
    let (power, ceremony_power) = (reader.u32()?, reader.u32()?);
    reader.end()?;
    check_power(power)?;
    if power > ceremony_power || ceremony_power > MOST_POWER + 1 {
        return Err(reader.malformed("its power is more than its ceremony's"));
    }
    Ok((power, ceremony_power))
}

fn check_power(power: u32) -> Result<(), CeremonyError> {
    let usable = (1..=MOST_POWER).contains(&power);
    usable.then_some(()).ok_or(CeremonyError::Malformed { file: FILE, why: "powers go from 2^1 to 2^27" })
}

/// Points times their scalars.
fn scaled<P: AffineRepr>(points: &[P], scalars: &[P::ScalarField]) -> Vec<P> {
    use rayon::prelude::*;
    let products: Vec<P::Group> =
        points.par_iter().zip(scalars).map(|(point, scalar)| *point * scalar).collect();
    P::Group::normalize_batch(&products)
}
