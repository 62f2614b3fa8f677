//! The report for people.

use std::fmt;

use super::{AuditProblem, AuditReport, Check, Sum};
use unum_identity::ledger::LedgerProblem;

/// Problems of one check that are written out. All of them are in the data.
const SHOWN: usize = 20;

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Terms => "the terms give the programme's id and the stated share",
            Self::Statement => "the statement is about this period, and signed by a trusted key",
            Self::Checkpoint => "the set's key signed the stated root and size",
            Self::People => "the set's leaves give the stated root and number of people",
            Self::VerifyingKey => "the verifying key is the stated one, and a trusted one",
            Self::Chain => "the entries from the first to the stated head are one chain",
            Self::Balances => "no account but funding sources ever held less than nothing",
            Self::Claims => "each claim, its entry and its receipt agree; none is missing or added",
            Self::Amounts => "each claim was paid what was promised, within its time",
            Self::Proofs => "each claim's proof holds under the stated root and key",
            Self::Nullifiers => "the nullifiers are different, and the stated ones",
            Self::Sums => "what was reserved, paid and returned is what is stated, and adds up",
        })
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reserved => "reserved",
            Self::Paid => "paid",
            Self::Expired => "returned to the pool",
            Self::Left => "neither paid nor returned",
        })
    }
}

impl fmt::Display for AuditProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TermsAltered { give } => write!(f, "the terms are those of programme {give}"),
            Self::ShareWrong { stated, promised } => {
                write!(f, "the stated share is {stated}, the promised one {promised}")
            }
            Self::StatementOfAnother { programme, period } => {
                write!(f, "the statement is about period {period} of programme {programme}")
            }
            Self::StatementUnsigned => f.write_str("no trusted key signed the statement as it stands"),
            Self::CheckpointUnsigned => f.write_str("the set's key did not sign the checkpoint as it stands"),
            Self::CheckpointOfAnother => {
                f.write_str("the checkpoint has another root or size than the statement")
            }
            Self::SetForked { size } => write!(f, "the set's key signed two roots for size {size}"),
            Self::PeopleWrong { stated, found } => {
                write!(f, "{stated} people are stated, {found} are under the root")
            }
            Self::VerifyingKeyOther { stated, trusted } => {
                write!(f, "the stated verifying key is {stated}, the trusted one {trusted}")
            }
            Self::PaidTwice { sequence, nullifier } => {
                write!(f, "entry {sequence} pays {nullifier} a second time")
            }
            Self::ProofInvalid { nullifier } => write!(f, "the proof of claim {nullifier} does not hold"),
            Self::NullifiersWrong { stated, found } => {
                write!(f, "the hash of the nullifiers is stated as {stated}, theirs is {found}")
            }
            Self::CountWrong { stated, found } => write!(f, "{stated} claims are stated, {found} were paid"),
            Self::SumWrong { sum, stated, found } => write!(f, "{sum}: {found}, stated is {stated}"),
            Self::Ledger(problem) => ledger_problem(problem, f),
            other => entry_or_claim(other, f),
        }
    }
}

fn entry_or_claim(problem: &AuditProblem, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match problem {
        AuditProblem::EntryOutOfOrder { sequence } => {
            write!(f, "entry {sequence} stands behind one that comes after it, or twice")
        }
        AuditProblem::HeadWrong { sequence, stated, found } => {
            write!(
                f,
                "the chain leads to {found} at entry {sequence}, stated is {stated}: somebody wrote it anew"
            )
        }
        AuditProblem::AccountNegative { sequence, account } => {
            write!(f, "after entry {sequence} the account {account} holds less than nothing")
        }
        AuditProblem::ClaimMissing { sequence, nullifier } => {
            write!(f, "claim {nullifier}, paid by entry {sequence}, is not published")
        }
        AuditProblem::ClaimAdded { nullifier } => write!(f, "no entry paid claim {nullifier}"),
        AuditProblem::ClaimRepeated { nullifier } => write!(f, "claim {nullifier} is published twice"),
        AuditProblem::ClaimOfAnother { nullifier } => {
            write!(f, "claim {nullifier} is about another programme, period or ledger")
        }
        AuditProblem::ClaimMismatch { sequence, nullifier } => {
            write!(f, "entry {sequence} does not pay what the terms of claim {nullifier} say")
        }
        AuditProblem::ReceiptWrong { sequence, nullifier } => {
            write!(
                f,
                "the receipt of claim {nullifier} is not signed by a trusted key, or not about entry {sequence}"
            )
        }
        AuditProblem::AmountWrong { sequence, nullifier, paid, due } => {
            write!(f, "entry {sequence} paid {paid} for claim {nullifier}, due was {due}")
        }
        AuditProblem::PaidOutOfTime { sequence, nullifier } => {
            write!(f, "entry {sequence} paid claim {nullifier} before its time or after it")
        }
        other => write!(f, "{other:?}"),
    }
}

fn ledger_problem(problem: &LedgerProblem, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match problem {
        LedgerProblem::EntryMissing { sequence } => write!(f, "entry {sequence} is missing"),
        LedgerProblem::EntryAltered { sequence } => write!(f, "entry {sequence} is not what was hashed"),
        LedgerProblem::ChainBroken { sequence } => {
            write!(f, "entry {sequence} does not continue the one before it")
        }
        LedgerProblem::EntryUnbalanced { sequence, sum } => {
            write!(f, "entry {sequence} does not balance: its lines sum to {sum}")
        }
        other => write!(f, "{other:?}"),
    }
}

impl fmt::Display for AuditReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stated = &self.statement;
        writeln!(f, "period {} of programme {}", self.period, self.programme)?;
        writeln!(f, "  people   {} under {}", stated.set.people, stated.set.root)?;
        writeln!(f, "  share    {}", stated.amount)?;
        writeln!(f, "  claims   {} stated, {} read", stated.claims, self.claims)?;
        writeln!(f, "  paid     {}, expired {}", stated.paid, stated.expired)?;
        writeln!(f, "  ledger   {} entries to {}", self.entries, stated.chain_head)?;
        for check in &self.checked {
            self.check(*check, f)?;
        }
        for skipped in &self.not_checked {
            writeln!(f, "– not checked: {}\n    {}", skipped.check, skipped.reason)?;
            self.problems_of(skipped.check, f)?; // found on the way
        }
        match self.problems.len() {
            0 if self.not_checked.is_empty() => f.write_str("everything holds"),
            0 => write!(f, "what was checked holds; {} not checked", self.not_checked.len()),
            1 => f.write_str("1 problem"),
            more => write!(f, "{more} problems"),
        }
    }
}

impl AuditReport {
    fn check(&self, check: Check, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let holds = !self.problems.iter().any(|problem| problem.check() == check);
        writeln!(f, "{} {check}", if holds { "✓" } else { "✗" })?;
        self.problems_of(check, f)
    }

    fn problems_of(&self, check: Check, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut problems = self.problems.iter().filter(|problem| problem.check() == check);
        for problem in problems.by_ref().take(SHOWN) {
            writeln!(f, "    {problem}")?;
        }
        match problems.count() {
            0 => Ok(()),
            more => writeln!(f, "    and {more} more: see --json"),
        }
    }
}
