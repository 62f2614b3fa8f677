//! Audits a sealed period from what was published about it, and believes nothing that it can compute.
//!
//! ```text
//! promise   terms ─► programme id · statement and its signature · checkpoint, set and people · verifying key
//! chain     every entry from 1 to the place that the statement names: hashes, balances, the period's sums
//! claims    each claim ↔ its entry ↔ its receipt, amount, window, proof; all nullifiers together
//! report    what was checked, what was not and why, what does not hold
//! ```
//!
//! Fed in this order, a page at a time: [`PeriodAudit::new`], every [`PeriodAudit::entry`], then [`PeriodAudit::claims`].
//! Of entries it keeps a hundred bytes for each claim of the period, of claims the nullifier.
//!
//! Does no I/O; [`crate::archive`] reads for it. What no audit of published data can see is in `docs/audit.md`: it holds the
//! service to one story, and only who compares statements with others knows that everyone was told the same one.

mod chain;
mod claims;
mod promise;
mod report;

use std::fmt;

use circuits::{Verifier, VerifyingKey};
use rand_core::CryptoRng;
use unum_identity::action::Period;
use unum_identity::bytes::{ProgrammeId, ServiceKey};
use unum_identity::checkpoint::SignedCheckpoint;
use unum_identity::enrollment::Snapshot;
use unum_identity::programme::{PeriodStatement, ProgrammeTerms};
use unum_identity::published::{PublishedClaim, PublishedEntry};
use unum_identity::signed::Signed;

use chain::Chain;
use claims::{Claims, Rules};
use report::Findings;
pub use report::{AuditProblem, AuditReport, Check, NotChecked, Sum};

/// What is published about a period, beside entries and claims.
#[derive(Clone)]
pub struct PublishedPeriod {
    /// What the programme promises.
    pub terms: ProgrammeTerms,
    /// How the period went.
    pub statement: Signed<PeriodStatement>,
    /// The set's, as it was read when its people were frozen.
    pub checkpoint: SignedCheckpoint,
    /// The service's key; none if it could not be had.
    pub verifying_key: Option<VerifyingKey>,
    /// The set at the statement's size, as the enrollment server publishes it; none if nobody asked for it.
    pub set: Option<Snapshot>,
}

/// Whom the auditor believes. All of it comes from somewhere else than the service that is audited.
#[derive(Clone, Default)]
pub struct Trust {
    /// The service's keys, the present one and those before it. None: a key that the data names signs for itself.
    pub keys: Vec<ServiceKey>,
    /// Name of the set in its checkpoints, and the key that signs them.
    pub set: Option<(String, ServiceKey)>,
    /// The key that claims are proved under.
    pub verifying_key: Option<VerifyingKey>,
}

/// An audit under way.
pub struct PeriodAudit {
    rules: Rules,
    chain: Chain,
    claims: Claims,
    findings: Findings,
}

impl PeriodAudit {
    /// Checks what needs neither entries nor claims.
    pub fn new(programme: ProgrammeId, period: Period, published: PublishedPeriod, trust: Trust) -> Self {
        let mut findings = Findings::default();
        promise::check((programme, period), &published, &trust, &mut findings);
        let stated = &published.statement.statement;
        let key = promise::verifying_key(stated, &published, &trust, &mut findings);
        let chain = Chain::new(stated.ledger, (programme, period), stated.ledger_sequence);
        let rules = Rules {
            place: (programme, period),
            terms: published.terms,
            stated: published.statement.statement,
            keys: trust.keys,
            verifier: key.as_ref().map(Verifier::new),
        };
        Self { rules, chain, claims: Claims::default(), findings }
    }

    /// The next entry, in the order of publication. Those behind the place that the statement names are passed over.
    pub fn entry(&mut self, entry: &PublishedEntry) {
        self.chain.entry(entry, &mut self.findings);
    }

    /// Some claims, in any order, after the last entry. Their proofs are checked together, on all cores; give it thousands.
    pub fn claims(&mut self, claims: &[PublishedClaim], rng: &mut dyn CryptoRng) {
        let problems = self.rules.check(claims, self.chain.paid(), rng);
        self.findings.extend(problems);
        self.claims.take(claims, self.chain.paid_mut(), &mut self.findings);
    }

    /// What was found.
    pub fn finish(mut self) -> AuditReport {
        let stated = self.rules.stated;
        self.claims.finish(self.chain.paid(), &stated, &mut self.findings);
        let (entries, claims) = (self.chain.entries(), self.claims.count());
        self.chain.finish(&self.rules.terms, &stated, &mut self.findings);
        self.findings.report(self.rules.place, stated, entries, claims)
    }
}

impl fmt::Debug for PublishedPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublishedPeriod({:?})", self.statement.statement)
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { keys, set, verifying_key } = self;
        write!(f, "Trust({keys:?}, {set:?}, {:?})", verifying_key.as_ref().map(VerifyingKey::hash))
    }
}

impl fmt::Debug for PeriodAudit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeriodAudit({:?})", self.rules.place)
    }
}

#[cfg(test)]
mod tests;
