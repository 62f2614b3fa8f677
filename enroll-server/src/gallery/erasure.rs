//! Taking somebody out: which row is theirs, and the segment without them.

use std::sync::Arc;

use unum_identity::field::Commitment;
use unum_iris::BLOCK_PEOPLE;

use super::segments::blocking;
use super::{Gallery, PAGE};
use crate::matcher::{Entry, SealedSegment};
use crate::sealed::Place;
use crate::store::templates::{self, TemplateRow};
use crate::store::{Store, StoreError, Tx, segments};

/// What has to change in the database for somebody to be gone, if meanwhile nothing else does.
pub(crate) struct Removal {
    /// Their row as it is.
    pub(crate) row: TemplateRow,
    /// The same without them.
    pub(crate) emptied: TemplateRow,
    /// The segment that they stand in, and the same without them; `None` if they stand in the tail.
    pub(crate) segment: Option<(Entry, SealedSegment)>,
}

impl Gallery {
    /// How to take out the person who has `commitment`; `None` if nobody has. Opens one row after the other: which row
    /// is whose stands inside the rows, and nowhere else.
    pub(crate) async fn removal(
        self: &Arc<Self>,
        store: &Store,
        commitment: Commitment,
    ) -> Result<Option<Removal>, StoreError> {
        let Some(row) = self.row_of(store, commitment).await? else { return Ok(None) };
        let emptied = TemplateRow { seq: row.seq, nonce: self.random(), ciphertext: None };
        let seq = row.seq;
        let entry = store.run_tx("find_segment", |tx| async move { segments::of(&tx, seq).await });
        let segment = match entry.await? {
            Some(entry) => Some((entry, self.segment_without(store, &entry, row.seq).await?)),
            None => None,
        };
        Ok(Some(Removal { row, emptied, segment }))
    }

    async fn row_of(
        self: &Arc<Self>,
        store: &Store,
        commitment: Commitment,
    ) -> Result<Option<TemplateRow>, StoreError> {
        let mut seq = 1;
        loop {
            let read = |tx: Arc<Tx>| async move { templates::from(&tx, seq, PAGE).await };
            let rows = store.run_tx("find_template", read).await?;
            let Some(last) = rows.last() else { return Ok(None) };
            seq = last.seq + 1;
            let gallery = Arc::clone(self);
            let found = blocking(move || rows.into_iter().find(|row| gallery.is_of(row, commitment))).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    fn is_of(&self, row: &TemplateRow, commitment: Commitment) -> bool {
        let opened = row.sealed().map(|sealed| self.key.open(&sealed, Place::Template { seq: row.seq }));
        opened.is_some_and(|opened| opened.is_ok_and(|person| person.commitment == commitment))
    }

    async fn segment_without(
        &self,
        store: &Store,
        entry: &Entry,
        seq: u64,
    ) -> Result<SealedSegment, StoreError> {
        let mut blocks = self.read_rows(store, entry.first..entry.end()).await?;
        let place = (seq - entry.first) as usize;
        blocks[place / BLOCK_PEOPLE].erase(place % BLOCK_PEOPLE);
        let (sealed, _) = self.seal(entry.first, entry.version.saturating_add(1), blocks).await?;
        Ok(sealed)
    }
}
