//! Phase 1: it holds, it survives its files, and nothing else does.

use ark_bn254::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{AffineRepr, CurveGroup};
use ark_poly::EvaluationDomain;

use super::super::container::Reader;
use super::super::lagrange;
use super::super::montgomery::Identity;
use super::super::powers::contribution::PowersContribution;
use super::super::powers::file_hash;
use super::*;
use crate::ceremony::{CeremonyError, Fault};

#[test]
fn it_survives_both_of_its_files() {
    let ptau = POWERS.to_ptau();
    assert_eq!(Powers::from_ptau(&ptau).unwrap(), *POWERS);
    let compact = POWERS.to_compact();
    assert_eq!(Powers::from_compact(&compact).unwrap().to_ptau(), ptau, "to the bit");
    assert!(compact.len() < ptau.len());
}

#[test]
fn it_holds_and_names_its_members() {
    POWERS.check(&mut rng()).unwrap();
    let attested = POWERS.attested(&mut rng()).unwrap();
    assert_eq!((attested.members, attested.beacon, attested.to_these_points), (2, true, true));
    let names: Vec<_> =
        POWERS.contributions().iter().map(|step| (step.name(), step.name_is_bound())).collect();
    assert_eq!(names, [(Some("one"), true), (Some("two"), true), (None, false)]);
    assert_eq!(POWERS.power(), 4);
    assert_published(POWERS.contributions().iter().map(PowersContribution::hash));
}

#[test]
fn nothing_comes_after_the_beacon() {
    assert_eq!(POWERS.contribute("late", &mut rng()), Err(CeremonyError::Finished));
    assert_eq!(POWERS.beacon(&beacon_source()), Err(CeremonyError::Finished));
}

#[test]
fn a_beacon_gives_everyone_the_same() {
    let first = Powers::first(2).unwrap();
    let hashes = [(); 2].map(|()| file_hash(&first.beacon(&beacon_source()).unwrap().to_ptau()));
    assert_eq!(hashes[0], hashes[1]);
}

/// Bases by the definition: from an interpolation in the exponent.
#[test]
fn the_lagrange_basis_interpolates() {
    let (tau, n) = (Fr::from(7_u64), 8);
    let powers: Vec<G1Affine> = (0..n)
        .scan(Fr::from(1), |power, _| {
            let point = (G1Affine::generator() * *power).into_affine();
            *power *= tau;
            Some(point)
        })
        .collect();
    let expected: Vec<G1Affine> = lagrange_at(tau, n as usize)
        .into_iter()
        .map(|value| (G1Affine::generator() * value).into_affine())
        .collect();
    assert_eq!(lagrange::basis(&powers), expected);
    // The weights of the odd half of the basis of twice the domain.
    let values: Vec<Fr> = [3_u64, 1, 4, 1].map(Fr::from).to_vec();
    let weights = lagrange::odd_coefficients(values.clone());
    let by_weights: Fr = (0..8).map(|k| weights[k] * ark_ff::Field::pow(&tau, [k as u64])).sum();
    let by_basis: Fr = lagrange_at(tau, 8).iter().skip(1).step_by(2).zip(&values).map(|(l, v)| *l * v).sum();
    assert_eq!(by_weights, by_basis);
}

/// `Lᵢ(τ) = Π (τ − ωʲ)/(ωⁱ − ωʲ)` over all j ≠ i.
fn lagrange_at(tau: Fr, n: usize) -> Vec<Fr> {
    let roots: Vec<Fr> = lagrange::domain(n).elements().collect();
    let factor = |i: usize, j: usize| (tau - roots[j]) / (roots[i] - roots[j]);
    (0..n).map(|i| (0..n).filter(|j| *j != i).map(|j| factor(i, j)).product()).collect()
}

/// Replaces each 32-byte word of a section, one at a time, by the word of another point of the same file: what remains
/// is read as valid points, or refused as none; either way the file does not hold.
#[test]
fn every_section_of_points_is_covered() {
    let file = POWERS.to_ptau();
    for (id, start, length) in sections(&file) {
        if !(2..=6).contains(&id) {
            continue;
        }
        let point = if id == 3 || id == 6 { 128 } else { 64 };
        for index in [0, 1, length / point - 1] {
            let mut forged = file.clone();
            // The negative of a point is on the curve, and so is another multiple of the generator.
            let donor =
                if id == 3 || id == 6 { of_section(&file, 3, 128, 2) } else { of_section(&file, 4, 64, 3) };
            let at = start + (index * point).min(length - point);
            if forged[at..at + point] == donor {
                continue;
            }
            forged[at..at + point].copy_from_slice(&donor);
            let powers = Powers::from_ptau(&forged).unwrap();
            let refusal = powers.check(&mut rng()).and_then(|()| powers.attested(&mut rng()).map(|_| ()));
            assert!(
                matches!(refusal, Err(CeremonyError::NoPowers { .. })),
                "section {id}, point {index}: {refusal:?}"
            );
        }
    }
}

fn of_section(file: &[u8], id: u32, point: usize, index: usize) -> Vec<u8> {
    let (_, start, _) = sections(file).into_iter().find(|(found, ..)| *found == id).unwrap();
    file[start + index * point..][..point].to_vec()
}

/// Id, first byte and length of every section.
pub(super) fn sections(file: &[u8]) -> Vec<(u32, usize, usize)> {
    let (mut at, mut found) = (12, Vec::new());
    while at < file.len() {
        let id = u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
        let length = u64::from_le_bytes(file[at + 4..at + 12].try_into().unwrap()) as usize;
        found.push((id, at + 12, length));
        at += 12 + length;
    }
    found
}

#[test]
fn every_field_of_a_step_is_covered() {
    let file = POWERS.to_ptau();
    let (_, start, _) = sections(&file).into_iter().find(|(id, ..)| *id == 7).unwrap();
    let step = start + 4; // the first contribution
    let swap = |at: usize, length: usize, donor: usize| {
        let mut forged = file.clone();
        forged.copy_within(donor..donor + length, at);
        Powers::from_ptau(&forged).unwrap().attested(&mut rng())
    };
    // tau_g1, tau_g2, alpha_g1, beta_g1, beta_g2, then g1_s and g1_sx three times, then g2_spx three times.
    let second = step + 2000 - 2000 + step_length(&file, step);
    for (name, offset, length) in [
        ("tau_g1", 0, 64),
        ("tau_g2", 64, 128),
        ("alpha_g1", 192, 64),
        ("beta_g1", 256, 64),
        ("beta_g2", 320, 128),
        ("tau g1_s", 448, 64),
        ("tau g1_sx", 512, 64),
        ("alpha g1_s", 576, 64),
        ("alpha g1_sx", 640, 64),
        ("beta g1_s", 704, 64),
        ("beta g1_sx", 768, 64),
        ("tau g2_spx", 832, 128),
        ("alpha g2_spx", 960, 128),
        ("beta g2_spx", 1088, 128),
        ("next challenge", 1432, 64),
    ] {
        let refusal = swap(step + offset, length, second + offset);
        assert!(matches!(refusal, Err(CeremonyError::Contribution { .. })), "{name}: {refusal:?}");
    }
    // The last step's response state and challenge are tied to the points.
    let third = second + step_length(&file, second);
    for (name, offset) in [("response", 1216 + 128), ("next challenge", 1432)] {
        let mut forged = file.clone();
        forged[third + offset] ^= 1;
        let refusal = Powers::from_ptau(&forged).unwrap().attested(&mut rng());
        assert_eq!(refusal, Err(CeremonyError::NoPowers { section: "contributions" }), "{name}");
    }
}

/// Points, hashes, type, and parameters of the length given.
fn step_length(file: &[u8], step: usize) -> usize {
    let fixed = 1216 + 216 + 64 + 8;
    fixed + u32::from_le_bytes(file[step + fixed - 4..step + fixed].try_into().unwrap()) as usize
}

#[test]
fn a_secret_of_one_is_refused() {
    // Two equal files in a row: the second step's powers are the first's.
    let first = Powers::first(2).unwrap().contribute("one", &mut rng()).unwrap();
    let mut idle = first.to_ptau();
    let (_, start, length) = sections(&idle).into_iter().find(|(id, ..)| *id == 7).unwrap();
    let copy = idle[start + 4..start + length].to_vec();
    idle.extend(copy);
    idle[start..start + 4].copy_from_slice(&2_u32.to_le_bytes());
    let size = (2 * (length - 4) + 4) as u64;
    idle[start - 8..start].copy_from_slice(&size.to_le_bytes());
    let refusal = Powers::from_ptau(&idle).unwrap().attested(&mut rng());
    assert!(
        matches!(
            refusal,
            Err(CeremonyError::Contribution { number: 2, fault: Fault::Knowledge | Fault::Link, .. })
        ),
        "{refusal:?}"
    );
}

#[test]
fn other_files_are_refused() {
    let file = POWERS.to_ptau();
    let malformed = |bytes: &[u8]| matches!(Powers::from_ptau(bytes), Err(CeremonyError::Malformed { .. }));
    for cut in [0, 3, 11, 20, 60, file.len() / 2, file.len() - 1] {
        assert!(malformed(&file[..cut]), "cut at {cut}");
    }
    assert!(malformed(&[&file[..], &[0]].concat()), "longer");
    for at in [0, 4, 8, 12, 16, 24, 28, 60, 64] {
        let mut forged = file.clone();
        forged[at] ^= 0x20;
        assert!(malformed(&forged), "byte {at}");
    }
    // Powers may be cut from a ceremony of up to 2^28 of them: snarkjs says so in its own files.
    let of_ceremony = |power: u32| {
        let (_, header, _) = sections(&file)[0];
        let mut file = file.clone();
        file[header + 40..header + 44].copy_from_slice(&power.to_le_bytes());
        file
    };
    assert!(!malformed(&of_ceremony(28)) && malformed(&of_ceremony(29)) && malformed(&of_ceremony(3)));
    let compact = POWERS.to_compact();
    for cut in [0, 9, 40, compact.len() - 1] {
        assert!(
            matches!(Powers::from_compact(&compact[..cut]), Err(CeremonyError::Malformed { .. })),
            "cut at {cut}"
        );
    }
    for power in [0, 28] {
        assert!(matches!(Powers::first(power), Err(CeremonyError::Malformed { .. })));
    }
}

#[test]
fn invalid_points_are_refused() {
    let file = POWERS.to_ptau();
    let (_, start, _) = sections(&file).into_iter().find(|(id, ..)| *id == 2).unwrap();
    let mut identity = file.clone();
    identity[start..start + 64].fill(0);
    assert_eq!(Powers::from_ptau(&identity), Err(CeremonyError::Point { section: "tauG1", index: 0 }));
    let mut off = file.clone();
    off[start + 64] ^= 1;
    assert_eq!(Powers::from_ptau(&off), Err(CeremonyError::Point { section: "tauG1", index: 1 }));
    let mut second_encoding = file;
    second_encoding[start..start + 32].fill(0xff);
    assert_eq!(Powers::from_ptau(&second_encoding), Err(CeremonyError::Point { section: "tauG1", index: 0 }));
}

/// The values of a Lagrange basis sum up to one, and weighted with the elements of their domain to the point where they
/// are taken: both for every domain of every section.
#[test]
fn prepared_powers_have_the_basis_of_every_domain() {
    let prepared = POWERS.prepare();
    let file = prepared.to_ptau();
    assert_eq!(Powers::from_ptau(&file).unwrap(), prepared);
    assert_eq!(Parameters::initial(&prepared, &small(), &mut rng()).unwrap(), STEPS[0]);
    let section = |id| sections(&file).into_iter().find(|(found, ..)| *found == id).unwrap();
    for (id, of, largest) in [(12, 2, 5), (14, 4, 4), (15, 5, 4)] {
        let (_, start, length) = section(id);
        assert_eq!(length, 64 * ((2 << largest) - 1), "section {id}");
        let [one, tau] = [0, 1].map(|power| g1_list(&of_section(&file, of, 64, power), 1)[0]);
        // Of the largest domain the last power is not known, and its basis only sums up.
        for power in 0..=largest {
            let size = 1_usize << power;
            let values = g1_list(&file[start + 64 * (size - 1)..], size);
            assert_eq!(values.iter().sum::<G1Projective>(), one.into_group(), "section {id}, 2^{power}");
            if (1..5).contains(&power) {
                let roots = lagrange::domain(size).elements();
                let weighted: G1Projective =
                    values.iter().zip(roots).map(|(value, root)| *value * root).sum();
                assert_eq!(weighted, tau.into_group(), "section {id}, 2^{power}");
            }
        }
    }
    let (_, start, length) = section(13);
    assert_eq!(length, 128 * 31);
    let values =
        Reader::new(&file[start + 128 * 15..], "ptau", "test").g2_list(16, Identity::Allowed).unwrap();
    assert_eq!(values.iter().sum::<G2Projective>(), G2Affine::generator().into_group());
}

fn g1_list(bytes: &[u8], count: usize) -> Vec<G1Affine> {
    Reader::new(bytes, "ptau", "test").g1_list(count, Identity::Allowed).unwrap()
}
