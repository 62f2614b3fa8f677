//! Entries as they are published, and read again.

use unum_identity::bytes::LedgerId;
use unum_identity::published::{PublishedEntry, PublishedLine};

use super::audit::StoredEntry;
use super::entry::{Cause, Entry, Posting};

impl From<&Entry> for PublishedEntry {
    fn from(entry: &Entry) -> Self {
        let line = |line: &Posting| PublishedLine { account: line.account.to_string(), amount: line.amount };
        Self {
            sequence: entry.sequence,
            at: entry.at,
            kind: entry.cause.kind().to_owned(),
            programme: entry.cause.programme(),
            period: entry.cause.period(),
            reference: hex::encode(entry.cause.reference()),
            lines: entry.postings.iter().map(line).collect(),
            previous: entry.previous,
            hash: entry.hash(),
        }
    }
}

impl StoredEntry {
    /// What was published as an entry of `ledger`. What was signed for it is published elsewhere, or not at all.
    pub fn published(ledger: LedgerId, published: &PublishedEntry) -> Self {
        let (sequence, hash) = (published.sequence, published.hash);
        Self { sequence, hash, entry: read(ledger, published), receipt: None, payment: None }
    }
}

/// What it says; none if that is nothing that an entry can say.
fn read(ledger: LedgerId, published: &PublishedEntry) -> Option<Entry> {
    let reference = hex::decode(&published.reference).ok()?;
    let line =
        |line: &PublishedLine| Some(Posting { account: line.account.parse().ok()?, amount: line.amount });
    Some(Entry {
        ledger,
        sequence: published.sequence,
        previous: published.previous,
        at: published.at,
        cause: Cause::from_parts(&published.kind, published.programme, published.period, &reference)?,
        postings: published.lines.iter().map(line).collect::<Option<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use unum_identity::action::Period;
    use unum_identity::bytes::{AccountId, ProgrammeId};
    use unum_identity::claim::Amount;
    use unum_identity::field::Nullifier;
    use unum_identity::time::UnixTime;

    use super::super::entry::{Draft, Head};
    use super::*;

    const LEDGER: LedgerId = LedgerId([1; 16]);

    fn published() -> (Entry, PublishedEntry) {
        let amount = |minor| Amount::new(minor).unwrap();
        let place = (ProgrammeId([2; 16]), Period(7));
        let (share, fee) = (amount(1000), amount(30));
        let draft = Draft::claim(place, Nullifier(5.into()), AccountId([3; 32]), share, fee, None).unwrap();
        let entry = draft.place(LEDGER, Head::GENESIS, UnixTime(9));
        let published = PublishedEntry::from(&entry);
        (entry, published)
    }

    #[test]
    fn an_entry_is_read_as_it_was_published() {
        let (entry, published) = published();
        let text = serde_json::to_string(&published).unwrap();
        let stored = StoredEntry::published(LEDGER, &serde_json::from_str(&text).unwrap());
        assert_eq!((stored.sequence, stored.hash, stored.entry), (1, entry.hash(), Some(entry)));
    }

    #[test]
    fn what_no_entry_can_say_is_no_entry() {
        let changes: [fn(&mut PublishedEntry); 6] = [
            |entry| entry.kind = "gift".into(),
            |entry| entry.programme = None,
            |entry| entry.period = None,
            |entry| entry.reference = "no hex".into(),
            |entry| entry.reference = "ff".repeat(32),
            |entry| entry.lines[1].account = "wallet:of-nobody".into(),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let (_, mut published) = published();
            change(&mut published);
            assert_eq!(StoredEntry::published(LEDGER, &published).entry, None, "change {number}");
        }
    }
}
