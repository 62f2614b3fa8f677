//! What an audit found, for programs and for people.

mod text;

use std::collections::BTreeSet;

use serde::Serialize;
use unum_identity::action::Period;
use unum_identity::bytes::{EntryHash, KeyHash, NullifierSetHash, ProgrammeId};
use unum_identity::claim::Amount;
use unum_identity::field::Nullifier;
use unum_identity::ledger::{Balance, LedgerProblem};
use unum_identity::programme::PeriodStatement;

/// Something that an audit looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Check {
    /// The terms give the programme's id, and the share that is stated.
    Terms,
    /// The statement is about this period, and signed by a key that the auditor trusts.
    Statement,
    /// The set's own key signed the stated root and size.
    Checkpoint,
    /// The published leaves give the stated root and number of people.
    People,
    /// The verifying key is the stated one, and one that the auditor trusts.
    VerifyingKey,
    /// The entries from the first to the stated head are one chain.
    Chain,
    /// No account but funding sources ever held less than nothing.
    Balances,
    /// Each claim, its entry and its receipt say the same; none is missing, none is added.
    Claims,
    /// Each claim was paid what was promised, within its time.
    Amounts,
    /// Each proof holds.
    Proofs,
    /// The claims' nullifiers are different, and those that are stated.
    Nullifiers,
    /// What was reserved, paid and returned is what is stated, and adds up.
    Sums,
}

/// Something that was not looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotChecked {
    /// What.
    pub check: Check,
    /// Why, and what would help.
    pub reason: String,
}

/// A sum that the statement names, or that follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sum {
    /// Put aside for the period: people × share.
    Reserved,
    /// Paid to people, with fees.
    Paid,
    /// Returned to the pool.
    Expired,
    /// Reserved, and neither paid nor returned: nothing.
    Left,
}

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
#[non_exhaustive]
pub enum AuditProblem {
    /// The terms are not those that the programme's id was made from.
    TermsAltered {
        /// What they give.
        give: ProgrammeId,
    },
    /// The stated share is not what the policy makes of the pool.
    ShareWrong {
        /// By the statement.
        stated: Amount,
        /// By the terms.
        promised: Amount,
    },
    /// The statement is about another programme or period.
    StatementOfAnother {
        /// Its programme.
        programme: ProgrammeId,
        /// Its period.
        period: Period,
    },
    /// No trusted key signed the statement as it stands.
    StatementUnsigned,
    /// The set's key did not sign the checkpoint as it stands.
    CheckpointUnsigned,
    /// The checkpoint has another root or size than the statement.
    CheckpointOfAnother,
    /// The set's key signed two roots for one size.
    SetForked {
        /// The size.
        size: u64,
    },
    /// The leaves under the stated root are other people than stated.
    PeopleWrong {
        /// By the statement.
        stated: u64,
        /// Leaves that are people.
        found: u64,
    },
    /// The auditor's verifying key is not the stated one.
    VerifyingKeyOther {
        /// By the statement.
        stated: KeyHash,
        /// The auditor's.
        trusted: KeyHash,
    },
    /// An entry stands behind one that comes after it, or stands there twice.
    EntryOutOfOrder {
        /// Its place.
        sequence: u64,
    },
    /// The chain does not lead to the stated head: somebody wrote it anew.
    HeadWrong {
        /// The stated place.
        sequence: u64,
        /// By the statement.
        stated: EntryHash,
        /// By the entries.
        found: EntryHash,
    },
    /// An account that is no funding source held less than nothing.
    AccountNegative {
        /// After this entry.
        sequence: u64,
        /// The account's name.
        account: String,
    },
    /// An entry paid a nullifier that an earlier one had paid.
    PaidTwice {
        /// Its place.
        sequence: u64,
        /// The person, for this period.
        nullifier: Nullifier,
    },
    /// An entry paid a claim that is not published.
    ClaimMissing {
        /// The entry's place.
        sequence: u64,
        /// The claim.
        nullifier: Nullifier,
    },
    /// No entry paid this claim.
    ClaimAdded {
        /// The claim.
        nullifier: Nullifier,
    },
    /// A claim is published twice.
    ClaimRepeated {
        /// The claim.
        nullifier: Nullifier,
    },
    /// A claim is about another programme, period or ledger.
    ClaimOfAnother {
        /// The claim.
        nullifier: Nullifier,
    },
    /// The entry does not pay what the claim's terms say.
    ClaimMismatch {
        /// The entry's place.
        sequence: u64,
        /// The claim.
        nullifier: Nullifier,
    },
    /// The receipt does not say what claim and entry say, or no trusted key signed it.
    ReceiptWrong {
        /// The entry's place.
        sequence: u64,
        /// The claim.
        nullifier: Nullifier,
    },
    /// A claim was paid something else than its share.
    AmountWrong {
        /// The entry's place.
        sequence: u64,
        /// The claim.
        nullifier: Nullifier,
        /// Out of the reserve, by the entry.
        paid: Balance,
        /// By the terms.
        due: Amount,
    },
    /// A claim was paid before its period's window, after it, or after its own deadline.
    PaidOutOfTime {
        /// The entry's place.
        sequence: u64,
        /// The claim.
        nullifier: Nullifier,
    },
    /// A proof does not hold.
    ProofInvalid {
        /// The claim.
        nullifier: Nullifier,
    },
    /// The claims are not those that the statement was made over.
    NullifiersWrong {
        /// By the statement.
        stated: NullifierSetHash,
        /// By the claims.
        found: NullifierSetHash,
    },
    /// Other claims were paid than stated.
    CountWrong {
        /// By the statement.
        stated: u64,
        /// By the entries.
        found: u64,
    },
    /// A sum is not the stated one.
    SumWrong {
        /// Which.
        sum: Sum,
        /// By the statement.
        stated: Balance,
        /// By the entries.
        found: Balance,
    },
    /// The ledger itself does not hold.
    #[serde(untagged)]
    Ledger(LedgerProblem),
}

impl AuditProblem {
    /// Which check found it.
    pub fn check(&self) -> Check {
        match self {
            Self::TermsAltered { .. } | Self::ShareWrong { .. } => Check::Terms,
            Self::StatementOfAnother { .. } | Self::StatementUnsigned => Check::Statement,
            Self::CheckpointUnsigned | Self::CheckpointOfAnother | Self::SetForked { .. } => {
                Check::Checkpoint
            }
            Self::PeopleWrong { .. } => Check::People,
            Self::VerifyingKeyOther { .. } => Check::VerifyingKey,
            Self::EntryOutOfOrder { .. } | Self::HeadWrong { .. } | Self::Ledger(_) => Check::Chain,
            Self::AccountNegative { .. } => Check::Balances,
            Self::ClaimMissing { .. }
            | Self::ClaimAdded { .. }
            | Self::ClaimRepeated { .. }
            | Self::ClaimOfAnother { .. }
            | Self::ClaimMismatch { .. }
            | Self::ReceiptWrong { .. } => Check::Claims,
            Self::AmountWrong { .. } | Self::PaidOutOfTime { .. } => Check::Amounts,
            Self::ProofInvalid { .. } => Check::Proofs,
            Self::PaidTwice { .. } | Self::NullifiersWrong { .. } => Check::Nullifiers,
            Self::CountWrong { .. } | Self::SumWrong { .. } => Check::Sums,
        }
    }
}

/// What an audit of one period found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditReport {
    /// The programme.
    pub programme: ProgrammeId,
    /// The period.
    pub period: Period,
    /// What was held against the data. Compare it with what others were told.
    pub statement: PeriodStatement,
    /// Entries that were read, up to the stated place.
    pub entries: u64,
    /// Claims that were read.
    pub claims: u64,
    /// What was looked at, whatever came of it.
    pub checked: Vec<Check>,
    /// What was not.
    pub not_checked: Vec<NotChecked>,
    /// What does not hold. Empty if all that was checked does.
    pub problems: Vec<AuditProblem>,
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Findings {
    checked: BTreeSet<Check>,
    not_checked: Vec<NotChecked>,
    problems: Vec<AuditProblem>,
}

impl Findings {
    /// Somebody is looking at this.
    pub(super) fn checked(&mut self, check: Check) {
        self.checked.insert(check);
    }

    /// Nobody can look at this.
    pub(super) fn not_checked(&mut self, check: Check, reason: &str) {
        self.not_checked.push(NotChecked { check, reason: reason.to_owned() });
    }

    /// This does not hold.
    pub(super) fn problem(&mut self, problem: AuditProblem) {
        self.problems.push(problem);
    }

    /// None of these holds.
    pub(super) fn extend(&mut self, problems: impl IntoIterator<Item = AuditProblem>) {
        self.problems.extend(problems);
    }

    /// All of it.
    pub(super) fn report(
        self,
        (programme, period): (ProgrammeId, Period),
        statement: PeriodStatement,
        entries: u64,
        claims: u64,
    ) -> AuditReport {
        let Self { checked, not_checked, problems } = self;
        let checked = checked.into_iter().collect();
        AuditReport { programme, period, statement, entries, claims, checked, not_checked, problems }
    }
}
