//! Vectors of Poseidon over BN254 as circomlib computes it.
//!
//! Of one and two inputs with the hash that Unum uses. Wider ones, which Unum does not use, with the same constants'
//! generator and the same layout, so that no vector is left out.

use ark_bn254::Fr;
use ark_crypto_primitives::sponge::poseidon::traits::find_poseidon_ark_and_mds;
use ark_ff::{Field, PrimeField};
use serde::Deserialize;
use unum_identity::field::FieldElement;
use unum_identity::poseidon::{FULL_ROUNDS, hash1, hash2};

use super::Tally;

/// Partial rounds for 1, 2, … inputs (circomlib's `poseidon.circom`, from the Poseidon paper's script).
const PARTIAL_ROUNDS: [usize; 16] = [56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(rename = "source")]
    _source: String,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    inputs: Vec<String>,
    /// Width: one more than inputs.
    t: usize,
    hash_dec: String,
    hash_hex: FieldElement,
}

pub(super) fn check(file: &File, tally: &mut Tally) {
    for Vector { inputs, t, hash_dec, hash_hex } in &file.vectors {
        let name = format!("Poseidon of {inputs:?}");
        tally.equal(format_args!("{name}, width"), &(inputs.len() + 1), t);
        let elements: Option<Vec<Fr>> = inputs.iter().map(|input| input.parse().ok()).collect();
        let Some(hash) = elements.and_then(|elements| hash(&elements)) else {
            tally.check(format_args!("{name}: 1 to 16 decimal field elements"), false);
            continue;
        };
        tally.equal(&name, &hash, hash_hex);
        tally.equal(format_args!("{name}, decimal"), &Fr::from(hash).into_bigint().to_string(), hash_dec);
    }
}

/// None unless there are 1 to 16 inputs.
fn hash(inputs: &[Fr]) -> Option<FieldElement> {
    match *inputs {
        [] => None,
        [a] => Some(hash1(a.into())),
        [a, b] => Some(hash2(a.into(), b.into())),
        _ => wide(inputs),
    }
}

fn wide(inputs: &[Fr]) -> Option<FieldElement> {
    let partial = *PARTIAL_ROUNDS.get(inputs.len() - 1)?;
    let (constants, matrix) =
        find_poseidon_ark_and_mds::<Fr>(254, inputs.len(), FULL_ROUNDS as u64, partial as u64, 0);
    let mut state = [&[Fr::from(0)], inputs].concat();
    for (round, constants) in constants.iter().enumerate() {
        let full = round < FULL_ROUNDS / 2 || round >= FULL_ROUNDS / 2 + partial;
        let boxed = if full { state.len() } else { 1 };
        state.iter_mut().zip(constants).for_each(|(x, constant)| *x += constant);
        state[..boxed].iter_mut().for_each(|x| *x *= x.square().square());
        state = matrix.iter().map(|row| state.iter().zip(row).map(|(x, m)| *x * m).sum()).collect();
    }
    Some(state[0].into())
}
