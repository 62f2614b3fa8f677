//! Each constraint does something: broken alone, it is missed by no other, and both judges refuse.
//!
//! Two ways to break one constraint and only that one:
//! - a *free* wire (a bit) or a *public input* gets a wrong value, and everything after it is computed honestly;
//! - a constraint that *defines* a wire (`A·z · B·z = wire`: S-boxes, multiplexers, the signal's square) is given
//!   another result, and everything after it is computed honestly from that. Root and nullifier are then whatever
//!   came out, so that no equality notices.

use std::sync::LazyLock;

use ark_bn254::Fr;
use ark_ff::UniformRand;
use ark_relations::gr1cs::Matrix;
use proptest::prelude::*;
use unum_identity::field::{ExternalNullifier, FieldElement, Nullifier, SignalHash};
use unum_identity::secret::Identity;
use unum_identity::set::{DEPTH, MerklePath, Set, Step};

use super::circuit::SecretWires;
use super::*;
use crate::relation::{Relation, assignment};

static RELATION: LazyLock<Relation> = LazyLock::new(Relation::build);

/// Constraints of each hash and of each level, as the table in `circuit.rs` has them.
const HASH_1: usize = 213;
const HASH_2: usize = 240;
const LEVEL: usize = 1 + 1 + HASH_2;
const FIRST_LEVEL: usize = HASH_2 + HASH_1;
const ROOT_ROW: usize = FIRST_LEVEL + DEPTH * LEVEL;
const NULLIFIER_ROW: usize = ROOT_ROW + 1 + HASH_2;
const SIGNAL_ROW: usize = NULLIFIER_ROW + 1;

/// A true statement about somebody in a set of `people`.
pub(crate) fn statement(person: u64, people: u64, signal: u64, external: u64) -> (Public, Private) {
    let identity = |i: u64| Identity::from_secret(&i.to_be_bytes());
    let mut set = Set::default();
    set.extend((0..people).map(|i| identity(i).commitment())).unwrap();
    let private = Private { identity: identity(person), path: set.path_at(person, people).unwrap() };
    let public = private.statement(ExternalNullifier(external.into()), SignalHash(signal.into()));
    assert_eq!(public.root, set.root());
    (public, private)
}

pub(crate) fn any_statement() -> impl Strategy<Value = (Public, Private)> {
    (1_u64..9, 0_u64..9, any::<u64>(), any::<u64>())
        .prop_map(|(people, person, signal, external)| statement(person % people, people, signal, external))
}

fn element() -> impl Strategy<Value = Fr> {
    any::<[u8; 32]>().prop_map(|bytes| FieldElement::from_be_bytes_mod_order(&bytes).into())
}

pub(super) fn evaluate(matrix: &Matrix<Fr>, row: usize, z: &[Fr]) -> Fr {
    matrix[row].iter().map(|(coefficient, column)| *coefficient * z[*column]).sum()
}

/// `A·z · B·z` of one row.
fn product(row: usize, z: &[Fr]) -> Fr {
    let [a, b, _] = &RELATION.matrices[..] else { panic!("three matrices") };
    evaluate(a, row, z) * evaluate(b, row, z)
}

/// The rows that do not hold.
fn broken(z: &[Fr]) -> Vec<usize> {
    (0..RELATION.constraints())
        .filter(|row| product(*row, z) != evaluate(&RELATION.matrices[2], *row, z))
        .collect()
}

/// The wire that a row defines: the single entry of its C, if its value follows from the row's A and B.
fn defined_wire(row: usize) -> Option<usize> {
    match RELATION.matrices[2][row][..] {
        [(coefficient, wire)] if coefficient == Fr::from(1) && !is_bit(row) => Some(wire),
        _ => None,
    }
}

fn is_bit(row: usize) -> bool {
    (FIRST_LEVEL..ROOT_ROW).contains(&row) && (row - FIRST_LEVEL).is_multiple_of(LEVEL)
}

/// Where an input stands in the assignment: after the constant 1.
fn input(name: &str) -> usize {
    1 + Public::names().iter().position(|n| *n == name).unwrap()
}

/// Computes every defined wire after row `from` again, and makes root and nullifier what comes out.
fn follow(z: &mut [Fr], from: usize) {
    for row in from..RELATION.constraints() {
        if let Some(wire) = defined_wire(row) {
            z[wire] = product(row, z);
        }
    }
    for (row, name) in [(ROOT_ROW, "root"), (NULLIFIER_ROW, "nullifier")] {
        z[input(name)] += product(row, z); // the row says (what comes out − input) · 1 = 0
    }
}

/// The public inputs as the assignment has them.
fn public_of(z: &[Fr]) -> Public {
    let at = |name| FieldElement::from(z[input(name)]);
    Public {
        root: unum_identity::field::Root(at("root")),
        nullifier: Nullifier(at("nullifier")),
        signal_hash: SignalHash(at("signal_hash")),
        external_nullifier: ExternalNullifier(at("external_nullifier")),
    }
}

/// Both judges refuse a statement: the circuit in one row only if one is named.
#[track_caller]
fn refused(public: &Public, private: &Private, why: CheckError, row: usize) {
    assert_eq!(check(public, private), Err(why));
    assert_eq!(broken(&assignment(Circuit::new(public, private))), [row]);
}

#[test]
fn the_rows_are_where_the_table_says() {
    assert_eq!(RELATION.constraints(), SIGNAL_ROW + 1);
    assert_eq!((0..RELATION.constraints()).filter(|row| is_bit(*row)).count(), DEPTH);
    let undefining = (0..RELATION.constraints()).filter(|row| defined_wire(*row).is_none() && !is_bit(*row));
    assert_eq!(undefining.collect::<Vec<_>>(), [ROOT_ROW, NULLIFIER_ROW]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_true_statement_satisfies_both((public, private) in any_statement()) {
        prop_assert_eq!(check(&public, &private), Ok(()));
        let mut z = assignment(Circuit::new(&public, &private));
        prop_assert_eq!(broken(&z), Vec::<usize>::new());
        prop_assert_eq!(&z[1..5], &public.to_inputs()[..]);
        let honest = z.clone();
        follow(&mut z, 0);
        prop_assert_eq!(&z, &honest, "the tests' own solver must agree with the circuit");
    }

    #[test]
    fn debug_shows_nothing_private((_, private) in any_statement()) {
        prop_assert_eq!(format!("{:?}", private), "Private");
    }

    #[test]
    fn another_root_breaks_the_root((mut public, private) in any_statement(), root in element()) {
        public.root = unum_identity::field::Root(root.into());
        refused(&public, &private, CheckError::NotUnderRoot, ROOT_ROW);
    }

    #[test]
    fn another_sibling_breaks_the_root(
        (public, mut private) in any_statement(), level in 0..DEPTH, sibling in element(),
    ) {
        let mut steps = Vec::from(private.path);
        steps[level] = match steps[level] {
            Step::Left(_) => Step::Left(sibling.into()),
            Step::Right(_) => Step::Right(sibling.into()),
        };
        private.path = MerklePath::try_from(steps).unwrap();
        refused(&public, &private, CheckError::NotUnderRoot, ROOT_ROW);
    }

    #[test]
    fn another_direction_breaks_the_root((public, mut private) in any_statement(), level in 0..DEPTH) {
        let mut steps = Vec::from(private.path);
        steps[level] = match steps[level] {
            Step::Left(sibling) => Step::Right(sibling),
            Step::Right(sibling) => Step::Left(sibling),
        };
        private.path = MerklePath::try_from(steps).unwrap();
        refused(&public, &private, CheckError::NotUnderRoot, ROOT_ROW);
    }

    #[test]
    fn a_commitment_that_is_no_leaf_breaks_the_root(
        (mut public, mut private) in any_statement(), outsider in 100_u64..,
    ) {
        private.identity = Identity::from_secret(&outsider.to_be_bytes());
        public.nullifier = private.identity.nullifier(public.external_nullifier);
        refused(&public, &private, CheckError::NotUnderRoot, ROOT_ROW);
    }

    #[test]
    fn another_trapdoor_breaks_the_root((public, mut private) in any_statement(), trapdoor in element()) {
        private.identity = Identity::from_parts(private.identity.nullifier_key(), trapdoor.into());
        refused(&public, &private, CheckError::NotUnderRoot, ROOT_ROW);
    }

    /// A second nullifier for the same person would be a second payment: the key that makes it is in the commitment.
    #[test]
    fn another_nullifier_key_breaks_the_root((mut public, mut private) in any_statement(), key in element()) {
        private.identity = Identity::from_parts(key.into(), private.identity.trapdoor());
        public.nullifier = private.identity.nullifier(public.external_nullifier);
        refused(&public, &private, CheckError::NotUnderRoot, ROOT_ROW);
    }

    #[test]
    fn another_nullifier_breaks_the_nullifier((mut public, private) in any_statement(), other in element()) {
        public.nullifier = Nullifier(other.into());
        refused(&public, &private, CheckError::OtherNullifier, NULLIFIER_ROW);
    }

    #[test]
    fn another_external_nullifier_breaks_the_nullifier(
        (mut public, private) in any_statement(), other in element(),
    ) {
        public.external_nullifier = ExternalNullifier(other.into());
        refused(&public, &private, CheckError::OtherNullifier, NULLIFIER_ROW);
    }

    /// A direction that is neither 0 nor 1 mixes node and sibling into anything one likes. `check` cannot even be
    /// told of it, and refuses the root that it leads to.
    #[test]
    fn a_bit_that_is_no_bit_is_refused((public, private) in any_statement(), level in 0..DEPTH, bit in element()) {
        prop_assume!(bit != Fr::from(0) && bit != Fr::from(1));
        let mut circuit = Circuit::new(&public, &private);
        let SecretWires { levels, .. } = &mut circuit.secret;
        levels[level].is_right = bit;
        let mut z = assignment(circuit);
        follow(&mut z, 0);
        prop_assert_eq!(broken(&z), [FIRST_LEVEL + level * LEVEL]);
        prop_assert_eq!(check(&public_of(&z), &private), Err(CheckError::NotUnderRoot));
    }

    #[test]
    fn the_signal_is_in_a_constraint((public, private) in any_statement(), other in element()) {
        prop_assume!(other != public.signal_hash.0.into() && other != -Fr::from(public.signal_hash.0));
        let mut z = assignment(Circuit::new(&public, &private));
        z[input("signal_hash")] = other;
        prop_assert_eq!(broken(&z), [SIGNAL_ROW]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Every S-box of every hash, every multiplexer: without this one row, another root or nullifier would pass.
    #[test]
    fn every_defining_row_is_needed(row in 0..SIGNAL_ROW, shift in element()) {
        static TRUE: LazyLock<(Public, Private)> = LazyLock::new(|| statement(3, 5, 7, 9));
        prop_assume!(shift != Fr::from(0));
        let Some(wire) = defined_wire(row) else { return Ok(()) }; // the others are broken above
        let (public, private) = &*TRUE;
        let mut z = assignment(Circuit::new(public, private));
        z[wire] += shift;
        follow(&mut z, row + 1);
        prop_assert_eq!(broken(&z), [row]);
        prop_assert!(check(&public_of(&z), private).is_err(), "what came out is a false statement");
    }
}

/// No private wire is free: changing any one of them alone breaks a row that reads it.
#[test]
fn no_private_wire_is_free() {
    let (public, private) = statement(2, 5, 7, 9);
    let mut z = assignment(Circuit::new(&public, &private));
    let mut readers = vec![Vec::new(); z.len()];
    for (row, columns) in RELATION.matrices.iter().flat_map(|matrix| matrix.iter().enumerate()) {
        for (_, column) in columns {
            readers[*column].push(row);
        }
    }
    let shift = Fr::rand(&mut ark_std::test_rng());
    for wire in RELATION.instance_variables..z.len() {
        z[wire] += shift;
        let holds = |row: &usize| product(*row, &z) == evaluate(&RELATION.matrices[2], *row, &z);
        assert!(!readers[wire].iter().all(holds), "wire {wire} is free");
        z[wire] -= shift;
    }
}
