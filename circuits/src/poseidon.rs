//! Poseidon as a circuit: the constraints of [`unum_identity::poseidon`], with its parameters.
//!
//! Only the S-boxes cost constraints, three each; constants and mixing are linear. 213 for the hash of one element
//! (width 2), 240 for two (width 3): 8 full rounds of every element, 56 or 57 partial rounds of one, less the first
//! S-box of the capacity, which stands on a constant and is folded.

use ark_bn254::Fr;
use ark_r1cs_std::fields::FieldVar;
use ark_r1cs_std::fields::fp::FpVar;
use ark_relations::gr1cs::Result;
use unum_identity::poseidon::{Parameters, WIDTH_2, WIDTH_3};

/// Hash of one element.
///
/// # Errors
///
/// As the constraint system gives them; none in ours.
pub fn hash1(a: &FpVar<Fr>) -> Result<FpVar<Fr>> {
    permute(&WIDTH_2, vec![FpVar::zero(), a.clone()])
}

/// Hash of two elements.
///
/// # Errors
///
/// As the constraint system gives them; none in ours.
pub fn hash2(a: &FpVar<Fr>, b: &FpVar<Fr>) -> Result<FpVar<Fr>> {
    permute(&WIDTH_3, vec![FpVar::zero(), a.clone(), b.clone()])
}

/// `state[0]` after all rounds.
fn permute(parameters: &Parameters, mut state: Vec<FpVar<Fr>>) -> Result<FpVar<Fr>> {
    for (round, constants) in parameters.round_constants.iter().enumerate() {
        let boxed = if parameters.is_full(round) { state.len() } else { 1 };
        for (x, constant) in state.iter_mut().zip(constants) {
            *x += *constant;
        }
        for x in &mut state[..boxed] {
            *x = fifth_power(x)?;
        }
        let mix = |row: &Vec<Fr>| state.iter().zip(row).map(|(x, m)| x * *m).sum();
        state = parameters.matrix.iter().map(mix).collect();
    }
    Ok(state.swap_remove(0))
}

/// The S-box: `x·x = x²`, `x·x² = x³`, `x³·x² = x⁵`.
fn fifth_power(x: &FpVar<Fr>) -> Result<FpVar<Fr>> {
    let square = x.square()?;
    let cube = x * &square;
    Ok(cube * square)
}

#[cfg(test)]
mod tests {
    use ark_crypto_primitives::sponge::CryptographicSponge;
    use ark_crypto_primitives::sponge::poseidon::{PoseidonConfig, PoseidonSponge};
    use ark_r1cs_std::GR1CSVar;
    use ark_r1cs_std::alloc::AllocVar;
    use ark_relations::gr1cs::{ConstraintSystem, ConstraintSystemRef};
    use proptest::prelude::*;
    use unum_identity::field::FieldElement;
    use unum_identity::poseidon::FULL_ROUNDS;

    use super::*;

    fn element() -> impl Strategy<Value = Fr> {
        any::<[u8; 32]>().prop_map(|bytes| FieldElement::from_be_bytes_mod_order(&bytes).into())
    }

    fn wire(cs: &ConstraintSystemRef<Fr>, value: Fr) -> FpVar<Fr> {
        FpVar::new_witness(cs.clone(), || Ok(value)).unwrap()
    }

    /// arkworks' own permutation: the second oracle. Its sponge absorbs behind the capacity, and permutes when it
    /// is squeezed; the state then holds what circomlib returns at 0.
    fn arkworks(parameters: &Parameters, inputs: &[Fr]) -> Fr {
        let config = PoseidonConfig {
            full_rounds: FULL_ROUNDS,
            partial_rounds: parameters.partial_rounds,
            alpha: 5,
            ark: parameters.round_constants.clone(),
            mds: parameters.matrix.clone(),
            rate: inputs.len(),
            capacity: 1,
        };
        let mut sponge = PoseidonSponge::new(&config);
        sponge.absorb(&inputs);
        let _ = sponge.squeeze_field_elements::<Fr>(1);
        sponge.state[0]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn one_input_agrees_with_both_oracles(a in element()) {
            let cs = ConstraintSystem::new_ref();
            let hash = hash1(&wire(&cs, a)).unwrap().value().unwrap();
            prop_assert_eq!(FieldElement::from(hash), unum_identity::poseidon::hash1(a.into()));
            prop_assert_eq!(hash, arkworks(&WIDTH_2, &[a]));
            prop_assert!(cs.is_satisfied().unwrap());
            prop_assert_eq!(cs.num_constraints(), 213);
        }

        #[test]
        fn two_inputs_agree_with_both_oracles(a in element(), b in element()) {
            let cs = ConstraintSystem::new_ref();
            let hash = hash2(&wire(&cs, a), &wire(&cs, b)).unwrap().value().unwrap();
            prop_assert_eq!(FieldElement::from(hash), unum_identity::poseidon::hash2(a.into(), b.into()));
            prop_assert_eq!(hash, arkworks(&WIDTH_3, &[a, b]));
            prop_assert!(cs.is_satisfied().unwrap());
            prop_assert_eq!(cs.num_constraints(), 240);
        }
    }
}
