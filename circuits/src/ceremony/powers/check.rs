//! Whether points are powers, and whether the steps that the file records led to them.

use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};
use rand_core::CryptoRng;

use super::contribution::{Factor, Head, PowersContribution};
use super::{Powers, step};
use crate::ceremony::contribution::Kind;
use crate::ceremony::ratio::{Ratio, all_hold};
use crate::ceremony::{CeremonyError, Fault, weights};

/// What the steps of a file attest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attested {
    /// Steps of members.
    pub members: usize,
    /// Whether a beacon came last.
    pub beacon: bool,
    /// Whether the points are the ones that the last step left. Nobody can tell for a file that was cut from a larger
    /// one, whose hashes cover what was cut away: only its own published hash speaks for it.
    pub to_these_points: bool,
}

impl Powers {
    /// Sees that the points are powers of one τ, with one α and one β, none of them zero: all that soundness for
    /// everyone else needs. Who knows the three is another question, see [`Powers::attested`].
    ///
    /// # Errors
    ///
    /// [`CeremonyError::NoPowers`].
    pub fn check(&self, rng: &mut dyn CryptoRng) -> Result<(), CeremonyError> {
        let (g, h) = (G1Affine::generator(), G2Affine::generator());
        let head = self.head();
        let along = |points: &[G1Affine], rng: &mut dyn CryptoRng| {
            let weights = weights::draw(points.len() - 1, rng);
            Ratio::new(sum(points, &weights), sum(&points[1..], &weights), h, head.tau_g2)
        };
        let g2_weights = weights::draw(self.tau_g2.len() - 1, rng);
        let along_g2 =
            Ratio::new(g, head.tau_g1, sum(&self.tau_g2, &g2_weights), sum(&self.tau_g2[1..], &g2_weights));
        let ratios = [
            ("tauG1", along(&self.tau_g1, rng)),
            ("tauG2", along_g2),
            ("alphaTauG1", along(&self.alpha_g1, rng)),
            ("betaTauG1", along(&self.beta_g1, rng)),
            ("betaG2", Ratio::new(g, head.beta_g1, h, self.beta_g2)),
        ];
        if self.tau_g1[0] != g {
            return Err(CeremonyError::NoPowers { section: "tauG1" });
        }
        if self.tau_g2[0] != h {
            return Err(CeremonyError::NoPowers { section: "tauG2" });
        }
        let broken = ratios.into_iter().find(|(_, ratio)| !ratio.holds());
        broken.map_or(Ok(()), |(section, _)| Err(CeremonyError::NoPowers { section }))
    }

    /// Follows the steps from the generators to the points of this file.
    ///
    /// # Errors
    ///
    /// [`CeremonyError::Contribution`] for the first step that does not hold, [`CeremonyError::NoPowers`] if the points
    /// are not what the last one left.
    pub fn attested(&self, rng: &mut dyn CryptoRng) -> Result<Attested, CeremonyError> {
        let mut head = Head::first();
        let mut challenge = step::first_challenge(self.ceremony_power);
        for (index, step) in self.contributions.iter().enumerate() {
            let before_a_beacon = index + 1 < self.contributions.len();
            check_step(step, &head, &challenge, before_a_beacon, rng).map_err(|fault| {
                CeremonyError::Contribution { number: index + 1, name: step.name().map(str::to_owned), fault }
            })?;
            (head, challenge) = (step.head, step.next_challenge);
        }
        if head != self.head() {
            return Err(CeremonyError::NoPowers { section: "contributions" });
        }
        let whole = self.power == self.ceremony_power;
        let left = |last: &PowersContribution| self.hash_after(&last.response_hash()) == last.next_challenge;
        if whole && !self.contributions.last().is_none_or(left) {
            return Err(CeremonyError::NoPowers { section: "contributions" });
        }
        let beacons = self.contributions.iter().filter(|step| matches!(step.kind(), Kind::Beacon(_))).count();
        let members = self.contributions.len() - beacons;
        Ok(Attested { members, beacon: beacons > 0, to_these_points: whole })
    }
}

fn check_step(
    step: &PowersContribution,
    before: &Head,
    challenge: &[u8; 64],
    before_another: bool,
    rng: &mut dyn CryptoRng,
) -> Result<(), Fault> {
    let (key, after) = (&step.key, &step.head);
    if let Kind::Beacon(source) = step.kind() {
        if before_another {
            return Err(Fault::AfterBeacon);
        }
        if step::beacon_key(source, challenge) != *key {
            return Err(Fault::Beacon);
        }
    }
    let knows = |proof: &super::contribution::Proof, factor| {
        let g2_sp = proof.challenge_point(challenge, factor);
        (g2_sp, Ratio::new(proof.g1_s, proof.g1_sx, g2_sp, proof.g2_spx))
    };
    let (tau_sp, tau) = knows(&key.tau, Factor::Tau);
    let (alpha_sp, alpha) = knows(&key.alpha, Factor::Alpha);
    let (beta_sp, beta) = knows(&key.beta, Factor::Beta);
    if !all_hold(&[tau, alpha, beta], rng) {
        return Err(Fault::Knowledge);
    }
    let links = [
        Ratio::new(before.tau_g1, after.tau_g1, tau_sp, key.tau.g2_spx),
        Ratio::new(key.tau.g1_s, key.tau.g1_sx, before.tau_g2, after.tau_g2),
        Ratio::new(before.alpha_g1, after.alpha_g1, alpha_sp, key.alpha.g2_spx),
        Ratio::new(before.beta_g1, after.beta_g1, beta_sp, key.beta.g2_spx),
        Ratio::new(key.beta.g1_s, key.beta.g1_sx, before.beta_g2, after.beta_g2),
    ];
    if !all_hold(&links, rng) {
        return Err(Fault::Link);
    }
    let unchanged =
        before.tau_g1 == after.tau_g1 || before.alpha_g1 == after.alpha_g1 || before.beta_g1 == after.beta_g1;
    if unchanged { Err(Fault::NoChange) } else { Ok(()) }
}

/// Weighted sum; points beyond the weights do not count.
fn sum<P: AffineRepr<ScalarField = Fr>>(points: &[P], weights: &[Fr]) -> P
where
    P::Group: VariableBaseMSM<MulBase = P>,
{
    <P::Group as VariableBaseMSM>::msm_unchecked(points, weights).into_affine()
}

#[cfg(test)]
mod tests {
    use crate::ceremony::contribution::Signature;
    use crate::ceremony::tests::{POWERS, beacon_source, rng};
    use crate::ceremony::{CeremonyError, Fault};

    #[test]
    fn a_beacon_that_is_not_the_last_step_is_refused() {
        let mut powers = POWERS.clone();
        powers.contributions[0].signature = Signature::beacon(&beacon_source());
        let refusal = powers.attested(&mut rng());
        assert!(
            matches!(refusal, Err(CeremonyError::Contribution { number: 1, fault: Fault::AfterBeacon, .. })),
            "{refusal:?}"
        );
    }
}
