//! Ceremonies over a small circuit: everything holds for honest ones, and every class of byte is refused when changed.

mod interop;
mod phase1;
mod phase2;
mod refusals;
mod whole;

use std::sync::LazyLock;

use ark_bn254::Fr;
use rand_core::UnwrapErr;

use super::step::BeaconSource;
use super::{Parameters, Powers};
use crate::relation::Relation;

/// `x·y = p` and `(2x + p)·(y − 1) = q + 1`, with `p, q` public: five variables, of which `x` and `y` are private. The
/// variable `q` occurs in C alone, so that A and B hold the identity for it.
pub(super) fn small() -> Relation {
    let row = |entries: &[(i64, usize)]| {
        entries.iter().map(|(value, column)| (Fr::from(*value), *column)).collect()
    };
    Relation {
        matrices: vec![
            vec![row(&[(1, 3)]), row(&[(1, 1), (2, 3)])],
            vec![row(&[(1, 4)]), row(&[(1, 4), (-1, 0)])],
            vec![row(&[(1, 1)]), row(&[(1, 2), (1, 0)])],
        ],
        instance_variables: 3,
        witness_variables: 2,
    }
}

/// An assignment of [`small`]: 1, p, q, x, y.
fn assignment() -> Vec<Fr> {
    [1_u64, 15, 83, 3, 5].map(Fr::from).to_vec()
}

pub(super) fn rng() -> UnwrapErr<getrandom::SysRng> {
    UnwrapErr(getrandom::SysRng)
}

pub(super) fn beacon_source() -> BeaconSource {
    BeaconSource::new(10, b"public").unwrap()
}

/// Phase 1 with two members and a beacon, one power larger than the small circuit needs.
pub(super) static POWERS: LazyLock<Powers> = LazyLock::new(|| {
    let first = Powers::first(4).unwrap();
    let members = first.contribute("one", &mut rng()).unwrap().contribute("two", &mut rng()).unwrap();
    members.beacon(&beacon_source()).unwrap()
});

/// Phase 2: the start, two members, the beacon.
static STEPS: LazyLock<[Parameters; 4]> = LazyLock::new(|| {
    let start = Parameters::initial(&POWERS, &small(), &mut rng()).unwrap();
    let one = start.contribute("Ada", &mut rng()).unwrap();
    let two = one.contribute("Grete", &mut rng()).unwrap();
    let last = two.beacon(&beacon_source()).unwrap();
    [start, one, two, last]
});

#[test]
fn the_small_circuit_is_satisfiable() {
    let (relation, z) = (small(), assignment());
    let dot = |row: &[(Fr, usize)]| row.iter().map(|(value, column)| *value * z[*column]).sum::<Fr>();
    for row in 0..relation.constraints() {
        let [a, b, c] = [0, 1, 2].map(|matrix| dot(&relation.matrices[matrix][row]));
        assert_eq!(a * b, c, "constraint {row}");
    }
}

/// Hashes that members publish: of 64 bytes, in hex, no two alike.
fn assert_published(hashes: impl Iterator<Item = String>) {
    let hashes: std::collections::BTreeSet<String> = hashes.collect();
    assert_eq!(hashes.len(), 3);
    assert!(hashes.iter().all(|hash| hex::decode(hash).is_ok_and(|bytes| bytes.len() == 64)), "{hashes:?}");
}
