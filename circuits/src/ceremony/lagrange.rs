//! From powers `τ⁰·G, τ¹·G, …` to the Lagrange basis `L₀(τ)·G, L₁(τ)·G, …` of a domain of roots of unity: an inverse
//! Fourier transform in the group.

use ark_bn254::Fr;
use ark_ec::{AffineRepr, CurveGroup};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};

/// The domain of `size` elements, a power of two.
pub(super) fn domain(size: usize) -> Radix2EvaluationDomain<Fr> {
    Radix2EvaluationDomain::new(size).expect("BN254 has roots of unity of every order up to 2^28")
}

/// The basis for as many points as there are powers; the number is a power of two.
pub(super) fn basis<P: AffineRepr<ScalarField = Fr>>(powers: &[P]) -> Vec<P> {
    let mut points: Vec<P::Group> = powers.iter().map(|point| point.into_group()).collect();
    domain(points.len()).ifft_in_place(&mut points);
    P::Group::normalize_batch(&points)
}

/// The weights of `powers` that give `Σ values[i] · Lᵢ(τ)`.
pub(super) fn coefficients(mut values: Vec<Fr>) -> Vec<Fr> {
    domain(values.len()).ifft_in_place(&mut values);
    values
}

/// The weights of the first `2n` powers that give `Σ values[i] · L₂ᵢ₊₁(τ)` in the domain of `2n`, where `n` is the
/// number of values.
///
/// `Lⱼ(X) = 1/2n · Σₖ ω⁻ʲᵏ Xᵏ`, so power `k` gets `ω⁻ᵏ/2 · 1/n · Σᵢ values[i] · ω⁻²ⁱᵏ`, and power `k + n` its negative.
pub(super) fn odd_coefficients(values: Vec<Fr>) -> Vec<Fr> {
    use ark_ff::Field;
    let twice = domain(2 * values.len());
    let step = twice.group_gen_inv();
    let mut lower = coefficients(values);
    let mut factor = Fr::from(2).inverse().expect("two is not zero");
    for coefficient in &mut lower {
        *coefficient *= factor;
        factor *= step;
    }
    let upper: Vec<Fr> = lower.iter().map(|coefficient| -*coefficient).collect();
    [lower, upper].concat()
}
