//! Phase 2: it holds, its keys prove, and it survives its files.

use ark_bn254::Bn254;
use ark_ff::{BigInteger, PrimeField};
use ark_groth16::{Groth16, prepare_verifying_key};
use ark_std::UniformRand;

use super::super::r1cs::to_r1cs;
use super::super::series::Series;
use super::super::transcript::Transcript;
use super::phase1::sections;
use super::*;
use crate::ProvingKey;
use crate::ceremony::{CeremonyError, Contribution, Kind, contributor_rng};
use crate::quotient::Quotient;
use crate::randomness::Randomness;

#[test]
fn every_step_verifies_and_survives_its_file() {
    for (members, parameters) in STEPS.iter().enumerate() {
        let file = parameters.to_zkey(&small());
        assert_eq!(Parameters::from_zkey(&file, &small()).unwrap(), *parameters);
        let chain = parameters.verify(&POWERS, &small(), &mut rng()).unwrap();
        assert_eq!((chain.members, chain.finished), (members.min(2), members == 3));
    }
}

#[test]
fn everyone_gets_the_same_start() {
    let again = Parameters::initial(&POWERS, &small(), &mut rng()).unwrap();
    assert_eq!(again.to_zkey(&small()), STEPS[0].to_zkey(&small()));
    assert_eq!(STEPS[3].circuit_hash(), again.circuit_hash());
    assert_eq!(hex::decode(again.circuit_hash()).unwrap(), again.circuit_hash, "in hex");
}

#[test]
fn keys_are_made_only_at_the_end() {
    for unfinished in &STEPS[..3] {
        assert_eq!(unfinished.proving_key().unwrap_err(), CeremonyError::Unfinished);
    }
    STEPS[3].proving_key().unwrap();
    assert_eq!(STEPS[0].beacon(&beacon_source()), Err(CeremonyError::Unfinished));
    assert_eq!(STEPS[3].contribute("late", &mut rng()), Err(CeremonyError::Finished));
    assert_eq!(STEPS[3].beacon(&beacon_source()), Err(CeremonyError::Finished));
}

/// The prover of this crate, with keys of a ceremony, convinces arkworks' verifier; with another public input it does
/// not.
#[test]
fn its_keys_prove() {
    let (key, relation, z) = (STEPS[3].proving_key().unwrap().0, small(), assignment());
    let mut random = rng();
    let mut random = Randomness(&mut random);
    let proof = Groth16::<Bn254, Quotient>::create_proof_with_reduction_and_matrices(
        &key,
        Fr::rand(&mut random),
        Fr::rand(&mut random),
        &relation.matrices,
        relation.instance_variables,
        relation.constraints(),
        &z,
    )
    .unwrap();
    let verifying = prepare_verifying_key(&key.vk);
    assert!(Groth16::<Bn254, Quotient>::verify_proof(&verifying, &proof, &z[1..3]).unwrap());
    assert!(
        !Groth16::<Bn254, Quotient>::verify_proof(&verifying, &proof, &[z[1], z[2] + Fr::from(1)]).unwrap()
    );
}

#[test]
fn a_transcript_and_its_key_are_the_parameters_again() {
    let transcript = Transcript::from(&STEPS[3]);
    let read = Transcript::from_bytes(&transcript.to_bytes()).unwrap();
    assert_eq!(read, transcript);
    assert_eq!(read.circuit_hash(), STEPS[3].circuit_hash());
    assert_eq!(read.contributions(), STEPS[3].contributions());
    assert_published(read.contributions().iter().map(Contribution::hash));
    let verifying_key = STEPS[3].proving_key().unwrap().verifying_key();
    let chain = read.verify(&verifying_key, &POWERS, &small(), &mut rng()).unwrap();
    assert_eq!((chain.members, chain.finished), (2, true));
    let parameters = read.with_key(&STEPS[3].proving_key().unwrap()).unwrap();
    assert_eq!(parameters, STEPS[3]);
    // The key of another ceremony does not fit.
    let other = STEPS[0].contribute("Ada", &mut rng()).unwrap().beacon(&beacon_source()).unwrap();
    let refusal =
        transcript.verify(&other.proving_key().unwrap().verifying_key(), &POWERS, &small(), &mut rng());
    assert_eq!(refusal, Err(CeremonyError::NotDerived { section: "delta" }));
    let unfinished = Transcript::from(&STEPS[2]);
    let key = crate::VerifyingKey(STEPS[2].arkworks_key().vk);
    assert_eq!(unfinished.verify(&key, &POWERS, &small(), &mut rng()), Err(CeremonyError::Unfinished));
    let mixed = transcript.with_key(&other.proving_key().unwrap()).unwrap();
    let refusal = mixed.verify(&POWERS, &small(), &mut rng());
    assert_eq!(refusal, Err(CeremonyError::NotDerived { section: "delta" }));
}

/// Not a power more, not a power less: the last power that the largest domain lacks changes nothing that counts.
#[test]
fn powers_of_exactly_the_circuits_size_are_enough() {
    let beacon = beacon_source();
    let powers = Powers::first(3).unwrap().contribute("one", &mut rng()).unwrap().beacon(&beacon).unwrap();
    let start = Parameters::initial(&powers, &small(), &mut rng()).unwrap();
    let end = start.contribute("Ada", &mut rng()).unwrap().beacon(&beacon).unwrap();
    assert!(end.verify(&powers, &small(), &mut rng()).unwrap().finished);
    let few = Powers::first(2).unwrap().contribute("one", &mut rng()).unwrap();
    let refusal = Parameters::initial(&few, &small(), &mut rng());
    assert_eq!(refusal, Err(CeremonyError::TooFewPowers { power: 2, needed: 3 }));
}

#[test]
fn bad_files_of_a_series_are_skipped_and_named() {
    let [start, one, two, last] = STEPS.each_ref().map(|step| step.to_zkey(&small()));
    let mut broken = two.clone();
    let end = broken.len() - 1;
    broken[end] ^= 1; // the last byte of the second member's name
    let foreign = STEPS[0].contribute("Eve", &mut rng()).unwrap().to_zkey(&small()); // forgets Ada
    let mut series = Series::start(&start, &POWERS, &small(), &mut rng()).unwrap();
    for (label, file) in [
        ("one", &one),
        ("broken", &broken),
        ("again", &one),
        ("foreign", &foreign),
        ("two", &two),
        ("last", &last),
    ] {
        series.offer(label, file, &POWERS, &small(), &mut rng());
    }
    assert_eq!(series.last, STEPS[3]);
    assert!(series.chain.finished);
    let skipped: Vec<_> = series.skipped.iter().map(|file| file.label.as_str()).collect();
    assert_eq!(skipped, ["broken", "again", "foreign"]);
    let reason = series.skipped[0].reason.to_string();
    assert!(reason.starts_with("contribution 2 (\"Gret"), "{reason}");
    assert_eq!(series.skipped[2].reason, CeremonyError::NoContinuation);
}

#[test]
fn a_long_chain_holds() {
    let mut last = STEPS[0].clone();
    for member in 0..100 {
        last = last.contribute(&format!("member {member}"), &mut rng()).unwrap();
    }
    let last = last.beacon(&beacon_source()).unwrap();
    assert_eq!(last.verify(&POWERS, &small(), &mut rng()).unwrap().members, 100);
    assert!(matches!(last.contributions()[100].kind(), Kind::Beacon(_)));
}

#[test]
fn what_a_member_types_counts_and_so_does_the_system() {
    use rand_core::Rng;
    struct Fixed;
    impl rand_core::TryRng for Fixed {
        type Error = core::convert::Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok(4)
        }
        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Ok(4)
        }
        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
            bytes.fill(4);
            Ok(())
        }
    }
    impl rand_core::TryCryptoRng for Fixed {}
    let first = |typed: &[u8]| contributor_rng(&mut Fixed, typed).next_u64();
    assert_eq!(first(b"dice"), first(b"dice"), "nothing else goes in");
    assert_ne!(first(b"dice"), first(b"dicf"));
    let by_system = [(); 2].map(|()| contributor_rng(&mut rng(), b"dice").next_u64());
    assert_ne!(by_system[0], by_system[1]);
}

#[test]
fn names_have_limits() {
    for name in ["", &"x".repeat(65)] {
        assert_eq!(STEPS[0].contribute(name, &mut rng()), Err(CeremonyError::Name { bytes: name.len() }));
    }
    STEPS[0].contribute(&"ä".repeat(32), &mut rng()).unwrap();
}

#[test]
fn nothing_private_is_shown() {
    let key: ProvingKey = STEPS[3].proving_key().unwrap();
    assert_eq!(
        format!("{key:?} {:?} {:?}", STEPS[3], *POWERS),
        "ProvingKey Parameters(3 contributions) Powers(2^4, 3 contributions)"
    );
}

/// Computed as snarkjs computes it, which `snarkjs_agrees` sees each night; here its value.
#[test]
fn the_hash_of_the_start_is_pinned() {
    let powers = Powers::first(4).unwrap().beacon(&beacon_source()).unwrap();
    let start = Parameters::initial(&powers, &small(), &mut rng()).unwrap();
    assert_eq!(
        start.circuit_hash(),
        "f661261c6cc2439c6799aea1c0b07e97af696a6aff25c117e2829189c1d4b30b\
         d50c4a84608c8c5dc16898ebd0db351c2a1eb18e2c40b8e5798356768a64e9d8"
    );
}

/// Read as the format says: every row of A, B and C is that of the circuit.
#[test]
fn an_r1cs_file_is_the_circuit() {
    let (file, relation) = (to_r1cs(&small()), small());
    let [(1, header, 64), (2, rows, _), (3, labels, 40)] = sections(&file)[..] else {
        panic!("{:?}", sections(&file))
    };
    let number = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    assert_eq!(number(header), 32);
    assert_eq!(file[header + 4..header + 36], Fr::MODULUS.to_bytes_le());
    let counts = [36, 40, 44, 48, 52, 56, 60].map(|at| number(header + at));
    assert_eq!(counts, [5, 0, 2, 0, 5, 0, 2], "variables, outputs, public, private, labels (64 bits), rows");
    let all_labels: Vec<u8> = (0..5_u64).flat_map(u64::to_le_bytes).collect();
    assert_eq!(file[labels..], all_labels);
    let mut at = rows;
    for row in 0..2 {
        for matrix in &relation.matrices {
            let mut expected = matrix[row].clone();
            expected.sort_by_key(|(_, column)| *column);
            assert_eq!(number(at) as usize, expected.len());
            at += 4;
            for (value, column) in expected {
                assert_eq!(number(at) as usize, column);
                assert_eq!(file[at + 4..at + 36], value.into_bigint().to_bytes_le());
                at += 36;
            }
        }
    }
    assert_eq!(at, labels - 12, "nothing else");
}
