//! Queries that come at about the same time share a pass over everyone.
//!
//! One task takes them as they come: the first one waits up to 5 ms for others, and while a pass runs the next ones
//! gather. Everyone is taken as of the moment the pass begins, which is after each of its queries came.

use std::sync::Arc;
use std::time::{Duration, Instant};

use service::Metrics;
use tokio::sync::{mpsc, oneshot};
use unum_iris::{Query, Thresholds};

use super::{Finding, MAX_QUERIES, Scanned, Scanner, Uncovered, Unscanned};
use crate::gallery::{Everyone, Gallery};
use crate::uniqueness::Probe;

/// How long the first query of a pass waits for others.
const GATHER: Duration = Duration::from_millis(5);
/// Queries that wait beyond those of a pass before whoever brings one has to wait to hand it over.
const QUEUE: usize = 64;

/// What a pass says about one query.
pub(crate) struct Answer {
    /// The gravest finding among everyone.
    pub(crate) finding: Finding,
    /// Who everyone was.
    pub(crate) everyone: Everyone,
    /// The rows that say so, to be held against the manifest once more when it counts.
    pub(crate) scanned: Arc<Scanned>,
}

/// One query, and whom to tell.
struct Waiting {
    probe: Arc<Probe>,
    tell: oneshot::Sender<Result<Answer, ScanError>>,
}

/// Takes queries and scans for them. Stops when dropped, after the pass under way.
pub(crate) struct Batcher(mpsc::Sender<Waiting>);

/// Nothing is known about the query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ScanError {
    /// The pass ended before its end.
    #[error("the scan broke off")]
    BrokeOff,
    /// Not everyone was compared.
    #[error("the scan is not complete: {0}")]
    Uncovered(#[from] Uncovered),
    /// Whoever holds the segments elsewhere gave no answer.
    #[error(transparent)]
    Elsewhere(#[from] Unscanned),
}

/// Who compares, and when two eyes are one.
#[derive(Clone)]
struct Scan {
    scanner: Arc<dyn Scanner>,
    thresholds: Thresholds,
}

impl Batcher {
    /// Everyone is whom `gallery` knows, and compared with as it says.
    pub(crate) fn start(gallery: Arc<Gallery>, thresholds: Thresholds, metrics: Metrics) -> Self {
        let scan = Scan { scanner: Arc::clone(gallery.scanner()), thresholds };
        let (sender, mut queue) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            while let Some(first) = queue.recv().await {
                let batch = gather(first, &mut queue).await;
                if !batch.is_empty() {
                    pass(batch, &gallery.known(), &scan, &metrics).await;
                }
            }
        });
        Self(sender)
    }

    /// What a comparison with everyone says: all who were known when this was called, or more.
    pub(crate) async fn scan(&self, probe: Arc<Probe>) -> Result<Answer, ScanError> {
        let (tell, told) = oneshot::channel();
        self.0.send(Waiting { probe, tell }).await.map_err(|_| ScanError::BrokeOff)?;
        told.await.map_err(|_| ScanError::BrokeOff)?
    }
}

async fn gather(first: Waiting, queue: &mut mpsc::Receiver<Waiting>) -> Vec<Waiting> {
    let mut batch = vec![first];
    let until = tokio::time::Instant::now() + GATHER;
    while batch.len() < MAX_QUERIES {
        match tokio::time::timeout_at(until, queue.recv()).await {
            Ok(Some(next)) => batch.push(next),
            Ok(None) | Err(_) => break,
        }
    }
    batch.retain(|waiting| !waiting.tell.is_closed()); // whoever asked has gone
    batch
}

/// One pass for all of `batch`. If it breaks off, one for each: whoever breaks it then breaks only their own.
async fn pass(batch: Vec<Waiting>, everyone: &Everyone, scan: &Scan, metrics: &Metrics) {
    let (started, queries) = (Instant::now(), batch.len());
    let probes = batch.iter().map(|waiting| Arc::clone(&waiting.probe)).collect();
    let together = findings(probes, everyone, scan).await;
    for (i, Waiting { probe, tell }) in batch.into_iter().enumerate() {
        let alone = match &together {
            Err(ScanError::BrokeOff) if queries > 1 => Some(findings(vec![probe], everyone, scan).await),
            _ => None,
        };
        let (i, findings) = alone.as_ref().map_or((i, &together), |alone| (0, alone));
        let answer = findings.clone().map(|(findings, scanned)| Answer {
            finding: findings[i],
            everyone: everyone.clone(),
            scanned,
        });
        let _ = tell.send(answer); // nobody waits any more
    }
    metrics.seconds("enroll_scan_seconds", &[], started.elapsed());
    metrics.count("enroll_scan_queries_total", &[], queries as u64);
}

/// What is found about each of `probes`, and the rows that say so; on other threads than those that answer requests.
async fn findings(
    probes: Vec<Arc<Probe>>,
    everyone: &Everyone,
    scan: &Scan,
) -> Result<(Vec<Finding>, Arc<Scanned>), ScanError> {
    let (everyone, Scan { scanner, thresholds }) = (everyone.clone(), scan.clone());
    let work = tokio::task::spawn_blocking(move || {
        let queries: Vec<&Query> = probes.iter().map(|probe| probe.query()).collect();
        let scanned = scanner.scan(everyone.manifest(), everyone.people(), &queries, thresholds)?;
        let findings = scanned.findings(everyone.manifest(), everyone.watermark())?;
        Ok((findings, Arc::new(scanned)))
    });
    let found = work.await.unwrap_or(Err(ScanError::BrokeOff));
    if let Err(error) = &found {
        tracing::error!(%error, "no answer");
    }
    found
}

#[cfg(test)]
mod tests {
    use unum_iris::{BITS, Thresholds};

    use super::*;
    use crate::matcher::{Coverage, Holdings, Manifest, Part, People};
    use crate::uniqueness::tests::{eye, pair};

    /// Scans as a test says.
    struct As<F>(F);

    impl<F: Fn(&People, &[&Query]) -> Result<Scanned, Unscanned> + Send + Sync> Scanner for As<F> {
        fn holds_here(&self) -> bool {
            true
        }

        fn prepare(&self, _: &Manifest, _: u64) -> Holdings {
            Holdings::default()
        }

        fn is_impaired(&self) -> bool {
            false
        }

        fn scan(
            &self,
            _: &Manifest,
            people: &People,
            queries: &[&Query],
            _: Thresholds,
        ) -> Result<Scanned, Unscanned> {
            self.0(people, queries)
        }
    }

    fn probe(seed: u64) -> Arc<Probe> {
        Arc::new(Probe::new(&pair(eye(2 * seed), eye(2 * seed + 1)), BITS, false).unwrap())
    }

    /// Takes the queries of people 0 to 7 at once, of whom 0 to 4 are known.
    async fn ask(
        scan: impl Fn(&People, &[&Query]) -> Result<Scanned, Unscanned> + Send + Sync + 'static,
    ) -> Vec<Result<Finding, ScanError>> {
        let people: People = (0..5).map(|seed| probe(seed).eyes().clone()).collect();
        let everyone = Everyone::of(people, Manifest::default());
        let told = |seed| {
            let (tell, told) = oneshot::channel();
            (Waiting { probe: probe(seed), tell }, told)
        };
        let (batch, told): (Vec<_>, Vec<_>) = (0..8).map(told).unzip();
        let scan = Scan { scanner: Arc::new(As(scan)), thresholds: Thresholds::default() };
        pass(batch, &everyone, &scan, &Metrics::default()).await;
        let mut answers = Vec::new();
        for told in told {
            answers.push(told.await.unwrap().map(|answer| answer.finding));
        }
        answers
    }

    fn scan(people: &People, queries: &[&Query]) -> Scanned {
        people.scan(queries, Thresholds::default())
    }

    /// What is true of person `seed`.
    fn right(seed: usize) -> Finding {
        if seed < 5 { Finding::Duplicate { person: seed as u64 + 1 } } else { Finding::Unique }
    }

    #[tokio::test]
    async fn everyone_gets_their_own_answer() {
        let answers = ask(|people, queries| Ok(scan(people, queries))).await;
        assert_eq!(answers, (0..8).map(|seed| Ok(right(seed))).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn whoever_breaks_a_pass_breaks_only_their_own() {
        let poison = probe(6);
        let answers = ask(move |people, queries| {
            assert!(!queries.iter().any(|query| query.eyes() == poison.eyes()), "poison");
            Ok(scan(people, queries))
        });
        for (seed, answer) in answers.await.into_iter().enumerate() {
            assert_eq!(answer, if seed == 6 { Err(ScanError::BrokeOff) } else { Ok(right(seed)) });
        }
    }

    #[tokio::test]
    async fn nobody_gets_an_answer_where_none_came_from_elsewhere() {
        let gone = Unscanned("segment 1 has no worker left".to_owned());
        let expected = gone.clone();
        let answers = ask(move |_, _| Err(gone.clone())).await;
        assert!(answers.into_iter().all(|answer| answer == Err(ScanError::Elsewhere(expected.clone()))));
    }

    #[tokio::test]
    async fn an_incomplete_scan_is_no_answer_for_anybody() {
        let rows = |change: fn(&mut Vec<Coverage>)| {
            move |_: &People, queries: &[&Query]| {
                let findings = vec![Finding::Unique; queries.len()];
                let mut rows = vec![Coverage { part: Part::Tail { first: 1 }, people: 5, findings }];
                change(&mut rows);
                Ok(Scanned::new(rows, queries.len()))
            }
        };
        let nobody = ask(rows(|_| ())).await;
        assert!(
            nobody.iter().all(|answer| *answer == Ok(Finding::Unique)),
            "whoever scans is believed so far"
        );
        let changes: [fn(&mut Vec<Coverage>); 3] =
            [Vec::clear, |rows| rows.push(rows[0].clone()), |rows| rows[0].people = 4];
        for change in changes {
            let answers = ask(rows(change)).await;
            assert!(
                answers.iter().all(|answer| matches!(answer, Err(ScanError::Uncovered(_)))),
                "{answers:?}"
            );
        }
    }
}
