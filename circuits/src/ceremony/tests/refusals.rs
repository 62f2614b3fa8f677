//! Every class of byte of a `.zkey` file, changed: refused, and named.

use ark_bn254::G1Affine;
use ark_ec::CurveGroup;
use proptest::prelude::*;

use super::super::contribution::{Contribution, Signature};
use super::super::stream;
use super::phase1::sections;
use super::*;
use crate::ceremony::{CeremonyError, Fault};

fn verify(file: &[u8]) -> Result<(), CeremonyError> {
    Parameters::from_zkey(file, &small())?.verify(&POWERS, &small(), &mut rng()).map(|_| ())
}

fn section(file: &[u8], id: u32) -> (usize, usize) {
    let (_, start, length) = sections(file).into_iter().find(|(found, ..)| *found == id).unwrap();
    (start, length)
}

#[track_caller]
fn assert_fault(result: Result<(), CeremonyError>, number: usize, faults: &[Fault]) {
    match result {
        Err(CeremonyError::Contribution { number: found, fault, .. }) if found == number => {
            assert!(faults.contains(&fault), "{fault:?}");
        }
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// No byte of the file is free.
    #[test]
    fn any_changed_byte_is_refused(at in any::<prop::sample::Index>(), flip in 1_u8..) {
        let mut file = STEPS[3].to_zkey(&small());
        let at = at.index(file.len());
        file[at] ^= flip;
        prop_assert!(verify(&file).is_err(), "byte {at}");
    }

    /// The contributions, where the interesting bytes are.
    #[test]
    fn any_changed_byte_of_the_contributions_is_refused(at in any::<prop::sample::Index>(), flip in 1_u8..) {
        let mut file = STEPS[3].to_zkey(&small());
        let (start, length) = section(&file, 10);
        let at = start + at.index(length);
        file[at] ^= flip;
        prop_assert!(verify(&file).is_err(), "byte {at}");
    }
}

#[test]
fn a_file_that_is_cut_off_or_longer_is_refused() {
    let file = STEPS[3].to_zkey(&small());
    for cut in (0..file.len()).step_by(97) {
        assert!(matches!(verify(&file[..cut]), Err(CeremonyError::Malformed { .. })), "cut at {cut}");
    }
    assert!(matches!(verify(&[&file[..], &[0]].concat()), Err(CeremonyError::Malformed { .. })));
}

/// A valid point in place of another one: it takes the random sums to see it.
#[test]
fn a_point_of_any_section_exchanged_is_named() {
    let file = STEPS[3].to_zkey(&small());
    for (id, name, point) in
        [(3, "IC", 64), (5, "A", 64), (6, "B1", 64), (7, "B2", 128), (8, "L", 64), (9, "H", 64)]
    {
        let (start, length) = section(&file, id);
        for index in 0..length / point {
            let mut forged = file.clone();
            let at = start + index * point;
            let generator = if point == 64 { 2 } else { 3 };
            let ptau = POWERS.to_ptau();
            let (donor, _) = section(&ptau, generator);
            forged[at..at + point].copy_from_slice(&ptau[donor..donor + point]);
            assert_eq!(verify(&forged), Err(CeremonyError::NotDerived { section: name }), "point {index}");
        }
    }
}

#[test]
fn the_header_is_covered() {
    let file = STEPS[3].to_zkey(&small());
    let (start, _) = section(&file, 2);
    let ptau = POWERS.to_ptau();
    let (g1, _) = section(&ptau, 2);
    let (g2, _) = section(&ptau, 3);
    // Offsets after two moduli and three sizes: α (G1), β (G1), β (G2), γ (G2), δ (G1), δ (G2).
    for (name, offset, length, donor) in [
        ("alpha", 84, 64, g1),
        ("beta", 148, 64, g1),
        ("beta", 212, 128, g2),
        ("gamma", 340, 128, g2 + 128),
        ("delta", 468, 64, g1),
        ("delta", 532, 128, g2),
    ] {
        let mut forged = file.clone();
        forged[start + offset..][..length].copy_from_slice(&ptau[donor..donor + length]);
        assert_eq!(verify(&forged), Err(CeremonyError::NotDerived { section: name }), "{name} at {offset}");
    }
    for (what, offset) in [("q", 4), ("r", 40)] {
        let mut forged = file.clone();
        forged[start + offset] ^= 1;
        assert!(matches!(verify(&forged), Err(CeremonyError::Malformed { .. })), "{what}");
    }
    for (what, offset) in [("variables", 72), ("public inputs", 76), ("domain", 80)] {
        let mut forged = file.clone();
        forged[start + offset] ^= 1;
        assert_eq!(verify(&forged), Err(CeremonyError::OtherCircuit), "{what}");
    }
}

#[test]
fn another_circuit_is_refused() {
    let mut other = small();
    other.matrices[1][1][0].0 += Fr::from(1);
    let file = STEPS[3].to_zkey(&small());
    assert_eq!(Parameters::from_zkey(&file, &other).unwrap_err(), CeremonyError::OtherCircuit);
    // Of the same shape and with its coefficients exchanged: the points give it away.
    let forged = Parameters::from_zkey(&STEPS[3].to_zkey(&other), &other).unwrap();
    let refusal = forged.verify(&POWERS, &other, &mut rng());
    assert_eq!(refusal, Err(CeremonyError::NotDerived { section: "B1" }));
    // C is not in the file, but in the points.
    let mut other = small();
    other.matrices[2][0][0].0 += Fr::from(1);
    let refusal = STEPS[3].verify(&POWERS, &other, &mut rng());
    assert_eq!(refusal, Err(CeremonyError::NotDerived { section: "IC" }));
}

#[test]
fn other_powers_are_refused() {
    let other = Powers::first(4).unwrap().contribute("other", &mut rng()).unwrap();
    let refusal = STEPS[3].verify(&other, &small(), &mut rng());
    assert_eq!(refusal, Err(CeremonyError::NotDerived { section: "alpha" }));
}

#[test]
fn points_that_are_none_are_refused() {
    let file = STEPS[3].to_zkey(&small());
    for (id, name) in [(3, "IC"), (5, "A"), (6, "B1"), (7, "B2"), (8, "L"), (9, "H")] {
        let (start, _) = section(&file, id);
        for (what, byte) in [("not canonical", 0xff), ("off the curve", 0x01)] {
            let mut forged = file.clone();
            forged[start..start + 32].fill(byte);
            let expected = Err(CeremonyError::Point { section: name, index: 0 });
            assert_eq!(verify(&forged), expected, "{what}");
        }
    }
    // The identity, where no honest file has it.
    for (id, offset, length) in
        [(2, 84, 64), (2, 212, 128), (2, 468, 64), (2, 532, 128), (10, 68, 64), (10, 260, 128)]
    {
        let mut forged = file.clone();
        let (start, _) = section(&file, id);
        forged[start + offset..][..length].fill(0);
        assert!(matches!(verify(&forged), Err(CeremonyError::Point { .. })), "section {id} at {offset}");
    }
}

#[test]
fn a_point_outside_the_subgroup_is_refused() {
    let mut forged = STEPS[3].clone();
    forged.b_g2[3] = crate::points::tests::outside_the_subgroup();
    let refusal = verify(&forged.to_zkey(&small()));
    assert_eq!(refusal, Err(CeremonyError::Point { section: "B2", index: 3 }));
}

/// Each field of the middle contribution exchanged for another member's.
#[test]
fn every_field_of_a_contribution_is_covered() {
    let donor = STEPS[2].contribute("third", &mut rng()).unwrap().contributions[2].clone();
    let forge = |change: &dyn Fn(&mut Contribution)| {
        let mut forged = STEPS[3].clone();
        change(&mut forged.contributions[1]);
        verify(&forged.to_zkey(&small()))
    };
    assert_fault(forge(&|step| step.delta_after = donor.delta_after), 2, &[Fault::Link]);
    assert_fault(forge(&|step| step.g1_s = donor.g1_s), 2, &[Fault::Transcript]);
    assert_fault(forge(&|step| step.g1_sx = donor.g1_sx), 2, &[Fault::Transcript]);
    assert_fault(forge(&|step| step.g2_spx = donor.g2_spx), 2, &[Fault::Knowledge]);
    assert_fault(forge(&|step| step.transcript = donor.transcript), 2, &[Fault::Transcript]);
    assert_fault(forge(&|step| step.signature.name = Some("Eve".to_owned())), 2, &[Fault::Name]);
    assert_fault(forge(&|step| step.signature.name = None), 2, &[Fault::Name]);
    assert_fault(
        forge(&|step| step.signature = Signature::beacon(&beacon_source())),
        2,
        &[Fault::AfterBeacon],
    );
}

#[test]
fn the_beacon_is_covered() {
    let forge = |change: &dyn Fn(&mut Contribution)| {
        let mut forged = STEPS[3].clone();
        change(&mut forged.contributions[2]);
        verify(&forged.to_zkey(&small()))
    };
    let other = |iterations, randomness: &[u8]| {
        Signature::beacon(&BeaconSource::new(iterations, randomness).unwrap())
    };
    assert_fault(forge(&|step| step.signature = other(10, b"Public")), 3, &[Fault::Beacon]);
    assert_fault(forge(&|step| step.signature = other(11, b"public")), 3, &[Fault::Beacon]);
    assert_fault(forge(&|step| step.signature.name = Some("lucky".to_owned())), 3, &[Fault::Name]);
    assert_fault(forge(&|step| step.signature = Signature::member("Eve").unwrap()), 3, &[Fault::Name]);
    for (iterations, randomness) in [(9, &b"x"[..]), (31, b"x"), (10, b""), (10, &[0; 256])] {
        assert_eq!(BeaconSource::new(iterations, randomness), Err(CeremonyError::BeaconSource));
    }
}

#[test]
fn a_contribution_left_out_or_moved_is_seen() {
    let mut without = STEPS[3].clone();
    without.contributions.remove(0);
    assert_fault(verify(&without.to_zkey(&small())), 1, &[Fault::Transcript]);
    let mut swapped = STEPS[3].clone();
    swapped.contributions.swap(0, 1);
    assert_fault(verify(&swapped.to_zkey(&small())), 1, &[Fault::Transcript]);
    let mut shorter = STEPS[3].clone();
    shorter.contributions.pop();
    assert_eq!(verify(&shorter.to_zkey(&small())), Err(CeremonyError::NotDerived { section: "delta" }));
}

/// What a member does who knows the format but not the rules: one that changes nothing, and one that wipes everything.
#[test]
fn secrets_of_one_and_zero_are_refused() {
    let idle = STEPS[1]
        .step(&Fr::from(1), stream::point_of_name("idle"), Signature::member("idle").unwrap())
        .unwrap();
    assert_fault(verify(&idle.to_zkey(&small())), 2, &[Fault::NoChange]);
    let mut wiped = idle;
    wiped.contributions[1].delta_after = G1Affine::identity();
    assert!(matches!(
        verify(&wiped.to_zkey(&small())),
        Err(CeremonyError::Point { section: "contributions", .. })
    ));
}

/// A member who multiplies δ by what another one left, without knowing it.
#[test]
fn a_copied_contribution_is_refused() {
    let mut forged = STEPS[2].clone();
    let mut copy = forged.contributions[1].clone();
    copy.delta_after = (copy.delta_after + copy.delta_after).into_affine();
    forged.contributions.push(copy);
    assert_fault(verify(&forged.to_zkey(&small())), 3, &[Fault::Transcript]);
}
