//! Proofs: "I am one of these people, and this is my nullifier for that", for an app's action and for a period's
//! share. Needs a proof of inclusion and nothing else, so it works early and offline.

use circuits::{Private, Prover, Public};
use rand_core::CryptoRng;
use unum_identity::action::{Act, Period};
use unum_identity::bytes::ProgrammeId;
use unum_identity::claim::{Claim, ClaimTerms};
use unum_identity::enrollment::InclusionProof;
use unum_identity::field::{ExternalNullifier, Nullifier, SignalHash};
use unum_identity::humanness::VerifyRequest;
use unum_identity::proof::ProofBytes;
use unum_identity::secret::Identity;

/// Why there is no proof.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The proof of inclusion is somebody else's. Fetch one for this wallet.
    #[error("the proof of inclusion is for another commitment than this wallet's")]
    NotOurs,
    /// The path in the proof of inclusion does not lead to its root: damaged, or the server lies. Fetch it again.
    #[error("the path does not lead from the commitment to the root")]
    Broken,
    /// The prover refuses.
    #[error(transparent)]
    Prover(#[from] circuits::ProveError),
}

/// Proves to an app that its user is a human, who does `act`. `signal_hash` is what the human says
/// with it ([`unum_identity::hash::hash_signal`]).
///
/// # Errors
///
/// A [`ProveError`].
pub fn prove_app(
    prover: &Prover,
    identity: &Identity,
    inclusion: &InclusionProof,
    act: Act,
    signal_hash: SignalHash,
    rng: &mut impl CryptoRng,
) -> Result<VerifyRequest, ProveError> {
    let (nullifier, proof) = prove(prover, identity, inclusion, act.scope(), signal_hash, rng)?;
    let Act { app_id, action, day } = act;
    Ok(VerifyRequest { app_id, action, day, signal_hash, root: inclusion.root, nullifier, proof })
}

/// Claims this person's share of a period, on these terms. `inclusion` must be under the period's own root.
///
/// # Errors
///
/// A [`ProveError`].
pub fn prove_claim(
    prover: &Prover,
    identity: &Identity,
    inclusion: &InclusionProof,
    programme: ProgrammeId,
    period: Period,
    terms: ClaimTerms,
    rng: &mut impl CryptoRng,
) -> Result<Claim, ProveError> {
    let external = ExternalNullifier::of_claim(&programme, period);
    let (nullifier, proof) = prove(prover, identity, inclusion, external, terms.signal_hash(), rng)?;
    Ok(Claim { programme, period, nullifier, terms, proof, relayer: None })
}

fn prove(
    prover: &Prover,
    identity: &Identity,
    inclusion: &InclusionProof,
    external_nullifier: ExternalNullifier,
    signal_hash: SignalHash,
    rng: &mut impl CryptoRng,
) -> Result<(Nullifier, ProofBytes), ProveError> {
    if inclusion.commitment != identity.commitment() {
        return Err(ProveError::NotOurs);
    }
    if !inclusion.holds() {
        return Err(ProveError::Broken);
    }
    let nullifier = identity.nullifier(external_nullifier);
    let public = Public { root: inclusion.root, nullifier, signal_hash, external_nullifier };
    let private = Private { identity: identity.clone(), path: inclusion.path.clone() };
    Ok((nullifier, prover.prove(&public, &private, rng)?))
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use circuits::{InvalidProof, ProvingKey, Verifier};
    use rand_core::UnwrapErr;
    use unum_identity::bytes::{AccountId, LedgerId};
    use unum_identity::claim::Amount;
    use unum_identity::field::{Commitment, Root};
    use unum_identity::hash::hash_signal;
    use unum_identity::set::{MerklePath, Set, Step};
    use unum_identity::time::UnixTime;

    use super::*;
    use crate::Wallet;

    static PAIR: LazyLock<(Prover, Verifier)> = LazyLock::new(|| {
        let key = ProvingKey::generate(&mut rng());
        let verifier = Verifier::new(&key.verifying_key());
        (Prover::new(key), verifier)
    });

    fn rng() -> UnwrapErr<getrandom::SysRng> {
        UnwrapErr(getrandom::SysRng)
    }

    /// A wallet, in a set with two others.
    fn enrolled() -> (Wallet, InclusionProof) {
        let wallet = Wallet::generate(&mut rng());
        let mut set = Set::default();
        set.extend([Commitment(1.into()), wallet.commitment(), Commitment(2.into())]).unwrap();
        let (size, leaf_index) = (set.len(), 1);
        let path = set.path_at(leaf_index, size).unwrap();
        let inclusion =
            InclusionProof { commitment: wallet.commitment(), leaf_index, size, root: set.root(), path };
        (wallet, inclusion)
    }

    /// What the distribution does with a claim.
    fn verify_claim(claim: &Claim, root: Root) -> Result<(), InvalidProof> {
        let public = Public {
            root,
            nullifier: claim.nullifier,
            signal_hash: claim.terms.signal_hash(),
            external_nullifier: ExternalNullifier::of_claim(&claim.programme, claim.period),
        };
        PAIR.1.verify(&public, &claim.proof)
    }

    fn act(action: &str, day: Option<&str>) -> Act {
        Act { app_id: "app".into(), action: action.into(), day: day.map(|day| day.parse().unwrap()) }
    }

    fn verify_app(request: &VerifyRequest) -> Result<(), InvalidProof> {
        let public = Public {
            root: request.root,
            nullifier: request.nullifier,
            signal_hash: request.signal_hash,
            external_nullifier: request.scope(),
        };
        PAIR.1.verify(&public, &request.proof)
    }

    #[test]
    fn a_claim_holds_as_made_and_in_no_other_way() {
        let (wallet, inclusion) = enrolled();
        let terms = ClaimTerms {
            ledger: LedgerId([1; 16]),
            recipient: wallet.account(),
            fee: Amount::new(3).unwrap(),
            deadline: UnixTime(1_800_000_000),
        };
        let (programme, period) = (ProgrammeId([2; 16]), Period(7));
        let claim =
            prove_claim(&PAIR.0, &wallet.identity(), &inclusion, programme, period, terms, &mut rng())
                .unwrap();
        assert_eq!(verify_claim(&claim, inclusion.root), Ok(()));

        let changes: [fn(&mut Claim); 8] = [
            |c| c.programme.0[15] ^= 1,
            |c| c.period.0 += 1,
            |c| c.nullifier = Nullifier(5.into()),
            |c| c.terms.ledger.0[0] ^= 1,
            |c| c.terms.recipient = AccountId([9; 32]),
            |c| c.terms.fee = Amount::ZERO,
            |c| c.terms.deadline.0 += 1,
            |c| c.proof.0[255] ^= 1,
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut changed = claim.clone();
            change(&mut changed);
            assert_eq!(verify_claim(&changed, inclusion.root), Err(InvalidProof), "change {number}");
        }
        assert_eq!(verify_claim(&claim, Root(5.into())), Err(InvalidProof));
    }

    #[test]
    fn a_proof_for_an_app_holds_as_made_and_in_no_other_way() {
        let (wallet, inclusion) = enrolled();
        let identity = wallet.identity();
        let signal = hash_signal("yes");
        let request =
            prove_app(&PAIR.0, &identity, &inclusion, act("vote", None), signal, &mut rng()).unwrap();
        assert_eq!(verify_app(&request), Ok(()));

        let changes: [fn(&mut VerifyRequest); 7] = [
            |r| r.app_id.push('x'),
            |r| r.action.clear(),
            |r| r.day = Some("2026-11-23".parse().unwrap()),
            |r| r.signal_hash = hash_signal("no"),
            |r| r.root = Root(5.into()),
            |r| r.nullifier = Nullifier(5.into()),
            |r| r.proof.0[0] ^= 1,
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut changed = request.clone();
            change(&mut changed);
            assert_eq!(verify_app(&changed), Err(InvalidProof), "change {number}");
        }
    }

    #[test]
    fn a_nullifier_stays_with_its_action() {
        let (wallet, inclusion) = enrolled();
        let prove = |act: Act, signal: &str| {
            let (identity, signal) = (wallet.identity(), hash_signal(signal));
            prove_app(&PAIR.0, &identity, &inclusion, act, signal, &mut rng()).unwrap().nullifier
        };
        let vote = prove(act("vote", None), "yes");
        assert_eq!(vote, prove(act("vote", None), "no"), "a second try is seen");
        assert_ne!(vote, prove(act("post", None), "yes"), "two actions cannot be linked");
        let monday = prove(act("vote", Some("2026-11-23")), "yes");
        assert_ne!(vote, monday, "what is counted by the day is counted apart");
        assert_ne!(monday, prove(act("vote", Some("2026-11-24")), "yes"), "nor can two days");
    }

    #[test]
    fn a_false_proof_of_inclusion_is_refused() {
        let ((wallet, inclusion), (_, other)) = (enrolled(), enrolled());
        let prove = |inclusion: &InclusionProof| {
            let signal = hash_signal("");
            prove_app(&PAIR.0, &wallet.identity(), inclusion, act("", None), signal, &mut rng()).unwrap_err()
        };
        assert_eq!(prove(&other), ProveError::NotOurs);
        assert_eq!(prove(&InclusionProof { root: other.root, ..inclusion.clone() }), ProveError::Broken);
        assert_eq!(prove(&InclusionProof { leaf_index: 0, ..inclusion.clone() }), ProveError::Broken);
        let mut steps = Vec::from(inclusion.path.clone());
        steps[29] = Step::Left(9.into());
        let path = MerklePath::try_from(steps).unwrap();
        assert_eq!(prove(&InclusionProof { path, ..inclusion }), ProveError::Broken);
    }
}
