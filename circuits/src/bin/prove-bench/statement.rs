//! True statements to prove, and proofs to verify.

use circuits::{Private, ProveError, Prover, Public};
use rand_core::UnwrapErr;
use unum_identity::field::{ExternalNullifier, SignalHash};
use unum_identity::proof::ProofBytes;
use unum_identity::secret::Identity;
use unum_identity::set::Set;

/// A person in a small set of made-up identities, and a signal.
pub(crate) fn of(signal: u64) -> (Public, Private) {
    let identity = |i: u64| Identity::from_secret(&i.to_be_bytes());
    let mut set = Set::default();
    set.extend((0..100).map(|i| identity(i).commitment())).expect("a hundred fit");
    let private =
        Private { identity: identity(42), path: set.path_at(42, 100).expect("there is a leaf 42 of 100") };
    (private.statement(ExternalNullifier(7.into()), SignalHash(signal.into())), private)
}

/// `count` proofs of a few different statements. A verifier remembers nothing, so that it may meet a proof again.
pub(crate) fn batch(prover: &Prover, count: usize) -> anyhow::Result<Vec<(Public, ProofBytes)>> {
    let prove = |signal| {
        let (public, private) = of(signal);
        Ok((public, prover.prove(&public, &private, &mut UnwrapErr(getrandom::SysRng))?))
    };
    let proofs: Vec<_> = (0..8).map(prove).collect::<Result<_, ProveError>>()?;
    Ok(proofs.iter().cycle().take(count).copied().collect())
}
