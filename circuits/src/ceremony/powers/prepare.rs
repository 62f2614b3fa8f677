//! The Lagrange bases that snarkjs wants beside the powers, as `snarkjs powersoftau prepare phase2` computes them.

use ark_bn254::G1Affine;

use super::{Powers, Prepared};
use crate::ceremony::{lagrange, montgomery};

impl Powers {
    /// These powers with the Lagrange bases of every domain that they serve. `snarkjs zkey verify` asks for them; this
    /// crate does without. Takes a minute for 2^13, of two cores.
    #[must_use]
    pub fn prepare(&self) -> Self {
        let mut tau = self.tau_g1.clone();
        tau.push(G1Affine::identity()); // the power that the largest domain lacks, as in snarkjs
        let g1 = |powers: &[G1Affine]| -> Vec<u8> {
            domains(powers).flat_map(|powers| montgomery::g1_bytes(&lagrange::basis(powers))).collect()
        };
        let tau_g2 = domains(&self.tau_g2).flat_map(|powers| montgomery::g2_bytes(&lagrange::basis(powers)));
        let prepared = Prepared {
            tau_g1: g1(&tau),
            tau_g2: tau_g2.collect(),
            alpha_g1: g1(&self.alpha_g1),
            beta_g1: g1(&self.beta_g1),
        };
        Self { prepared: Some(prepared), ..self.clone() }
    }
}

/// The powers of each domain, the smallest first; as many powers as the largest has elements.
fn domains<P>(powers: &[P]) -> impl Iterator<Item = &[P]> {
    (0..=powers.len().ilog2()).map(|power| &powers[..1 << power])
}
