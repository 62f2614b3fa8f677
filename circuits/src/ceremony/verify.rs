//! Whether parameters are what phase 1, the circuit and the contributions make of each other.
//!
//! Two parts, both without the files in between: the chain of contributions, each by its proof; and every point of the
//! parameters, in random sums of which each is compared with the same sum of powers of τ. The first parameters are not
//! made again, so that this takes a second where making them takes many.

use ark_bn254::{Bn254, Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};
use rand_core::CryptoRng;

use super::circuit::{Matrix, Shape, entries};
use super::contribution::{Contribution, challenge_point};
use super::ratio::{Ratio, all_hold};
use super::{CeremonyError, Fault, Kind, Parameters, Powers, lagrange, step, stream, weights};
use crate::relation::Relation;

/// A chain of contributions that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain {
    /// Contributions of members.
    pub members: usize,
    /// Whether the beacon came last. Before it, keys are not made.
    pub finished: bool,
}

impl Parameters {
    /// Sees that every point follows from `powers`, `relation` and the contributions, and that each contribution holds.
    /// What it takes on trust are the powers: check those too.
    ///
    /// # Errors
    ///
    /// [`CeremonyError::Contribution`] for the first contribution that does not hold, [`CeremonyError::NotDerived`],
    /// [`CeremonyError::TooFewPowers`].
    pub fn verify(
        &self,
        powers: &Powers,
        relation: &Relation,
        rng: &mut dyn CryptoRng,
    ) -> Result<Chain, CeremonyError> {
        let chain = self.verify_chain(rng)?;
        self.check_points(powers, relation, rng)?;
        Ok(chain)
    }

    /// The contributions alone, from δ = 1 to δ of these parameters.
    ///
    /// # Errors
    ///
    /// [`CeremonyError::Contribution`] for the first one that does not hold, or [`CeremonyError::NotDerived`].
    pub fn verify_chain(&self, rng: &mut dyn CryptoRng) -> Result<Chain, CeremonyError> {
        let delta = verify_contributions(&self.circuit_hash, &self.contributions, rng)?;
        if self.delta_g1 != delta {
            return Err(CeremonyError::NotDerived { section: "delta" });
        }
        let finished = self.finished();
        Ok(Chain { members: self.contributions.len() - usize::from(finished), finished })
    }

    /// All points against the powers they are made of.
    pub(super) fn check_points(
        &self,
        powers: &Powers,
        relation: &Relation,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), CeremonyError> {
        let shape = Shape::from(relation);
        derived(self.lengths() == [shape.variables; 3], "keys")?;
        derived(self.l.len() == shape.variables - shape.public - 1 && self.h.len() == shape.domain, "keys")?;
        let key = self.arkworks_key();
        Head { delta_g1: self.delta_g1, beta_g1: self.beta_g1, key: &key.vk }.check(powers, relation, rng)?;

        let weights = weights::draw(shape.variables, rng);
        let all = Combination::new(relation, &shape, |column| weights[column]);
        derived(sum(&self.a, &weights) == sum(&powers.tau_g1, &all.a), "A")?;
        derived(sum(&self.b_g1, &weights) == sum(&powers.tau_g1, &all.b), "B1")?;
        derived(sum(&self.b_g2, &weights) == sum(&powers.tau_g2, &all.b), "B2")?;

        let (h, private) = (G2Affine::generator(), &weights[shape.public + 1..]);
        let of_private = Combination::new(relation, &shape, |column| {
            if column > shape.public { weights[column] } else { Fr::from(0) }
        });
        derived(same_over_delta(of_private.whole(powers), sum(&self.l, private), h, self.delta_g2), "L")?;

        let weights = weights::draw(shape.domain, rng);
        let odd = lagrange::odd_coefficients(weights.clone()); // the last power may be missing: it is not used
        derived(same_over_delta(sum(&powers.tau_g1, &odd), sum(&self.h, &weights), h, self.delta_g2), "H")
    }

    fn lengths(&self) -> [usize; 3] {
        [self.a.len(), self.b_g1.len(), self.b_g2.len()]
    }
}

/// What the verifying key holds, and its counterparts in G1: all that soundness rests on.
pub(super) struct Head<'a> {
    pub delta_g1: G1Affine,
    pub beta_g1: G1Affine,
    pub key: &'a ark_groth16::VerifyingKey<Bn254>,
}

impl Head<'_> {
    /// Against the powers, the circuit, and the δ that the contributions end with.
    pub(super) fn check(
        &self,
        powers: &Powers,
        relation: &Relation,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), CeremonyError> {
        let (shape, key) = (Shape::from(relation), self.key);
        powers.require(shape.domain)?;
        let (g, h) = (G1Affine::generator(), G2Affine::generator());
        derived(key.gamma_g2 == h, "gamma")?;
        derived(key.alpha_g1 == powers.alpha_g1[0], "alpha")?;
        derived(self.beta_g1 == powers.beta_g1[0] && key.beta_g2 == powers.beta_g2, "beta")?;
        derived(Ratio::new(g, self.delta_g1, h, key.delta_g2).holds(), "delta")?;
        derived(key.gamma_abc_g1.len() == shape.public + 1, "IC")?;
        let weights = weights::draw(shape.public + 1, rng);
        let weight = |column: usize| weights.get(column).copied().unwrap_or(Fr::from(0));
        let expected = Combination::new(relation, &shape, weight).whole(powers);
        derived(sum(&key.gamma_abc_g1, &weights) == expected, "IC")
    }
}

fn derived(holds: bool, section: &'static str) -> Result<(), CeremonyError> {
    if holds { Ok(()) } else { Err(CeremonyError::NotDerived { section }) }
}

/// `whole = δ · divided`. Circuits without private variables have nothing to divide.
fn same_over_delta(whole: G1Affine, divided: G1Affine, h: G2Affine, delta: G2Affine) -> bool {
    if whole.is_zero() || divided.is_zero() {
        return whole == divided;
    }
    Ratio::new(divided, whole, h, delta).holds()
}

/// Weights of powers of τ that stand for weighted sums of the columns of the three matrices.
struct Combination {
    a: Vec<Fr>,
    b: Vec<Fr>,
    c: Vec<Fr>,
}

impl Combination {
    fn new(relation: &Relation, shape: &Shape, weight: impl Fn(usize) -> Fr) -> Self {
        let mut values = [Matrix::A, Matrix::B, Matrix::C].map(|_| vec![Fr::from(0); shape.domain]);
        for entry in entries(relation) {
            values[entry.matrix as usize][entry.row] += entry.value * weight(entry.column);
        }
        let [a, b, c] = values.map(lagrange::coefficients);
        Self { a, b, c }
    }

    /// `β·A + α·B + C`.
    fn whole(&self, powers: &Powers) -> G1Affine {
        let (a, b, c) =
            (sum(&powers.beta_g1, &self.a), sum(&powers.alpha_g1, &self.b), sum(&powers.tau_g1, &self.c));
        (a + b + c).into_affine()
    }
}

/// Weighted sum; points beyond the weights do not count, nor weights beyond the points.
fn sum<P: AffineRepr<ScalarField = Fr>>(points: &[P], weights: &[Fr]) -> P
where
    P::Group: VariableBaseMSM<MulBase = P>,
{
    <P::Group as VariableBaseMSM>::msm_unchecked(points, weights).into_affine()
}

/// Follows the contributions from δ = 1; the δ that they end with.
pub(super) fn verify_contributions(
    circuit_hash: &[u8; 64],
    contributions: &[Contribution],
    rng: &mut dyn CryptoRng,
) -> Result<G1Affine, CeremonyError> {
    let mut delta = G1Affine::generator();
    let mut ratios = Vec::new();
    for (index, contribution) in contributions.iter().enumerate() {
        let last = index + 1 == contributions.len();
        if let Err(fault) = check_plain(circuit_hash, &contributions[..index], contribution, delta, last) {
            // What is wrong here may follow from an earlier one that only pairings find.
            return Err(first_broken(contributions, &ratios).unwrap_or(broken(index, contribution, fault)));
        }
        ratios.push(links(contribution, delta));
        delta = contribution.delta_after;
    }
    if all_hold(ratios.as_flattened(), rng) {
        return Ok(delta);
    }
    Err(first_broken(contributions, &ratios).expect("a random sum of equations that hold, holds"))
}

/// The first contribution whose pairings do not hold, each by itself: only where somebody cheated.
fn first_broken(contributions: &[Contribution], ratios: &[[Ratio; 2]]) -> Option<CeremonyError> {
    contributions.iter().zip(ratios).enumerate().find_map(|(index, (contribution, [knowledge, link]))| {
        let fault = if !knowledge.holds() {
            Fault::Knowledge
        } else if !link.holds() {
            Fault::Link
        } else {
            return None;
        };
        Some(broken(index, contribution, fault))
    })
}

/// What needs no pairing.
fn check_plain(
    circuit_hash: &[u8; 64],
    earlier: &[Contribution],
    contribution: &Contribution,
    delta: G1Affine,
    last: bool,
) -> Result<(), Fault> {
    let Contribution { g1_s, g1_sx, .. } = contribution;
    if Contribution::transcript(circuit_hash, earlier, g1_s, g1_sx) != contribution.transcript {
        return Err(Fault::Transcript);
    }
    match (contribution.kind(), contribution.name()) {
        (Kind::Member, Some(name)) if stream::point_of_name(name) == *g1_s => {}
        (Kind::Beacon(source), None) => {
            if !last {
                return Err(Fault::AfterBeacon);
            }
            let (secret, base) = step::beacon_secret(source);
            if base != *g1_s || (base * secret).into_affine() != *g1_sx {
                return Err(Fault::Beacon);
            }
        }
        _ => return Err(Fault::Name),
    }
    if contribution.delta_after == delta { Err(Fault::NoChange) } else { Ok(()) }
}

/// What needs pairings: its maker knew the secret, and δ was multiplied by it.
fn links(contribution: &Contribution, delta: G1Affine) -> [Ratio; 2] {
    let Contribution { delta_after, g1_s, g1_sx, g2_spx, transcript, .. } = contribution;
    let g2_sp = challenge_point(transcript);
    [Ratio::new(*g1_s, *g1_sx, g2_sp, *g2_spx), Ratio::new(delta, *delta_after, g2_sp, *g2_spx)]
}

fn broken(index: usize, contribution: &Contribution, fault: Fault) -> CeremonyError {
    CeremonyError::Contribution { number: index + 1, name: contribution.name().map(str::to_owned), fault }
}
