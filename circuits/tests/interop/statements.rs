//! True statements, one key, and proofs made with it: what the other modules try out.

use std::sync::LazyLock;

use circuits::{Private, Prover, ProvingKey, Public, VerifyingKey};
use rand_core::UnwrapErr;
use unum_identity::field::ExternalNullifier;
use unum_identity::hash::{hash_signal, hash_to_field};
use unum_identity::proof::ProofBytes;
use unum_identity::secret::Identity;
use unum_identity::set::Set;

/// A proof takes a third of a second without optimisation of everything.
const PROOFS: u64 = 4;

pub(crate) static KEY: LazyLock<ProvingKey> =
    LazyLock::new(|| ProvingKey::generate(&mut UnwrapErr(getrandom::SysRng)));
pub(crate) static VERIFYING: LazyLock<VerifyingKey> = LazyLock::new(|| KEY.verifying_key());

/// Proofs of different people of one set, for different signals and external nullifiers.
pub(crate) static PROVED: LazyLock<Vec<(Public, ProofBytes)>> = LazyLock::new(|| {
    let prover = Prover::new(KEY.clone());
    let prove = |person| {
        let (public, private) = statement(person, PROOFS);
        (public, prover.prove(&public, &private, &mut UnwrapErr(getrandom::SysRng)).unwrap())
    };
    (0..PROOFS).map(prove).collect()
});

pub(crate) fn identity(person: u64) -> Identity {
    Identity::from_secret(&person.to_be_bytes())
}

/// A true statement about somebody in a set of `people`.
pub(crate) fn statement(person: u64, people: u64) -> (Public, Private) {
    let mut set = Set::default();
    set.extend((0..people).map(|i| identity(i).commitment())).unwrap();
    let private = Private { identity: identity(person), path: set.path_at(person, people).unwrap() };
    let external_nullifier = ExternalNullifier(hash_to_field(&person.to_be_bytes()));
    (private.statement(external_nullifier, hash_signal(&format!("signal {person}"))), private)
}
