//! Fetches what is published about a period, page by page, into an archive.

use std::path::Path;

use circuits::VerifyingKey;
use serde::de::DeserializeOwned;
use unum_identity::action::Period;
use unum_identity::bytes::ProgrammeId;
use unum_identity::checkpoint::SignedCheckpoint;
use unum_identity::enrollment::Snapshot;
use unum_identity::programme::{PeriodStatement, ProgrammeView};
use unum_identity::published::{ClaimPage, EntryPage};
use unum_identity::signed::Signed;

use super::{Archive, ArchiveError, Outcome, Progress, Writer};
use crate::audit::PublishedPeriod;
use crate::client::{ClientError, anyone, read, read_bytes};

/// Whom to ask: anyone may.
pub struct Source {
    agent: ureq::Agent,
    distribution: String,
    enroll_server: Option<String>,
}

impl Source {
    /// A distribution, and the enrollment server whose set it pays, if its leaves are to be counted. Base addresses, such as
    /// `http://127.0.0.1:8090`.
    pub fn at(distribution: &str, enroll_server: Option<&str>) -> Self {
        let base = |url: &str| url.trim_end_matches('/').to_owned();
        Self { agent: anyone(), distribution: base(distribution), enroll_server: enroll_server.map(base) }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.distribution)
    }

    fn get<T: DeserializeOwned>(&self, url: String) -> Result<T, ClientError> {
        let answer = self.agent.get(&url).call();
        read(url, answer)
    }

    fn get_bytes(&self, url: String) -> Result<Vec<u8>, ClientError> {
        let answer = self.agent.get(&url).call();
        read_bytes(url, answer)
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Source({}, {:?})", self.distribution, self.enroll_server)
    }
}

/// Fills `folder`, which must not hold an archive yet. Says how far it is through `progress`.
///
/// # Errors
///
/// An [`ArchiveError`]; then the folder is no archive.
pub fn fetch(
    source: &Source,
    (programme, period): (ProgrammeId, Period),
    folder: &Path,
    progress: Progress<'_>,
) -> Outcome<Archive> {
    let path = format!("/v1/programmes/{programme}/periods/{period}");
    let published = period_of(source, programme, &path)?;
    let mut writer = Writer::create(folder)?;
    entries(source, published.statement.statement.ledger_sequence, &mut writer, progress)?;
    claims(source, &path, &published.statement.statement, &mut writer, progress)?;
    writer.finish(&published)
}

fn period_of(source: &Source, programme: ProgrammeId, path: &str) -> Outcome<PublishedPeriod> {
    let statement: Signed<PeriodStatement> = source.get(source.url(&format!("{path}/statement")))?;
    let view: ProgrammeView = source.get(source.url(&format!("/v1/programmes/{programme}")))?;
    let checkpoint = source.url(&format!("{path}/checkpoint"));
    let text = String::from_utf8(source.get_bytes(checkpoint.clone())?);
    let text =
        text.map_err(|error| ClientError::Unreachable { url: checkpoint, reason: error.to_string() })?;
    // A key that cannot be read is none: the audit then says that it has none.
    let key = VerifyingKey::from_bytes(&source.get_bytes(source.url("/v1/verifying-key"))?).ok();
    let set = match &source.enroll_server {
        Some(base) => {
            let size = statement.statement.set.size;
            Some(source.get::<Snapshot>(format!("{base}/v1/set/snapshot?size={size}"))?)
        }
        None => None,
    };
    let (terms, checkpoint) = (view.terms, SignedCheckpoint(text));
    Ok(PublishedPeriod { terms, statement, checkpoint, verifying_key: key, set })
}

/// From the first entry to the last that counts, or as far as there are any.
fn entries(source: &Source, end: u64, writer: &mut Writer, progress: Progress<'_>) -> Outcome<()> {
    let mut after = 0;
    while after < end {
        let url = source.url(&format!("/v1/ledger/entries?after={after}"));
        let page = source.get::<EntryPage>(url.clone())?.entries;
        let Some(last) = page.last().map(|entry| entry.sequence) else { break };
        if last <= after {
            return Err(ArchiveError::Stuck(url));
        }
        after = last;
        writer.entries(&page)?;
        progress("fetching the ledger", after.min(end), end);
    }
    Ok(())
}

/// All claims; of a service that has more of them than there are people, no more than needed to see that.
fn claims(
    source: &Source,
    path: &str,
    stated: &PeriodStatement,
    writer: &mut Writer,
    progress: Progress<'_>,
) -> Outcome<()> {
    let (mut after, mut fetched) = (None, 0);
    while fetched <= stated.set.size.max(stated.claims) {
        let query = after.map_or_else(String::new, |after| format!("?after={after}"));
        let url = source.url(&format!("{path}/claims{query}"));
        let page = source.get::<ClaimPage>(url.clone())?.claims;
        let Some(last) = page.last().map(|published| published.claim.nullifier) else { break };
        if after.is_some_and(|after| last <= after) {
            return Err(ArchiveError::Stuck(url));
        }
        after = Some(last);
        fetched += page.len() as u64;
        writer.claims(&page)?;
        progress("fetching claims", fetched, stated.claims);
    }
    Ok(())
}
