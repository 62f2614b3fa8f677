use ark_bn254::Fr;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::PrimeField;
use serde_json::{Value, json};

use super::*;
use crate::Verifier;
use crate::points::tests::outside_the_subgroup;

/// World ID's key, which snarkjs wrote, and a proof made under it.
fn world() -> Value {
    serde_json::from_str(include_str!("../../../vectors/worldid3_proof_depth30.json")).unwrap()
}

fn world_key() -> Value {
    world()["verifying_key"].clone()
}

fn proof() -> Proof {
    let packed: ProofBytes = world()["proof"]["packed_proof"].as_str().unwrap().parse().unwrap();
    Proof::decode(&packed).unwrap()
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[track_caller]
fn malformed(result: Result<impl Sized, FormError>) {
    match result {
        Err(FormError::Malformed(_)) => {}
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("read"),
    }
}

#[test]
fn a_key_of_snarkjs_survives() {
    let key = read_key(&world_key().to_string()).unwrap();
    assert_eq!(json_of(&write_key(&key)), world_key());
    let mut with_pairing = world_key();
    with_pairing["vk_alphabeta_12"] = json!([[["1", "2"]]]);
    assert_eq!(read_key(&with_pairing.to_string()).unwrap(), key);
}

#[test]
fn a_proof_and_its_inputs_survive() {
    let proof = proof();
    assert_eq!(read_proof(&write_proof(&proof)).unwrap(), proof);
    let (public, _) = crate::membership::tests::statement(3, 9, 1, 2);
    let text = write_public(&public);
    assert_eq!(read_public(&text).unwrap(), public);
    assert_eq!(json_of(&text)[2], "1", "the signal stands third");
}

/// Coordinates are where snarkjs has them: real part first.
#[test]
fn the_limbs_of_g2_are_the_other_way_round_than_ethereums() {
    let (json, bytes) = (json_of(&write_proof(&proof())), proof().encode());
    let word = |index: usize| {
        let word: [u8; 32] = bytes.0[32 * index..][..32].try_into().unwrap();
        Value::from(Fq::from_be_bytes_mod_order(&word).into_bigint().to_string())
    };
    assert_eq!(json["pi_b"], json!([[word(3), word(2)], [word(5), word(4)], ["1", "0"]]));
    assert_eq!(json["pi_a"], json!([word(0), word(1), "1"]));
}

#[test]
fn a_proof_read_from_json_verifies() {
    let file = world();
    let key = read_key(&file["verifying_key"].to_string()).unwrap();
    let proof = read_proof(&write_proof(&proof())).unwrap();
    let decimal = |name: &str| {
        let hex = file["proof"][name].as_str().unwrap();
        let element: FieldElement = format!("0x{:0>64}", &hex[2..]).parse().unwrap();
        Fr::from(element).into_bigint().to_string()
    };
    let public = ["root", "nullifierHash", "signalHash", "externalNullifierHash"].map(decimal);
    let public = read_public(&json!(public).to_string()).unwrap();
    assert_eq!(Verifier::new(&key).verify(&public, &proof.encode()), Ok(()));
}

/// One thing wrong at a time.
#[test]
fn a_proof_that_is_not_in_this_form_is_refused() {
    let good = json_of(&write_proof(&proof()));
    let q = Fq::MODULUS.to_string();
    let zero = |text: &str| format!("0{text}");
    let first = good["pi_a"][0].as_str().unwrap();
    for (pointer, value) in [
        ("/protocol", json!("plonk")),
        ("/curve", json!("bls12381")),
        ("/pi_a/0", json!(q)),
        ("/pi_a/0", json!(zero(first))),
        ("/pi_a/0", json!(7)),
        ("/pi_a/2", json!("2")),
        ("/pi_a/2", json!("0")),
        ("/pi_a", json!(["1", "2"])),
        ("/pi_b/2", json!(["0", "1"])),
        ("/pi_b/0", json!(["1", "2", "3"])),
        ("/pi_c/2", json!("01")),
        ("/pi_c", Value::Null),
    ] {
        let mut changed = good.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        malformed(read_proof(&changed.to_string()));
    }
    for field in ["pi_a", "pi_b", "pi_c", "protocol", "curve"] {
        let mut changed = good.clone();
        changed.as_object_mut().unwrap().remove(field);
        malformed(read_proof(&changed.to_string()));
    }
    let mut longer = good.clone();
    longer["pi_d"] = json!("1");
    malformed(read_proof(&longer.to_string()));
}

#[test]
fn a_proof_with_a_point_that_is_none_is_refused() {
    let good = json_of(&write_proof(&proof()));
    let outside = serde_json::to_value(g2(&outside_the_subgroup())).unwrap();
    for (pointer, value) in [
        ("/pi_a", json!(["0", "0", "1"])),
        ("/pi_c", json!(["1", "1", "1"])),
        ("/pi_b", json!([["0", "0"], ["0", "0"], ["1", "0"]])),
        ("/pi_b", outside),
    ] {
        let mut changed = good.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        let refusal = read_proof(&changed.to_string()).unwrap_err();
        assert!(matches!(refusal, FormError::NotAPoint), "{pointer}: {refusal:?}");
    }
}

/// A key with fewer points would leave inputs unread; one with more belongs to another statement.
#[test]
fn a_key_with_another_number_of_inputs_is_refused() {
    for (inputs, points) in [(3, 4), (5, 6), (4, 4), (4, 6), (3, 5), (5, 5), (4, 0)] {
        let mut key = world_key();
        key["nPublic"] = json!(inputs);
        let list = key["IC"].as_array_mut().unwrap();
        let first = list[0].clone();
        list.resize(points, first);
        let refusal = read_key(&key.to_string()).unwrap_err();
        assert!(matches!(refusal, FormError::OtherStatement { expected: 4, .. }), "{refusal:?}");
    }
    for inputs in [3, 5] {
        let refusal = read_public(&json!(vec!["1"; inputs]).to_string()).unwrap_err();
        assert!(matches!(refusal, FormError::OtherStatement { found, expected: 4 } if found == inputs));
    }
}

#[test]
fn a_key_with_a_point_that_is_none_is_refused() {
    let outside = serde_json::to_value(g2(&outside_the_subgroup())).unwrap();
    let points = [("/vk_alpha_1", json!(["0", "0", "1"])), ("/IC/4", json!(["0", "0", "1"]))];
    let twists = ["/vk_beta_2", "/vk_gamma_2", "/vk_delta_2"].map(|pointer| (pointer, outside.clone()));
    for (pointer, value) in points.into_iter().chain(twists) {
        let mut changed = world_key();
        *changed.pointer_mut(pointer).unwrap() = value;
        let refusal = read_key(&changed.to_string()).unwrap_err();
        assert!(matches!(refusal, FormError::NotAPoint), "{pointer}: {refusal:?}");
    }
}

#[test]
fn inputs_that_are_not_canonical_are_refused() {
    let r = Fr::MODULUS.to_string();
    for bad in [r.as_str(), "01", "-1", ""] {
        malformed(read_public(&json!(["1", "2", "3", bad]).to_string()));
    }
    malformed(read_public("[1, 2, 3, 4]"));
}

/// Not only those of one prover.
#[test]
fn any_valid_points_survive() {
    let (a, b) = (G1Affine::generator(), G2Affine::generator());
    let c = (a * Fr::from(5)).into_affine();
    let proof = Proof::from(ark_groth16::Proof { a, b, c });
    assert_eq!(read_proof(&write_proof(&proof)).unwrap(), proof);
}
