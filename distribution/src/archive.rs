//! What was published about a period, in a folder: fetched once, audited as often as anyone likes, also without a network.
//!
//! ```text
//! terms.json        what the programme promises
//! checkpoint.txt    the set's, as it was read when its people were frozen
//! verifying.key     that claims were proved under, as the service has it
//! set.json          the set's leaves, if an enrollment server was asked
//! entries.jsonl     the ledger from its first entry to the place that the statement names, a line each
//! claims.jsonl      the period's claims, a line each
//! statement.json    how the period went; written last, so that a folder that was not filled is none
//! ```
//!
//! Reads, writes and asks; what it all means is for [`crate::audit`] to say.

mod fetch;

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use circuits::VerifyingKey;
use rand_core::CryptoRng;
use serde::Serialize;
use serde::de::DeserializeOwned;
use unum_identity::action::Period;
use unum_identity::bytes::ProgrammeId;
use unum_identity::checkpoint::SignedCheckpoint;
use unum_identity::published::{PublishedClaim, PublishedEntry};

use crate::audit::{AuditReport, PeriodAudit, PublishedPeriod, Trust};
use crate::client::ClientError;
pub use fetch::{Source, fetch};

const TERMS: &str = "terms.json";
const CHECKPOINT: &str = "checkpoint.txt";
const VERIFYING_KEY: &str = "verifying.key";
const SET: &str = "set.json";
const ENTRIES: &str = "entries.jsonl";
const CLAIMS: &str = "claims.jsonl";
const STATEMENT: &str = "statement.json";

/// Claims that are checked at once: 64 batches of proofs, and ten megabytes.
const CLAIMS_AT_ONCE: usize = 8192;
/// Entries after which to say how far the audit is.
const STEP: u64 = 1000;

/// Why there is nothing to audit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// A file or folder cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file, or a line of it, is not what it should be.
    #[error("{}, line {line}: {reason}", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A service refuses, or cannot be reached.
    #[error(transparent)]
    Service(#[from] ClientError),
    /// A service sends the same page again and again.
    #[error("{0}: the next page does not go on after the last one")]
    Stuck(String),
}

type Outcome<T> = Result<T, ArchiveError>;

/// How far something is: what is being done, how much of how much.
pub type Progress<'a> = &'a mut dyn FnMut(&'static str, u64, u64);

/// A folder that is filled.
#[derive(Clone, Debug)]
pub struct Archive {
    folder: PathBuf,
}

impl Archive {
    /// The archive in this folder.
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// All but entries and claims.
    ///
    /// # Errors
    ///
    /// [`ArchiveError::Io`] or [`ArchiveError::Malformed`].
    pub fn period(&self) -> Outcome<PublishedPeriod> {
        let checkpoint = self.path(CHECKPOINT);
        let checkpoint = fs::read_to_string(&checkpoint).map_err(io(&checkpoint))?;
        Ok(PublishedPeriod {
            terms: self.json(TERMS)?,
            statement: self.json(STATEMENT)?,
            checkpoint: SignedCheckpoint(checkpoint),
            verifying_key: self.if_there(VERIFYING_KEY, |path| {
                let bytes = fs::read(path).map_err(io(path))?;
                VerifyingKey::from_bytes(&bytes).map_err(|error| malformed(path, 1, &error))
            })?,
            set: self.if_there(SET, |_| self.json(SET))?,
        })
    }

    /// Audits what is in the folder. Says how far it is through `progress`.
    ///
    /// # Errors
    ///
    /// [`ArchiveError::Io`] or [`ArchiveError::Malformed`]: what cannot be read is not audited, in part or at all.
    pub fn audit(
        &self,
        (programme, period): (ProgrammeId, Period),
        trust: Trust,
        rng: &mut dyn CryptoRng,
        progress: Progress<'_>,
    ) -> Outcome<AuditReport> {
        let published = self.period()?;
        let stated = &published.statement.statement;
        let (end, claims) = (stated.ledger_sequence, stated.claims);
        let mut audit = PeriodAudit::new(programme, period, published, trust);
        let mut done = 0;
        for entry in self.lines::<PublishedEntry>(ENTRIES)? {
            audit.entry(&entry?);
            done += 1;
            if done % STEP == 0 {
                progress("following the ledger", done, end);
            }
        }
        let mut together: Vec<PublishedClaim> = Vec::new();
        done = 0;
        for claim in self.lines(CLAIMS)? {
            together.push(claim?);
            if together.len() == CLAIMS_AT_ONCE {
                audit.claims(&together, rng);
                done += together.len() as u64;
                together.clear();
                progress("checking claims", done, claims);
            }
        }
        audit.claims(&together, rng);
        Ok(audit.finish())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn if_there<T>(&self, name: &str, read: impl Fn(&Path) -> Outcome<T>) -> Outcome<Option<T>> {
        let path = self.path(name);
        if path.exists() { read(&path).map(Some) } else { Ok(None) }
    }

    fn json<T: DeserializeOwned>(&self, name: &str) -> Outcome<T> {
        let path = self.path(name);
        let file = BufReader::new(File::open(&path).map_err(io(&path))?);
        serde_json::from_reader(file).map_err(|error| malformed(&path, error.line(), &error))
    }

    /// A noun for each line.
    fn lines<T: DeserializeOwned>(&self, name: &str) -> Outcome<impl Iterator<Item = Outcome<T>>> {
        let path = self.path(name);
        let lines = BufReader::new(File::open(&path).map_err(io(&path))?).lines();
        Ok((1..).zip(lines).map(move |(number, line)| {
            let line = line.map_err(io(&path))?;
            serde_json::from_str(&line).map_err(|error| malformed(&path, number, &error))
        }))
    }
}

/// A folder that is being filled.
#[derive(Debug)]
pub struct Writer {
    folder: PathBuf,
    entries: BufWriter<File>,
    claims: BufWriter<File>,
}

impl Writer {
    /// Makes the folder, if it is missing.
    ///
    /// # Errors
    ///
    /// [`ArchiveError::Io`], also if another archive lies there: it stays as it is.
    pub fn create(folder: &Path) -> Outcome<Self> {
        fs::create_dir_all(folder).map_err(io(folder))?;
        Ok(Self { folder: folder.to_owned(), entries: new(folder, ENTRIES)?, claims: new(folder, CLAIMS)? })
    }

    /// The next entries, in the order of publication.
    ///
    /// # Errors
    ///
    /// [`ArchiveError::Io`].
    pub fn entries(&mut self, entries: &[PublishedEntry]) -> Outcome<()> {
        lines(&mut self.entries, entries).map_err(io(&self.folder.join(ENTRIES)))
    }

    /// The next claims.
    ///
    /// # Errors
    ///
    /// [`ArchiveError::Io`].
    pub fn claims(&mut self, claims: &[PublishedClaim]) -> Outcome<()> {
        lines(&mut self.claims, claims).map_err(io(&self.folder.join(CLAIMS)))
    }

    /// Everything else; the statement last.
    ///
    /// # Errors
    ///
    /// [`ArchiveError::Io`].
    pub fn finish(mut self, period: &PublishedPeriod) -> Outcome<Archive> {
        for (file, name) in [(&mut self.entries, ENTRIES), (&mut self.claims, CLAIMS)] {
            file.flush().map_err(io(&self.folder.join(name)))?;
        }
        self.json(TERMS, &period.terms)?;
        self.bytes(CHECKPOINT, period.checkpoint.0.as_bytes())?;
        if let Some(key) = &period.verifying_key {
            self.bytes(VERIFYING_KEY, &key.to_bytes())?;
        }
        if let Some(set) = &period.set {
            self.json(SET, set)?;
        }
        self.json(STATEMENT, &period.statement)?;
        Ok(Archive { folder: self.folder })
    }

    fn json(&self, name: &str, noun: &impl Serialize) -> Outcome<()> {
        self.bytes(name, &serde_json::to_vec_pretty(noun).expect("nouns are text and numbers"))
    }

    fn bytes(&self, name: &str, bytes: &[u8]) -> Outcome<()> {
        let mut file = new(&self.folder, name)?;
        file.write_all(bytes).and_then(|()| file.flush()).map_err(io(&self.folder.join(name)))
    }
}

/// A file that was not there.
fn new(folder: &Path, name: &str) -> Outcome<BufWriter<File>> {
    let path = folder.join(name);
    File::create_new(&path).map(BufWriter::new).map_err(io(&path))
}

fn lines(file: &mut BufWriter<File>, nouns: &[impl Serialize]) -> std::io::Result<()> {
    for noun in nouns {
        serde_json::to_writer(&mut *file, noun)?;
        file.write_all(b"\n")?;
    }
    Ok(())
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> ArchiveError {
    let path = path.to_owned();
    move |source| ArchiveError::Io { path, source }
}

fn malformed(path: &Path, line: usize, reason: &impl ToString) -> ArchiveError {
    ArchiveError::Malformed { path: path.to_owned(), line, reason: reason.to_string() }
}
