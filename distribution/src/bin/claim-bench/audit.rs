//! The audit of a period that is forged as a whole: entries, claims with proofs, receipts, statement. As a folder on disk, which is
//! audited in the way of `unum audit period --from`; no Postgres and no HTTP.

use std::path::Path;
use std::time::Instant;

use bench_kit::Forger;
use circuits::{Public, Verifier, VerifyingKey};
use distribution::archive::{Archive, Writer};
use distribution::audit::{PublishedPeriod, Trust};
use distribution::ledger::entry::{Draft, Head};
use ed25519_dalek::SigningKey;
use rand_core::UnwrapErr;
use serde::Serialize;
use unum_identity::action::Period;
use unum_identity::bytes::ProgrammeId;
use unum_identity::checkpoint::Checkpoint;
use unum_identity::claim::{Amount, Claim, ClaimReceipt};
use unum_identity::field::{ExternalNullifier, Root};
use unum_identity::programme::{EligibleSet, PeriodStatement, ProgrammeTerms};
use unum_identity::proof::ProofBytes;
use unum_identity::published::{PublishedClaim, PublishedEntry, nullifier_set_hash};
use unum_identity::signed::{Signed, service_key};

use crate::forge;
use crate::town::{LEDGER, NOW, ORIGIN, SHARE, terms};

const PERIOD: Period = Period(0);
/// Proofs that are checked one by one, to compare with: some seconds.
const ONE_BY_ONE: usize = 2000;

/// What was measured.
#[derive(Serialize)]
pub(crate) struct Audited {
    /// Reading, following the ledger, checking everything.
    pub audit_s: f64,
    pub claims: usize,
    pub claims_per_s: f64,
    /// Nothing but proofs, one after the other, on one core.
    pub proofs_per_s_one_by_one: f64,
    /// Audited claims to those proofs, on as many cores.
    pub ratio_to_one_by_one: f64,
    pub cores: usize,
    pub proofs_forged: bool,
    /// Bytes on disk.
    pub archive_bytes: u64,
}

/// A service's books of one period.
struct Books {
    writer: Writer,
    head: Head,
    signing: SigningKey,
}

impl Books {
    fn post(&mut self, draft: Draft) -> anyhow::Result<()> {
        let entry = draft.place(LEDGER, self.head, NOW);
        self.head = entry.head();
        Ok(self.writer.entries(&[PublishedEntry::from(&entry)])?)
    }

    fn pay(&mut self, programme: ProgrammeId, share: Amount, claim: &Claim) -> anyhow::Result<()> {
        let (nullifier, recipient) = (claim.nullifier, claim.terms.recipient);
        let draft = Draft::claim((programme, PERIOD), nullifier, recipient, share, Amount::ZERO, None);
        self.post(draft.expect("no fee is above the share"))?;
        let receipt = ClaimReceipt {
            programme,
            period: PERIOD,
            nullifier,
            recipient,
            amount: share,
            ledger_sequence: self.head.sequence,
            entry_hash: self.head.hash,
            paid_at: NOW,
        };
        let receipt = Signed::new(receipt, &self.signing);
        Ok(self.writer.claims(&[PublishedClaim { claim: claim.clone(), receipt }])?)
    }
}

/// Forges a period of so many claims, and audits it.
pub(crate) fn measure(count: usize) -> anyhow::Result<Audited> {
    let rng = &mut UnwrapErr(getrandom::SysRng);
    let forger = Forger::new(rng);
    let key = forger.verifying_key();
    let folder = tempfile::tempdir()?;
    let terms = terms()?;
    let programme = terms.id(&LEDGER);
    let root = Root(1.into());
    eprintln!("forging {count} claims");
    let claims = forge::claims(&forger, programme, PERIOD, root, count);
    let one_by_one = one_by_one(&Verifier::new(&key), root, &claims[..count.min(ONE_BY_ONE)])?;
    let (archive, trust) = publish(folder.path(), &terms, root, key, &claims)?;
    drop(claims);

    eprintln!("auditing");
    let started = Instant::now();
    let report = archive.audit((programme, PERIOD), trust, rng, &mut |_, _, _| {})?;
    let audit_s = started.elapsed().as_secs_f64();
    anyhow::ensure!(report.problems.is_empty(), "the audit found what is not there:\n{report}");
    anyhow::ensure!(report.claims == count as u64, "{} claims were read", report.claims);
    let files = std::fs::read_dir(folder.path())?.map(|file| Ok(file?.metadata()?.len()));
    let cores = std::thread::available_parallelism()?.get();
    let claims_per_s = count as f64 / audit_s;
    Ok(Audited {
        audit_s,
        claims: count,
        claims_per_s,
        proofs_per_s_one_by_one: one_by_one,
        ratio_to_one_by_one: claims_per_s / (one_by_one * cores as f64),
        cores,
        proofs_forged: true,
        archive_bytes: files.sum::<std::io::Result<u64>>()?,
    })
}

/// One of the claims' people stays away, so that something is returned.
fn publish(
    folder: &Path,
    terms: &ProgrammeTerms,
    root: Root,
    key: VerifyingKey,
    claims: &[Claim],
) -> anyhow::Result<(Archive, Trust)> {
    let (programme, share) = (terms.id(&LEDGER), Amount::new(SHARE)?);
    let people = claims.len() as u64 + 1;
    let total = |people: u64| share.checked_mul(people).expect("a bench's money fits");
    let signing = SigningKey::from_bytes(&[7; 32]);
    let mut books = Books { writer: Writer::create(folder)?, head: Head::GENESIS, signing };
    books.post(Draft::deposit(programme, "bench".parse()?, "all".parse()?, total(people)))?;
    books.post(Draft::reserve(programme, PERIOD, total(people)))?;
    claims.iter().try_for_each(|claim| books.pay(programme, share, claim))?;
    books.post(Draft::return_rest(programme, PERIOD, share).expect("more than nothing"))?;
    let set = EligibleSet { root, size: people, people };
    let statement = PeriodStatement {
        programme,
        period: PERIOD,
        ledger: LEDGER,
        set,
        amount: share,
        claims: claims.len() as u64,
        paid: total(claims.len() as u64),
        expired: share,
        nullifiers: nullifier_set_hash(claims.iter().map(|claim| claim.nullifier)),
        ledger_sequence: books.head.sequence,
        chain_head: books.head.hash,
        verifying_key: key.hash(),
        sealed_at: NOW,
    };
    let keys = vec![service_key(&books.signing)];
    let set = Some((ORIGIN.to_owned(), keys[0]));
    let published = PublishedPeriod {
        terms: terms.clone(),
        statement: Signed::new(statement, &books.signing),
        checkpoint: Checkpoint { origin: ORIGIN.into(), size: people, root }.sign(&books.signing),
        verifying_key: None,
        set: None,
    };
    let archive = books.writer.finish(&published)?;
    Ok((archive, Trust { keys, set, verifying_key: Some(key) }))
}

/// Proofs a second.
fn one_by_one(verifier: &Verifier, root: Root, claims: &[Claim]) -> anyhow::Result<f64> {
    let statement = |claim: &Claim| -> (Public, ProofBytes) {
        let public = Public {
            root,
            nullifier: claim.nullifier,
            signal_hash: claim.terms.signal_hash(),
            external_nullifier: ExternalNullifier::of_claim(&claim.programme, PERIOD),
        };
        (public, claim.proof)
    };
    let proofs: Vec<_> = claims.iter().map(statement).collect();
    let started = Instant::now();
    for (public, proof) in &proofs {
        verifier.verify(public, proof)?;
    }
    Ok(proofs.len() as f64 / started.elapsed().as_secs_f64())
}
