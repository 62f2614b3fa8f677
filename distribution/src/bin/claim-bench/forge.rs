//! Claims whose proofs are forged: see [`bench_kit::forge`].

use bench_kit::Forger;
use bench_kit::forge::{element, in_parallel};
use circuits::Public;
use rand_core::CryptoRng;
use unum_identity::action::Period;
use unum_identity::bytes::{AccountId, ProgrammeId};
use unum_identity::claim::{Amount, Claim, ClaimTerms};
use unum_identity::field::{ExternalNullifier, Nullifier, Root};
use unum_identity::time::UnixTime;

use crate::town::LEDGER;

/// Claims of `count` different people, made on all cores.
pub(crate) fn claims(
    forger: &Forger,
    programme: ProgrammeId,
    period: Period,
    root: Root,
    count: usize,
) -> Vec<Claim> {
    in_parallel(count, |_, rng| claim(forger, programme, period, root, rng))
}

fn claim(
    forger: &Forger,
    programme: ProgrammeId,
    period: Period,
    root: Root,
    rng: &mut impl CryptoRng,
) -> Claim {
    let mut recipient = [0; 32];
    rng.fill_bytes(&mut recipient);
    let (recipient, deadline) = (AccountId(recipient), UnixTime(u64::MAX));
    let terms = ClaimTerms { ledger: LEDGER, recipient, fee: Amount::ZERO, deadline };
    let nullifier = Nullifier(element(rng));
    let public = Public {
        root,
        nullifier,
        signal_hash: terms.signal_hash(),
        external_nullifier: ExternalNullifier::of_claim(&programme, period),
    };
    let proof = forger.prove(&public, rng);
    Claim { programme, period, nullifier, terms, proof, relayer: None }
}
