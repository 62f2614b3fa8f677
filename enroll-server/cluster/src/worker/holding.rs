//! The segments that a worker holds, and what it does with an order.
//!
//! A segment is called by its first person, and answered for only if all that the order says of it is what it was read
//! as: people, version, nonce and tag. Knows no network and no engine.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use enroll_server::matcher::{Entry, Fault, Part, People, Segment, Shelf, TemplateKey};
use rayon::prelude::*;
use unum_iris::Query;

use super::Sabotage;
use crate::queries::{Queries, Unreadable};
use crate::wire::{Order, Refusal, Reply};

/// Segments scanned before it is asked again whether anybody still listens: two seconds of one core for a query and
/// segments of 4,096 people, and enough to be spread over many.
const TOGETHER: usize = 64;
/// How often it looks whether scans with what was let go of have ended.
const LOOK: Duration = Duration::from_millis(5);

/// What a worker has in memory, and where it takes it from.
pub(crate) struct Holding {
    shelf: Shelf,
    key: TemplateKey,
    segments: RwLock<BTreeMap<u64, Arc<Segment>>>,
    /// The last erasure that an order to hold knew of. Held by whoever carries one out: twice at a time would take twice the
    /// memory.
    erased: Mutex<u64>,
    sabotage: Option<Sabotage>,
}

impl Holding {
    /// Nothing yet.
    pub(crate) fn new(shelf: Shelf, key: TemplateKey, sabotage: Option<Sabotage>) -> Self {
        Self { shelf, key, segments: RwLock::default(), erased: Mutex::default(), sabotage }
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
            Order::Hold(_, erased) => {
                say(self.hold(&entries, *erased));
            }
            Order::Nothing => {}
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

    /// Lets go of what is not listed, and reads what is listed and not in memory. Whoever hears the replies may rely on it
    /// that nothing else is left in memory, nor comes back: orders that know of fewer erasures are refused.
    fn hold(&self, entries: &[Entry], erased: u64) -> Vec<Reply> {
        let mut known = self.erased.lock().unwrap_or_else(PoisonError::into_inner);
        if erased < *known {
            let why = Refusal::Outdated;
            return entries.iter().map(|entry| Reply::Refused { first: entry.first, why }).collect();
        }
        *known = erased;
        self.let_go_but_for(entries);
        let held = self.held();
        let read = |entry: &Entry| match held.get(&entry.first) {
            Some(segment) if segment.entry() == entry => Ok(Arc::clone(segment)),
            _ => self.shelf.read(entry).map(Arc::new),
        };
        let read: Vec<_> = entries.par_iter().map(read).collect();
        drop(held);
        let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        let before = segments.len();
        let replies = entries.iter().zip(read).map(|(entry, read)| match read {
            Ok(segment) => {
                segments.insert(entry.first, segment);
                Reply::Held { first: entry.first, version: entry.version }
            }
            Err(fault) => {
                tracing::error!(segment = entry.first, version = entry.version, %fault, "not in memory");
                Reply::Refused { first: entry.first, why: refusal(&fault) }
            }
        });
        let replies = replies.collect();
        if segments.len() > before {
            tracing::info!(segments = segments.len(), "in memory");
            warn_if_unlocked(segments.values());
        }
        replies
    }

    /// Lets go of all segments but `entries`, and waits for those who still compare with them.
    fn let_go_but_for(&self, entries: &[Entry]) {
        let listed: BTreeMap<u64, &Entry> = entries.iter().map(|entry| (entry.first, entry)).collect();
        let is_other = |first: &u64, segment: &mut Arc<Segment>| listed.get(first) != Some(&segment.entry());
        let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        let others: Vec<_> = segments.extract_if(.., is_other).collect();
        drop(segments); // from now on nobody begins to compare with them
        if !others.is_empty() {
            tracing::info!(segments = others.len(), "let go");
        }
        for (_, mut segment) in others {
            while let Err(still) = Arc::try_unwrap(segment) {
                thread::sleep(LOOK);
                segment = still;
            }
        }
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

fn warn_if_unlocked<'a>(segments: impl Iterator<Item = &'a Arc<Segment>>) {
    let unlocked = segments.filter(|segment| !segment.blocks().is_locked()).count();
    if unlocked > 0 {
        tracing::warn!(
            segments = unlocked,
            "the system does not let them be locked in memory, they may be swapped out: raise the limit \
             (`ulimit -l unlimited`, or `LimitMEMLOCK=infinity` in the unit file)"
        );
    }
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
    use std::sync::mpsc;

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
        replies(&holding, &Order::Hold(on_wire(entries), 0));
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
        replies(&holding, &Order::Hold(on_wire(&entries[..2]), 0));
        assert_eq!(replies(&holding, &scan(entries)), [not_held(33)], "and no row of the others");
        let row = Coverage {
            part: Part::Segment { first: 1, version: 2 },
            people: 16,
            findings: vec![Finding::Duplicate { person: 4 }, Finding::Unique],
        };
        assert_eq!(replies(&holding, &scan(&entries[..1])), [Reply::Covered(row)]);
    }

    #[test]
    fn what_is_not_listed_is_let_go() {
        let folder = tempfile::tempdir().unwrap();
        let town = Town::new(folder.path(), key(), 4, 16, 0);
        let (holding, entries) = (holding(folder.path()), town.manifest().entries());
        replies(&holding, &Order::Hold(on_wire(entries), 0));
        let larger = Town::new(folder.path(), key(), 2, 32, 0).manifest().entries()[1]; // 33 to 64
        assert_eq!(
            replies(&holding, &Order::Hold(on_wire(&[larger]), 0)),
            [Reply::Held { first: 33, version: 2 }]
        );
        let gone = |first| Reply::Refused { first, why: Refusal::NotHeld };
        let stale = Reply::Refused { first: 33, why: Refusal::Stale { found: 2 } };
        assert_eq!(replies(&holding, &scan(entries)), [gone(1), gone(17), stale, gone(49)]);
        assert_eq!(replies(&holding, &Order::Nothing), []);
        assert_eq!(holding.held().len(), 1);
        assert_eq!(replies(&holding, &Order::Hold(vec![], 0)), []);
        assert!(holding.held().is_empty());
    }

    /// Or whoever was erased would be in memory when it is said that nobody is.
    #[test]
    fn it_does_not_answer_before_the_last_scan_with_what_was_let_go_has_ended() {
        let folder = tempfile::tempdir().unwrap();
        let town = Town::new(folder.path(), key(), 2, 16, 0);
        let (holding, entries) = (holding(folder.path()), town.manifest().entries());
        replies(&holding, &Order::Hold(on_wire(entries), 0));
        let (begun, has_begun) = mpsc::channel();
        let (end, may_end) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let holding = &holding;
            scope.spawn(move || {
                let say = |_| {
                    begun.send(()).unwrap();
                    may_end.recv().is_ok()
                };
                holding.carry_out(&scan(entries), say).unwrap();
            });
            has_begun.recv().unwrap();
            let hold = scope.spawn(|| replies(holding, &Order::Hold(on_wire(&entries[1..]), 0)));
            while holding.held().len() > 1 {
                thread::sleep(LOOK);
            }
            assert_eq!(replies(holding, &scan(&entries[1..])).len(), 1, "others are served meanwhile");
            thread::sleep(10 * LOOK);
            assert!(!hold.is_finished(), "somebody still compares with the first one");
            end.send(()).unwrap();
            assert_eq!(hold.join().unwrap(), [Reply::Held { first: 17, version: 2 }]);
        });
    }

    /// A renewed segment whose file has not come: the old one is of no use to anybody, and may hold whoever was erased.
    #[test]
    fn the_version_before_is_let_go_of_though_the_next_cannot_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let town = Town::new(folder.path(), key(), 1, 16, 0);
        let (holding, entry) = (holding(folder.path()), town.manifest().entries()[0]);
        replies(&holding, &Order::Hold(on_wire(&[entry]), 0));
        let next = Entry { version: 3, ..entry };
        let refused = Reply::Refused { first: 1, why: Refusal::FileStale };
        assert_eq!(replies(&holding, &Order::Hold(on_wire(&[next]), 0)), [refused]);
        assert!(holding.held().is_empty());
    }

    /// A late order, or one of a server that has not read of it, would bring back whoever was erased: in the folder of a
    /// worker with copies their file may still lie.
    #[test]
    fn an_order_from_before_an_erasure_is_not_carried_out() {
        let folder = tempfile::tempdir().unwrap();
        let town = Town::new(folder.path(), key(), 2, 16, 0);
        let (holding, entries) = (holding(folder.path()), town.manifest().entries());
        let held = |first| Reply::Held { first, version: 2 };
        assert_eq!(replies(&holding, &Order::Hold(on_wire(&entries[..1]), 4)), [held(1)]);
        let outdated = |first| Reply::Refused { first, why: Refusal::Outdated };
        assert_eq!(replies(&holding, &Order::Hold(on_wire(entries), 3)), [outdated(1), outdated(17)]);
        assert_eq!(holding.held().keys().copied().collect::<Vec<_>>(), [1], "nothing has changed");
        assert_eq!(replies(&holding, &Order::Hold(on_wire(entries), 4)), [held(1), held(17)]);
    }
}
