//! Vectors of World ID 3: identities, the tree and its paths, signals, external nullifiers, nullifiers.

use ark_bn254::Fr;
use ark_ff::PrimeField;
use serde::Deserialize;
use unum_identity::field::{Commitment, ExternalNullifier, FieldElement, Nullifier, Root, SignalHash};
use unum_identity::hash::{hash_signal, hash_to_field};
use unum_identity::poseidon::hash2;
use unum_identity::secret::Identity;
use unum_identity::set::Set;

use super::Tally;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(rename = "source")]
    _source: String,
    identities: Vec<IdentityVector>,
    tree_depth_30_zero_leaf_0: Tree,
    signals: Vec<SignalVector>,
    external_nullifiers: Vec<ExternalVector>,
    nullifier_hashes: Vec<NullifierVector>,
    nullifier_hash_not_a_real_secret_app_id_no_action: Nullifier,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentityVector {
    seed_utf8: String,
    trapdoor: FieldElement,
    nullifier: FieldElement,
    secret_hash: Option<FieldElement>,
    commitment_hex: Commitment,
    commitment_dec: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tree {
    empty_root: Root,
    /// Roots of empty subtrees, from the leaf up.
    zeros_hex: Vec<FieldElement>,
    one_leaf_root_of_identity_0: Root,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SignalVector {
    #[serde(rename = "signal_utf8")]
    signal: String,
    signal_hash: SignalHash,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExternalVector {
    app_id: String,
    action: String,
    app_id_hash: FieldElement,
    external_nullifier: ExternalNullifier,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NullifierVector {
    seed: String,
    external_nullifier: ExternalNullifier,
    nullifier_hash: Nullifier,
}

pub(super) fn check(file: &File, tally: &mut Tally) {
    file.identities.iter().for_each(|vector| identity(vector, tally));
    match file.identities.first() {
        Some(first) => tree(&file.tree_depth_30_zero_leaf_0, first.commitment_hex, tally),
        None => tally.check("an identity 0, which the tree needs", false),
    }
    for SignalVector { signal, signal_hash } in &file.signals {
        tally.equal(format_args!("hash of signal {signal:?}"), &hash_signal(signal), signal_hash);
    }
    for ExternalVector { app_id, action, app_id_hash, external_nullifier } in &file.external_nullifiers {
        tally.equal(format_args!("hash of app {app_id}"), &hash_to_field(app_id.as_bytes()), app_id_hash);
        let found = ExternalNullifier::of_app(app_id, action);
        tally.equal(format_args!("external nullifier of {app_id} {action:?}"), &found, external_nullifier);
    }
    for NullifierVector { seed, external_nullifier, nullifier_hash } in &file.nullifier_hashes {
        let found = Identity::from_secret(seed.as_bytes()).nullifier(*external_nullifier);
        tally.equal(format_args!("nullifier of {seed:?}"), &found, nullifier_hash);
    }
    let external = ExternalNullifier::of_app("app_id", "");
    let found = Identity::from_secret(b"not_a_real_secret").nullifier(external);
    tally.equal("nullifier without action", &found, &file.nullifier_hash_not_a_real_secret_app_id_no_action);
}

fn identity(vector: &IdentityVector, tally: &mut Tally) {
    let seed = &vector.seed_utf8;
    let identity = Identity::from_secret(seed.as_bytes());
    tally.equal(format_args!("trapdoor of {seed:?}"), &identity.trapdoor(), &vector.trapdoor);
    tally.equal(format_args!("nullifier key of {seed:?}"), &identity.nullifier_key(), &vector.nullifier);
    tally.equal(format_args!("commitment of {seed:?}"), &identity.commitment(), &vector.commitment_hex);
    if let Some(expected) = &vector.secret_hash {
        let found = hash2(identity.nullifier_key(), identity.trapdoor());
        tally.equal(format_args!("secret hash of {seed:?}"), &found, expected);
    }
    if let Some(expected) = &vector.commitment_dec {
        let found = Fr::from(identity.commitment().0).into_bigint().to_string();
        tally.equal(format_args!("commitment of {seed:?}, decimal"), &found, expected);
    }
}

fn tree(tree: &Tree, leaf: Commitment, tally: &mut Tally) {
    let mut set = Set::default();
    tally.equal("root of the empty set", &set.root(), &tree.empty_root);
    set.extend([leaf]).expect("one leaf fits");
    tally.equal("root of one leaf", &set.root(), &tree.one_leaf_root_of_identity_0);
    let path = set.path_at(0, 1).expect("leaf 0 of 1 exists");
    tally.equal("root that the path leads to", &path.root(leaf), &tree.one_leaf_root_of_identity_0);
    tally.check("no more zeros than levels", tree.zeros_hex.len() <= path.steps().len());
    for (level, (step, zero)) in path.steps().iter().zip(&tree.zeros_hex).enumerate() {
        tally.equal(format_args!("path, level {level}"), &(step.is_right(), step.sibling()), &(false, *zero));
    }
}
