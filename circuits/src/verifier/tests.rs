use std::sync::LazyLock;

use ark_bn254::{Bn254, Fq, Fq2, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{BigInteger, PrimeField};
use ark_groth16::Groth16;
use proptest::prelude::*;
use rand_core::UnwrapErr;
use unum_identity::field::{ExternalNullifier, FieldElement, Nullifier, Root, SignalHash};
use unum_identity::hash::hash_signal;

use super::*;
use crate::keys::tests::KEY;
use crate::membership::tests::statement;
use crate::points::tests::outside_the_subgroup;
use crate::prover::tests::PROVER;
use crate::randomness::Randomness;
use crate::{Private, ProveError};

pub(super) static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| Verifier::new(&KEY.verifying_key()));
static PROVED: LazyLock<(Public, ProofBytes)> = LazyLock::new(|| {
    let (public, private) = statement(3, 9, 1, 2);
    (public, prove(&public, &private))
});

fn prove(public: &Public, private: &Private) -> ProofBytes {
    PROVER.prove(public, private, &mut UnwrapErr(getrandom::SysRng)).unwrap()
}

#[test]
fn a_proof_holds_for_its_statement_only() {
    let (public, proof) = &*PROVED;
    assert_eq!(VERIFIER.verify(public, proof), Ok(()));
    let one =
        |element: FieldElement| FieldElement::from(ark_bn254::Fr::from(element) + ark_bn254::Fr::from(1));
    let others = [
        Public { root: Root(one(public.root.0)), ..*public },
        Public { nullifier: Nullifier(one(public.nullifier.0)), ..*public },
        Public { signal_hash: SignalHash(one(public.signal_hash.0)), ..*public },
        // The signal enters the circuit squared: its negative must not pass either.
        Public { signal_hash: SignalHash((-ark_bn254::Fr::from(public.signal_hash.0)).into()), ..*public },
        Public { external_nullifier: ExternalNullifier(one(public.external_nullifier.0)), ..*public },
    ];
    for other in others {
        assert_eq!(VERIFIER.verify(&other, proof), Err(InvalidProof), "{other:?}");
    }
}

#[test]
fn no_proof_of_a_false_statement_is_tried() {
    let (public, mut private) = statement(3, 9, 1, 2);
    private.path = statement(4, 9, 1, 2).1.path;
    let refusal = PROVER.prove(&public, &private, &mut UnwrapErr(getrandom::SysRng));
    assert_eq!(refusal, Err(ProveError::Untrue(crate::CheckError::NotUnderRoot)));
}

#[test]
fn a_proof_under_another_key_is_refused() {
    let other = crate::ProvingKey::generate(&mut UnwrapErr(getrandom::SysRng));
    let (public, proof) = &*PROVED;
    assert_eq!(Verifier::new(&other.verifying_key()).verify(public, proof), Err(InvalidProof));
}

/// Anyone can turn a proof into another one that holds: bytes of proofs identify nothing.
#[test]
fn a_re_randomised_proof_holds() {
    let (public, bytes) = &*PROVED;
    let proof = Proof::decode(bytes).unwrap().into();
    let mut rng = UnwrapErr(getrandom::SysRng);
    let again =
        Groth16::<Bn254>::rerandomize_proof(&KEY.verifying_key().0, &proof, &mut Randomness(&mut rng));
    let again = Proof::from(again).encode();
    assert_ne!(again, *bytes);
    assert_eq!(VERIFIER.verify(public, &again), Ok(()));
}

#[test]
fn two_proofs_of_one_statement_differ() {
    let (public, private) = statement(3, 9, 1, 2);
    assert_ne!(prove(&public, &private), prove(&public, &private));
}

#[test]
fn every_byte_of_a_proof_matters() {
    let (public, proof) = &*PROVED;
    for at in 0..256 {
        let mut changed = *proof;
        changed.0[at] ^= 1;
        assert_eq!(VERIFIER.verify(public, &changed), Err(InvalidProof), "byte {at}");
    }
}

/// Each word of a proof written a second way, as itself plus `q`.
#[test]
fn a_coordinate_that_is_not_canonical_is_refused() {
    let (public, proof) = &*PROVED;
    for word in 0..8 {
        let mut changed = *proof;
        let range = 32 * word..32 * (word + 1);
        let mut sum = number(&proof.0[range.clone()]);
        assert!(!sum.add_with_carry(&Fq::MODULUS), "2q is below 2^256");
        changed.0[range].copy_from_slice(&sum.to_bytes_be());
        assert_eq!(VERIFIER.verify(public, &changed), Err(InvalidProof), "word {word}");
    }
}

fn number(word: &[u8]) -> ark_ff::BigInt<4> {
    Fq::from_be_bytes_mod_order(word).into_bigint()
}

#[test]
fn the_identity_is_refused_in_each_place() {
    let (public, proof) = &*PROVED;
    for range in [0..64, 64..192, 192..256, 0..256] {
        let mut changed = *proof;
        changed.0[range.clone()].fill(0);
        assert_eq!(VERIFIER.verify(public, &changed), Err(InvalidProof), "{range:?}");
    }
}

#[test]
fn a_point_off_the_curve_or_outside_the_subgroup_is_refused() {
    let (public, proof) = &*PROVED;
    let mut off = *proof;
    off.0[32..64].copy_from_slice(&Fq::from(1).into_bigint().to_bytes_be());
    assert_eq!(VERIFIER.verify(public, &off), Err(InvalidProof));

    let mut point = Vec::new();
    crate::points::put_g2(&mut point, &outside_the_subgroup());
    let mut changed = *proof;
    changed.0[64..192].copy_from_slice(&point);
    assert_eq!(VERIFIER.verify(public, &changed), Err(InvalidProof));
}

/// Valid points that prove nothing.
#[test]
fn generators_are_no_proof() {
    let (g1, g2) = (G1Affine::generator(), G2Affine::generator());
    let proof = Proof::from(ark_groth16::Proof { a: g1, b: g2, c: g1 }).encode();
    assert_eq!(VERIFIER.verify(&PROVED.0, &proof), Err(InvalidProof));
}

/// A proof that a World ID 3 wallet made at depth 30, under World ID's key: the same statement, the same bytes.
#[test]
fn a_proof_of_world_id_holds_under_its_key() {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../vectors/worldid3_proof_depth30.json")).unwrap();
    let (proof, key) = (&file["proof"], &file["verifying_key"]);
    let public = Public {
        root: Root(element(&proof["root"])),
        nullifier: Nullifier(element(&proof["nullifierHash"])),
        signal_hash: SignalHash(element(&proof["signalHash"])),
        external_nullifier: ExternalNullifier(element(&proof["externalNullifierHash"])),
    };
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    assert_eq!(hash_signal(&text(&proof["signal_utf8"])), public.signal_hash);
    let external = ExternalNullifier::of_app(&text(&proof["app_id"]), &text(&proof["action"]));
    assert_eq!(external, public.external_nullifier);

    let verifier = Verifier::new(&snarkjs_key(key));
    let bytes: ProofBytes = text(&proof["packed_proof"]).parse().unwrap();
    assert_eq!(verifier.verify(&public, &bytes), Ok(()));
    let other = Public { signal_hash: hash_signal("vote-no"), ..public };
    assert_eq!(verifier.verify(&other, &bytes), Err(InvalidProof));
    assert_eq!(VERIFIER.verify(&public, &bytes), Err(InvalidProof), "our key is not theirs");
}

/// Upstream prints hex without leading zeros.
fn element(value: &serde_json::Value) -> FieldElement {
    format!("0x{:0>64}", &value.as_str().unwrap()[2..]).parse().unwrap()
}

/// A verifying key as snarkjs writes it: decimal coordinates, `[c0, c1]`, projective with z = 1.
fn snarkjs_key(key: &serde_json::Value) -> VerifyingKey {
    let fq = |value: &serde_json::Value| value.as_str().unwrap().parse::<Fq>().unwrap();
    let fq2 = |value: &serde_json::Value| Fq2::new(fq(&value[0]), fq(&value[1]));
    let g1 = |value: &serde_json::Value| G1Affine::new(fq(&value[0]), fq(&value[1]));
    let g2 = |value: &serde_json::Value| G2Affine::new(fq2(&value[0]), fq2(&value[1]));
    let key = VerifyingKey(ark_groth16::VerifyingKey {
        alpha_g1: g1(&key["vk_alpha_1"]),
        beta_g2: g2(&key["vk_beta_2"]),
        gamma_g2: g2(&key["vk_gamma_2"]),
        delta_g2: g2(&key["vk_delta_2"]),
        gamma_abc_g1: key["IC"].as_array().unwrap().iter().map(g1).collect(),
    });
    VerifyingKey::from_bytes(&key.to_bytes()).unwrap() // it passes the checks of our own decoder
}

/// Proofs of several statements, each with its public inputs.
pub(super) static SEVERAL: LazyLock<Vec<(Public, ProofBytes)>> = LazyLock::new(|| {
    (0..4)
        .map(|signal| {
            let (public, private) = statement(signal, 9, signal, 2);
            (public, prove(&public, &private))
        })
        .collect()
});

/// The ways to spoil a proof: a valid point that is the wrong one, other inputs, bytes that are no proof.
fn spoil((public, proof): &mut (Public, ProofBytes), how: u8) {
    match how {
        0 => proof.0[192..].copy_from_slice(&SEVERAL[3].1.0[192..]),
        1 => public.signal_hash = SignalHash(77.into()),
        2 => proof.0[..64].copy_from_slice(&SEVERAL[3].1.0[..64]),
        _ => proof.0[7] ^= 1,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_batch_answers_as_one_by_one(
        which in prop::collection::vec((0_usize..3, prop::option::weighted(0.2, 0_u8..4)), 0..20),
    ) {
        let batch: Vec<_> = which
            .iter()
            .map(|(which, spoiled)| {
                let mut entry = SEVERAL[*which];
                if let Some(how) = spoiled {
                    spoil(&mut entry, *how);
                }
                entry
            })
            .collect();
        let one_by_one = |(public, proof): &(Public, ProofBytes)| VERIFIER.verify(public, proof).is_err();
        let positions: Vec<_> = (0..batch.len()).filter(|i| one_by_one(&batch[*i])).collect();
        let spoiled: Vec<_> = (0..batch.len()).filter(|i| which[*i].1.is_some()).collect();
        prop_assert_eq!(&positions, &spoiled);
        let expected = if positions.is_empty() { Ok(()) } else { Err(InvalidProofs { positions }) };
        prop_assert_eq!(VERIFIER.verify_batch(&batch, &mut UnwrapErr(getrandom::SysRng)), expected);
    }
}

/// Two proofs spoiled so that a plain product of their equations still holds: the weights are what sees it.
#[test]
fn errors_that_cancel_are_seen() {
    let (public, bytes) = &PROVED.clone();
    let proof = Proof::decode(bytes).unwrap();
    let shifted = |by: G1Affine| {
        let c = (proof.c + by).into_affine();
        (*public, Proof::from(ark_groth16::Proof { a: proof.a, b: proof.b, c }).encode())
    };
    let batch = [shifted(G1Affine::generator()), shifted(-G1Affine::generator())];
    let refusal = VERIFIER.verify_batch(&batch, &mut UnwrapErr(getrandom::SysRng));
    assert_eq!(refusal, Err(InvalidProofs { positions: vec![0, 1] }));
}

#[test]
fn debug_is_short() {
    assert_eq!(format!("{:?}", *VERIFIER), "Verifier");
    let key = KEY.verifying_key();
    assert_eq!(format!("{key:?}"), format!("VerifyingKey({})", key.hash()));
}
