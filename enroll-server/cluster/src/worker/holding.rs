//! The segments that a worker holds, and what it does with an order.
//!
//! A segment is called by its first person, and answered for only if all that the order says of it is what it was read
//! as: people, version, nonce and tag. Knows no network and no engine.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use enroll_server::matcher::{Entry, Fault, Part, People, Segment, Shelf, TemplateKey};
use rayon::prelude::*;
use unum_iris::Query;

use super::Sabotage;
use crate::queries::{Queries, Unreadable};
use crate::wire::{Order, Refusal, Reply};

/// Segments scanned before it is asked again whether anybody still listens: two seconds of one core for a query and
/// segments of 4,096 people, and enough to be spread over many.
const TOGETHER: usize = 64;

/// What a worker has in memory, and where it takes it from.
pub(crate) struct Holding {
    shelf: Shelf,
    key: TemplateKey,
    segments: RwLock<BTreeMap<u64, Arc<Segment>>>,
    /// Held by whoever reads files: twice at a time would take twice the memory.
    reading: Mutex<()>,
    sabotage: Option<Sabotage>,
}

impl Holding {
    /// Nothing yet.
    pub(crate) fn new(shelf: Shelf, key: TemplateKey, sabotage: Option<Sabotage>) -> Self {
        Self { shelf, key, segments: RwLock::default(), reading: Mutex::default(), sabotage }
    }

    /// Does what `order` says, and hands replies to `say` as they come, which tells whether anybody listens. Blocks.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] if the queries are sealed with another key.
    pub(crate) fn carry_out(
        &self,
        order: &Order,
        mut say: impl FnMut(Vec<Reply>) -> bool,
    ) -> Result<(), Unreadable> {
        let entries: Vec<Entry> = order.entries().collect();
        match order {
            Order::Hold(_) => {
                say(self.hold(&entries));
            }
            Order::Scan(_, sealed) => {
                let queries = sealed.open(&self.key)?;
                match self.all_of(&entries) {
                    Ok(segments) => self.scan(&segments, &queries, say),
                    Err(refusals) => {
                        say(refusals);
                    }
                }
            }
        }
        Ok(())
    }

    fn held(&self) -> BTreeMap<u64, Arc<Segment>> {
        self.segments.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads what is not in memory as listed. What it overlaps with is let go; all else stays, for whoever still asks
    /// for it.
    fn hold(&self, entries: &[Entry]) -> Vec<Reply> {
        let _alone = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let held = self.held();
        let read = |entry: &Entry| match held.get(&entry.first) {
            Some(segment) if segment.entry() == entry => Ok(Arc::clone(segment)),
            _ => self.shelf.read(entry).map(Arc::new),
        };
        let read: Vec<_> = entries.par_iter().map(read).collect();
        let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        let replies = entries.iter().zip(read).map(|(entry, read)| match read {
            Ok(segment) => {
                replace(&mut segments, segment);
                Reply::Held { first: entry.first, version: entry.version }
            }
            Err(fault) => {
                tracing::error!(segment = entry.first, version = entry.version, %fault, "not in memory");
                Reply::Refused { first: entry.first, why: refusal(&fault) }
            }
        });
        let replies = replies.collect();
        let unlocked = segments.values().filter(|segment| !segment.blocks().is_locked()).count();
        if unlocked > 0 {
            tracing::warn!(
                segments = unlocked,
                "the system does not let them be locked in memory, they may be swapped out: raise the limit \
                 (`ulimit -l unlimited`, or `LimitMEMLOCK=infinity` in the unit file)"
            );
        }
        tracing::info!(segments = segments.len(), "in memory");
        replies
    }

    /// All of `entries`, or why not: then nothing is compared, as an answer without them is none.
    fn all_of(&self, entries: &[Entry]) -> Result<Vec<Arc<Segment>>, Vec<Reply>> {
        let held = self.held();
        let (mut found, mut refused) = (Vec::with_capacity(entries.len()), Vec::new());
        for entry in entries {
            let why = match held.get(&entry.first) {
                Some(segment) if segment.entry() == entry => {
                    found.push(Arc::clone(segment));
                    continue;
                }
                Some(other) => Refusal::Stale { found: other.entry().version },
                None => Refusal::NotHeld,
            };
            refused.push(Reply::Refused { first: entry.first, why });
        }
        if refused.is_empty() { Ok(found) } else { Err(refused) }
    }

    fn scan(&self, segments: &[Arc<Segment>], queries: &Queries, mut say: impl FnMut(Vec<Reply>) -> bool) {
        if let Some(sabotage) = &self.sabotage {
            sabotage.lag();
        }
        let Queries { queries, thresholds } = queries;
        let queries: Vec<&Query> = queries.iter().collect();
        for segments in segments.chunks(TOGETHER) {
            let rows = People::of(segments.to_vec()).scan(&queries, *thresholds).into_rows();
            // The tail of these people is nobody: the coordinator has it.
            let of_segments = rows.into_iter().filter(|row| matches!(row.part, Part::Segment { .. }));
            let mut replies: Vec<_> = of_segments.map(Reply::Covered).collect();
            if let Some(sabotage) = &self.sabotage {
                replies = sabotage.spoil(replies);
            }
            if !say(replies) {
                tracing::info!("nobody listens any more");
                return;
            }
        }
    }
}

impl fmt::Debug for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Holding")
    }
}

/// Puts `segment` where it belongs, instead of all that it overlaps with.
fn replace(segments: &mut BTreeMap<u64, Arc<Segment>>, segment: Arc<Segment>) {
    let entry = *segment.entry();
    let before = segments.range(..entry.end()).rev();
    let overlapped = before.take_while(|(_, other)| other.entry().end() > entry.first);
    let overlapped: Vec<u64> = overlapped.map(|(&first, _)| first).collect();
    for first in overlapped {
        segments.remove(&first);
    }
    segments.insert(entry.first, segment);
}

fn refusal(fault: &Fault) -> Refusal {
    match fault {
        Fault::Missing => Refusal::FileMissing,
        Fault::Torn { .. } => Refusal::FileTorn,
        Fault::Stale { .. } => Refusal::FileStale,
        Fault::Exchanged { .. } => Refusal::FileExchanged,
        Fault::Altered => Refusal::FileAltered,
        _ => Refusal::FileUnreadable,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use enroll_server::matcher::{Coverage, Finding};
    use unum_iris::Thresholds;

    use super::*;
    use crate::lab::{Town, person};
    use crate::queries::SealedQueries;
    use crate::wire::EntryOnWire;

    fn key() -> TemplateKey {
        TemplateKey::from_bytes(&[42; 32])
    }

    fn holding(folder: &Path) -> Holding {
        Holding::new(Shelf::open(folder, key()).unwrap(), key(), None)
    }

    fn replies(holding: &Holding, order: &Order) -> Vec<Reply> {
        let mut said = Vec::new();
        let say = |replies: Vec<Reply>| {
            said.extend(replies);
            true
        };
        holding.carry_out(order, say).unwrap();
        said
    }

    fn on_wire(entries: &[Entry]) -> Vec<EntryOnWire> {
        entries.iter().map(EntryOnWire::from).collect()
    }

    fn scan(entries: &[Entry]) -> Order {
        let eyes = [person(3), person(1 << 40)];
        let sealed = SealedQueries::seal(&[&eyes[0], &eyes[1]], Thresholds::default(), &key(), [1; 24]);
        Order::Scan(on_wire(entries), sealed)
    }

    #[test]
    fn a_scan_stops_when_nobody_listens() {
        let folder = tempfile::tempdir().unwrap();
        let town = Town::new(folder.path(), key(), 2 * TOGETHER as u64 + 1, 16, 0);
        let (holding, entries) = (holding(folder.path()), town.manifest().entries());
        replies(&holding, &Order::Hold(on_wire(entries)));
        let mut heard = Vec::new();
        holding
            .carry_out(&scan(entries), |replies| {
                heard.push(replies.len());
                false
            })
            .unwrap();
        assert_eq!(heard, [TOGETHER]);
        assert_eq!(replies(&holding, &scan(entries)).len(), entries.len(), "or else it goes to the end");
    }

    #[test]
    fn it_answers_for_all_of_an_order_or_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let town = Town::new(folder.path(), key(), 3, 16, 0);
        let (holding, entries) = (holding(folder.path()), town.manifest().entries());
        let not_held = |first| Reply::Refused { first, why: Refusal::NotHeld };
        assert_eq!(replies(&holding, &scan(&entries[..1])), [not_held(1)]);
        replies(&holding, &Order::Hold(on_wire(&entries[..2])));
        assert_eq!(replies(&holding, &scan(entries)), [not_held(33)], "and no row of the others");
        let row = Coverage {
            part: Part::Segment { first: 1, version: 2 },
            people: 16,
            findings: vec![Finding::Duplicate { person: 4 }, Finding::Unique],
        };
        assert_eq!(replies(&holding, &scan(&entries[..1])), [Reply::Covered(row)]);
    }

    /// Segments of other bounds take the place of all that they share people with, and of nothing else.
    #[test]
    fn nobody_is_held_twice() {
        let folder = tempfile::tempdir().unwrap();
        let town = Town::new(folder.path(), key(), 4, 16, 0);
        let (holding, entries) = (holding(folder.path()), town.manifest().entries());
        replies(&holding, &Order::Hold(on_wire(entries)));
        let larger = Town::new(folder.path(), key(), 2, 32, 0).manifest().entries()[1]; // 33 to 64
        assert_eq!(
            replies(&holding, &Order::Hold(on_wire(&[larger]))),
            [Reply::Held { first: 33, version: 2 }]
        );
        assert_eq!(holding.held().keys().copied().collect::<Vec<_>>(), [1, 17, 33]);
        let stale = Reply::Refused { first: 33, why: Refusal::Stale { found: 2 } };
        let gone = Reply::Refused { first: 49, why: Refusal::NotHeld };
        assert_eq!(replies(&holding, &scan(entries)), [stale, gone]);
    }
}
