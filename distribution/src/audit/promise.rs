//! What stands before the first entry: what was promised, who signed what was stated, who may claim, which key proves.

use circuits::VerifyingKey;
use unum_identity::action::Period;
use unum_identity::bytes::{ProgrammeId, ServiceKey};
use unum_identity::checkpoint::Checkpoint;
use unum_identity::claim::Amount;
use unum_identity::enrollment::Snapshot;
use unum_identity::field::FieldElement;
use unum_identity::programme::{PeriodStatement, ProgrammeTerms};
use unum_identity::set::Set;
use unum_identity::signed::{Signed, Statement};
use unum_identity::time::UnixTime;

use super::report::{AuditProblem, Check, Findings};
use super::{PublishedPeriod, Trust};

/// What a claim that is paid at a moment gets.
pub(super) fn due(terms: &ProgrammeTerms, stated: &PeriodStatement, at: UnixTime) -> Amount {
    terms.share(stated.period, stated.amount).at(at)
}

/// Whether one of `trusted` signed it; any key will do where nobody is trusted.
pub(super) fn is_signed<T: Statement>(signed: &Signed<T>, trusted: &[ServiceKey]) -> bool {
    let is_trusted = trusted.is_empty() || trusted.contains(&signed.key);
    is_trusted && signed.verify(&signed.key).is_ok()
}

/// Everything but the verifying key.
pub(super) fn check(
    (programme, period): (ProgrammeId, Period),
    published: &PublishedPeriod,
    trust: &Trust,
    findings: &mut Findings,
) {
    let stated = &published.statement.statement;
    terms(programme, &published.terms, stated, findings);
    if (stated.programme, stated.period) != (programme, period) {
        let (programme, period) = (stated.programme, stated.period);
        findings.problem(AuditProblem::StatementOfAnother { programme, period });
    }
    if !is_signed(&published.statement, &trust.keys) {
        findings.problem(AuditProblem::StatementUnsigned);
    }
    if trust.keys.is_empty() {
        findings.not_checked(
            Check::Statement,
            "no key of the service was given to trust: any key could have signed",
        );
    } else {
        findings.checked(Check::Statement);
    }
    let Some((origin, key)) = &trust.set else {
        findings.not_checked(Check::Checkpoint, "no key of the set was given to trust");
        people(stated, published.set.as_ref(), None, findings);
        return;
    };
    findings.checked(Check::Checkpoint);
    match published.checkpoint.verify(origin, key) {
        Ok(Checkpoint { size, root, .. }) if (size, root) == (stated.set.size, stated.set.root) => {}
        Ok(_) => findings.problem(AuditProblem::CheckpointOfAnother),
        Err(_) => findings.problem(AuditProblem::CheckpointUnsigned),
    }
    let shown = published.set.as_ref().and_then(|set| set.checkpoint.verify(origin, key).ok());
    people(stated, published.set.as_ref(), shown.as_ref(), findings);
}

fn terms(programme: ProgrammeId, terms: &ProgrammeTerms, stated: &PeriodStatement, findings: &mut Findings) {
    findings.checked(Check::Terms);
    let give = terms.id(&stated.ledger);
    if give != programme {
        findings.problem(AuditProblem::TermsAltered { give });
    }
}

/// The leaves count only if they give the stated root. If they do not, they may be those of another size, or lack what
/// was erased since, and nothing follows; unless the set's own key has signed this size with another root.
fn people(
    stated: &PeriodStatement,
    set: Option<&Snapshot>,
    shown: Option<&Checkpoint>,
    findings: &mut Findings,
) {
    let Some(set) = set else {
        return findings
            .not_checked(Check::People, "no enrollment server was asked for the leaves of the set");
    };
    let is_other = |shown: &&Checkpoint| shown.size == stated.set.size && shown.root != stated.set.root;
    if let Some(Checkpoint { size, .. }) = shown.filter(is_other) {
        findings.problem(AuditProblem::SetForked { size: *size });
    }
    let mut tree = Set::default();
    let leaves = set.leaves.iter().map(|leaf| leaf.commitment);
    if tree.extend(leaves).is_err() || tree.root() != stated.set.root {
        return findings.not_checked(
            Check::People,
            "the leaves that the enrollment server publishes do not give the stated root: it cannot be counted who is \
             under it",
        );
    }
    findings.checked(Check::People);
    let found = set.leaves.iter().filter(|leaf| leaf.commitment.0 != FieldElement::ZERO).count() as u64;
    if found != stated.set.people {
        findings.problem(AuditProblem::PeopleWrong { stated: stated.set.people, found });
    }
}

/// The key that proofs are checked under, if there is one to check them under.
pub(super) fn verifying_key(
    stated: &PeriodStatement,
    published: &PublishedPeriod,
    trust: &Trust,
    findings: &mut Findings,
) -> Option<VerifyingKey> {
    let is_stated = |key: &&VerifyingKey| key.hash() == stated.verifying_key;
    if let Some(trusted) = &trust.verifying_key {
        findings.checked(Check::VerifyingKey);
        if !is_stated(&trusted) {
            let (stated, trusted) = (stated.verifying_key, trusted.hash());
            findings.problem(AuditProblem::VerifyingKeyOther { stated, trusted });
        }
    } else {
        findings.not_checked(
            Check::VerifyingKey,
            "no verifying key was given to trust: whoever made the service's may be able to forge proofs",
        );
    }
    let known = [&trust.verifying_key, &published.verifying_key];
    let key = known.into_iter().flatten().find(is_stated);
    match key {
        Some(_) => findings.checked(Check::Proofs),
        None => {
            findings.not_checked(Check::Proofs, "the verifying key that the statement names is not at hand");
        }
    }
    key.cloned()
}
