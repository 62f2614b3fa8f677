//! Who is asked for what in one attempt, and whether they answered as asked.

use std::collections::BTreeMap;

use enroll_server::matcher::{Coverage, Entry, Finding, Part};

use crate::placement::holders;
use crate::queries::SealedQueries;
use crate::wire::{EntryOnWire, Order, Refusal, Reply};

/// Whom not to ask, and why not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Lost {
    /// Workers, for anything.
    workers: BTreeMap<usize, String>,
    /// Workers for a segment, called by its first person, in a version: they said themselves that they do not have it.
    segments: BTreeMap<(usize, u64, u32), Refusal>,
}

/// What each worker is asked for.
#[derive(Debug)]
pub(super) struct Shares(BTreeMap<usize, Vec<Entry>>);

impl Lost {
    pub(super) fn is_empty(&self) -> bool {
        self.workers.is_empty() && self.segments.is_empty()
    }

    /// Workers that are lost for anything.
    pub(super) fn workers(&self) -> impl Iterator<Item = usize> + '_ {
        self.workers.keys().copied()
    }

    /// What workers said that they do not have.
    pub(super) fn segments(&self) -> Self {
        Self { workers: BTreeMap::new(), segments: self.segments.clone() }
    }

    pub(super) fn refused(&mut self, worker: usize, entry: &Entry, why: Refusal) {
        self.segments.insert((worker, entry.first, entry.version), why);
    }

    /// Forgets what `worker` once said that it does not have.
    pub(super) fn forget(&mut self, worker: usize) {
        self.segments.retain(|(who, ..), _| *who != worker);
    }

    pub(super) fn extend(&mut self, others: Self) {
        self.workers.extend(others.workers);
        self.segments.extend(others.segments);
    }

    fn is_lost(&self, worker: usize, entry: &Entry) -> bool {
        self.workers.contains_key(&worker)
            || self.segments.contains_key(&(worker, entry.first, entry.version))
    }

    /// For logs and errors.
    pub(super) fn describe(&self, names: &[String]) -> String {
        let workers = self.workers.iter().map(|(&worker, why)| format!("{} ({why})", names[worker]));
        let segment = |(&(worker, first, version), why): (&(usize, u64, u32), &Refusal)| {
            format!("{} (segment {first}, version {version}: {why})", names[worker])
        };
        let lost: Vec<_> = workers.chain(self.segments.iter().map(segment)).collect();
        match lost.len() {
            0..=SHOWN => lost.join(", "),
            more => format!("{}, and {} more", lost[..SHOWN].join(", "), more - SHOWN),
        }
    }
}

/// Losses that an error names.
const SHOWN: usize = 8;

impl FromIterator<(usize, String)> for Lost {
    fn from_iter<I: IntoIterator<Item = (usize, String)>>(workers: I) -> Self {
        Self { workers: workers.into_iter().collect(), segments: BTreeMap::new() }
    }
}

impl Shares {
    /// Each segment to the first of its holders that is not lost; whoever is resting is asked only if nobody else is left.
    ///
    /// # Errors
    ///
    /// The first person of a segment whose holders are all lost.
    pub(super) fn of(
        entries: &[Entry],
        names: &[String],
        replicas: usize,
        lost: &Lost,
        resting: &[usize],
    ) -> Result<Self, u64> {
        let mut shares: BTreeMap<usize, Vec<Entry>> = BTreeMap::new();
        for entry in entries {
            let left = holders(entry.first, names, replicas).into_iter();
            let left = left.filter(|&worker| !lost.is_lost(worker, entry));
            let worker = left.min_by_key(|worker| resting.contains(worker)); // of equals the first
            shares.entry(worker.ok_or(entry.first)?).or_default().push(*entry);
        }
        Ok(Self(shares))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn orders(&self, sealed: &SealedQueries) -> BTreeMap<usize, Order> {
        let order =
            |entries: &[Entry]| Order::Scan(entries.iter().map(EntryOnWire::from).collect(), sealed.clone());
        self.0.iter().map(|(&worker, entries)| (worker, order(entries))).collect()
    }

    /// The rows in `replies`, all of them, and be it that some are there twice; or who did not answer each segment that
    /// they were asked for once, and in full.
    pub(super) fn rows(&self, replies: Vec<Reply>, queries: usize) -> Result<Vec<Coverage>, Lost> {
        let mut by_segment: BTreeMap<Option<u64>, Vec<&Reply>> = BTreeMap::new();
        for reply in &replies {
            by_segment.entry(reply.first()).or_default().push(reply);
        }
        let of = |entry: &Entry| by_segment.get(&Some(entry.first)).map_or(&[][..], Vec::as_slice);
        let mut lost = Lost::default();
        for (&worker, entries) in &self.0 {
            let refused = entries.iter().filter_map(|entry| Some((entry, refusal(of(entry))?)));
            let refused: Vec<_> = refused.collect();
            for (entry, why) in &refused {
                lost.refused(worker, entry, *why);
            }
            if !refused.is_empty() {
                continue; // then it compares nothing at all, and is not to blame for that
            }
            let wrong = entries.iter().find_map(|entry| {
                let why = is_answered(entry, of(entry), queries).err()?;
                Some(format!("segment {}: {why}", entry.first))
            });
            lost.workers.extend(wrong.map(|why| (worker, why)));
        }
        if !lost.is_empty() {
            return Err(lost);
        }
        Ok(replies.into_iter().filter_map(row).collect())
    }
}

fn refusal(replies: &[&Reply]) -> Option<Refusal> {
    replies.iter().find_map(|reply| match reply {
        Reply::Refused { why, .. } => Some(*why),
        Reply::Held { .. } | Reply::Covered(_) => None,
    })
}

fn is_answered(entry: &Entry, replies: &[&Reply], queries: usize) -> Result<(), String> {
    let row = match replies {
        [] => return Err("no answer".to_owned()),
        [Reply::Covered(row)] => row,
        [_] => return Err("it answered what was not asked".to_owned()),
        [..] => return Err(format!("{} answers", replies.len())),
    };
    let expected = Part::Segment { first: entry.first, version: entry.version };
    if row.part != expected {
        return Err("another version was compared".to_owned());
    }
    if row.people != entry.people {
        return Err(format!("{} people were compared, not {}", row.people, entry.people));
    }
    if row.findings.len() != queries {
        return Err(format!("{} queries were answered, not {queries}", row.findings.len()));
    }
    let stands_here = |finding: &Finding| match finding {
        Finding::Duplicate { person } => (entry.first..entry.end()).contains(person),
        _ => true,
    };
    if !row.findings.iter().all(stands_here) {
        return Err("somebody was found who stands elsewhere".to_owned());
    }
    Ok(())
}

fn row(reply: Reply) -> Option<Coverage> {
    match reply {
        Reply::Covered(row) => Some(row),
        Reply::Held { .. } | Reply::Refused { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use enroll_server::matcher::Seal;

    use super::*;
    use crate::wire::Refusal;

    fn names() -> Vec<String> {
        (0..4).map(|i| format!("worker-{i}")).collect()
    }

    fn entries() -> Vec<Entry> {
        let seal = Seal { nonce: [0; 24], tag: [0; 16] };
        (0..40).map(|i| Entry { first: 1 + 16 * i, people: 16, version: 2, seal }).collect()
    }

    fn shares(lost: &[usize], resting: &[usize]) -> Result<Shares, u64> {
        let lost = lost.iter().map(|&worker| (worker, "gone".to_owned())).collect();
        Shares::of(&entries(), &names(), 2, &lost, resting)
    }

    fn covered(entry: &Entry) -> Reply {
        let part = Part::Segment { first: entry.first, version: entry.version };
        Reply::Covered(Coverage { part, people: entry.people, findings: vec![Finding::Unique] })
    }

    #[test]
    fn each_segment_is_asked_for_once_whoever_is_lost() {
        for (lost, resting) in [(&[][..], &[][..]), (&[2], &[]), (&[], &[0, 1]), (&[3], &[0, 1, 2])] {
            let shares = shares(lost, resting).unwrap();
            let mut asked: Vec<Entry> = shares.0.values().flatten().copied().collect();
            asked.sort_by_key(|entry| entry.first);
            assert_eq!(asked, entries());
            assert!(lost.iter().all(|lost| !shares.0.contains_key(lost)));
            for (worker, entries) in &shares.0 {
                let holds = |entry: &Entry| holders(entry.first, &names(), 2).contains(worker);
                assert!(entries.iter().all(holds));
            }
        }
        assert!(shares(&[0, 1, 2], &[]).is_err(), "two replicas do not survive three losses");
    }

    #[test]
    fn whoever_rests_is_spared_while_there_are_others() {
        let all = shares(&[], &[]).unwrap();
        let spared = shares(&[], &[1]).unwrap();
        assert!(all.0.contains_key(&1) && !spared.0.contains_key(&1));
        assert!(shares(&[0, 2], &[1, 3]).is_err() || shares(&[0, 2], &[1, 3]).unwrap().0.len() <= 2);
    }

    /// Who is lost after these replies to all that was asked.
    #[track_caller]
    fn lost_after(change: impl FnOnce(&mut Vec<Reply>)) -> Vec<u64> {
        let shares = shares(&[], &[]).unwrap();
        let mut replies: Vec<Reply> = entries().iter().map(covered).collect();
        change(&mut replies);
        match shares.rows(replies, 1) {
            Ok(_) => vec![],
            Err(lost) => {
                let of = |worker: usize| shares.0[&worker].iter().map(|entry| entry.first);
                let refused = lost.segments.keys().map(|&(_, first, _)| first);
                let mut firsts: Vec<u64> = lost.workers().flat_map(of).chain(refused).collect();
                firsts.sort_unstable();
                firsts
            }
        }
    }

    #[test]
    fn whoever_does_not_answer_as_asked_is_lost() {
        assert_eq!(lost_after(|_| ()), Vec::<u64>::new());
        let changes: [fn(&mut Vec<Reply>); 5] = [
            |replies| drop(replies.remove(3)),
            |replies| replies.push(replies[3].clone()),
            |replies| replies[3] = Reply::Held { first: 49, version: 2 },
            |replies| replies[3] = covered(&Entry { version: 1, ..entries()[3] }),
            |replies| replies[3] = covered(&Entry { people: 15, ..entries()[3] }),
        ];
        for change in changes {
            let lost = lost_after(change);
            assert!(lost.contains(&49) && (2..40).contains(&lost.len()), "whoever has 49, and nobody else");
        }
    }

    #[test]
    fn whoever_lacks_a_segment_is_lost_for_that_one_only() {
        let refused =
            |replies: &mut Vec<Reply>| replies[3] = Reply::Refused { first: 49, why: Refusal::NotHeld };
        assert_eq!(lost_after(refused), [49]);
        let mut lost = Lost::default();
        let holders = holders(49, &names(), 2);
        lost.refused(holders[0], &entries()[3], Refusal::FileMissing);
        let of = |lost: &Lost| Shares::of(&entries(), &names(), 2, lost, &[]);
        let shares = of(&lost).unwrap();
        assert!(shares.0[&holders[1]].contains(&entries()[3]) && shares.0.contains_key(&holders[0]));
        lost.refused(holders[1], &entries()[3], Refusal::NotHeld);
        assert_eq!(of(&lost).unwrap_err(), 49);
        lost.forget(holders[0]);
        assert!(of(&lost).is_ok());
    }

    #[test]
    fn a_row_that_nobody_was_asked_for_is_not_hidden() {
        let shares = shares(&[], &[]).unwrap();
        let mut replies: Vec<Reply> = entries().iter().map(covered).collect();
        replies.push(covered(&Entry { first: 9999, ..entries()[0] }));
        assert_eq!(shares.rows(replies, 1).unwrap().len(), 41, "the manifest refuses it");
    }
}
