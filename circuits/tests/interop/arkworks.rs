//! What arkworks 0.6 leaves to its caller, shown on arkworks itself, and that our wrapper leaves nothing open. Should
//! a later version check it, the first half of a test fails and may go.

use ark_bn254::{Bn254, Fr, G1Affine};
use ark_groth16::{Groth16, PreparedVerifyingKey, prepare_verifying_key};
use circuits::points::{take_g1, take_g2};
use circuits::{KeyError, Proof, Verifier, VerifyingKey};

use crate::statements::{PROVED, VERIFYING};

/// Our key as arkworks has it.
fn key() -> ark_groth16::VerifyingKey<Bn254> {
    let bytes = VERIFYING.to_bytes();
    let mut rest = &bytes[40..]; // magic and circuit hash
    ark_groth16::VerifyingKey {
        alpha_g1: take_g1(&mut rest).unwrap(),
        beta_g2: take_g2(&mut rest).unwrap(),
        gamma_g2: take_g2(&mut rest).unwrap(),
        delta_g2: take_g2(&mut rest).unwrap(),
        gamma_abc_g1: (0..5).map(|_| take_g1(&mut rest).unwrap()).collect(),
    }
}

fn arkworks_accepts(key: &PreparedVerifyingKey<Bn254>, inputs: &[Fr]) -> bool {
    let proof = Proof::decode(&PROVED[0].1).unwrap().into();
    Groth16::<Bn254>::verify_proof(key, &proof, inputs).unwrap_or(false)
}

#[test]
fn arkworks_does_not_count_the_inputs_but_our_type_does() {
    let key = prepare_verifying_key(&key());
    let inputs = PROVED[0].0.to_inputs(); // [Fr; 4]: no other number can be said
    assert!(arkworks_accepts(&key, &inputs));
    let more = [&inputs[..], &[Fr::from(7)]].concat();
    assert!(arkworks_accepts(&key, &more), "arkworks counts the inputs now");
    assert!(!arkworks_accepts(&key, &inputs[..3]), "one input less happens to be another statement");
    assert_eq!(Verifier::new(&VERIFYING).verify(&PROVED[0].0, &PROVED[0].1), Ok(()));
}

/// With a key that lacks the last point, arkworks never reads the external nullifier: one proof for every period.
#[test]
fn a_key_without_a_point_for_each_input_cannot_be_read() {
    let bytes = VERIFYING.to_bytes();
    for wrong in [&bytes[..bytes.len() - 64], &[&bytes[..], &bytes[bytes.len() - 64..]].concat()] {
        assert_eq!(VerifyingKey::from_bytes(wrong), Err(KeyError::NotAKey));
    }
    // With an identity in its place the input would be read and count for nothing.
    let mut nothing = bytes.clone();
    let last = nothing.len() - 64;
    nothing[last..].fill(0);
    assert_eq!(VerifyingKey::from_bytes(&nothing), Err(KeyError::NotAKey));
    let mut key = key();
    key.gamma_abc_g1[4] = G1Affine::identity();
    let mut shorter = key.clone();
    shorter.gamma_abc_g1.pop();
    let inputs = PROVED[0].0.to_inputs();
    let changed = [inputs[0], inputs[1], inputs[2], Fr::from(3)];
    for key in [key, shorter].map(|key| prepare_verifying_key(&key)) {
        assert_eq!(
            arkworks_accepts(&key, &inputs),
            arkworks_accepts(&key, &changed),
            "the input counts for nothing"
        );
    }
}
