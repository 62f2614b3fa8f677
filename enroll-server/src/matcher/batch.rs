//! Queries that come at about the same time share a pass over everyone.
//!
//! One task takes them as they come: the first one waits up to 5 ms for others, and while a pass runs the next ones
//! gather. Everyone is taken as of the moment the pass begins, which is after each of its queries came.

use std::sync::Arc;
use std::time::{Duration, Instant};

use service::Metrics;
use tokio::sync::{mpsc, oneshot};
use unum_iris::{Query, Thresholds};

use super::{Finding, MAX_QUERIES, Scanned, Uncovered};
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
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ScanError {
    /// The pass ended before its end.
    #[error("the scan broke off")]
    BrokeOff,
    /// Not everyone was compared.
    #[error("the scan is not complete: {0}")]
    Uncovered(#[from] Uncovered),
}

impl Batcher {
    pub(crate) fn start(gallery: Arc<Gallery>, thresholds: Thresholds, metrics: Metrics) -> Self {
        let (sender, mut queue) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            while let Some(first) = queue.recv().await {
                let batch = gather(first, &mut queue).await;
                if !batch.is_empty() {
                    pass(batch, gallery.known(), thresholds, &metrics).await;
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

/// One pass, on other threads than those that answer requests.
async fn pass(batch: Vec<Waiting>, everyone: Everyone, thresholds: Thresholds, metrics: &Metrics) {
    let (started, queries) = (Instant::now(), batch.len());
    let scan = tokio::task::spawn_blocking(move || {
        let probes: Vec<&Query> = batch.iter().map(|waiting| waiting.probe.query()).collect();
        let scanned = Arc::new(everyone.people().scan(&probes, thresholds));
        let findings = scanned.findings(everyone.manifest(), everyone.watermark());
        if let Err(error) = findings {
            tracing::error!(%error, "a scan is not complete");
        }
        for (i, waiting) in batch.into_iter().enumerate() {
            let (everyone, scanned) = (everyone.clone(), Arc::clone(&scanned));
            let answer = findings.as_ref().map(|findings| Answer { finding: findings[i], everyone, scanned });
            let _ = waiting.tell.send(answer.map_err(|&error| error.into())); // nobody waits any more
        }
    });
    if let Err(error) = scan.await {
        tracing::error!(%error, "a scan broke off"); // its queries hear `BrokeOff`
    }
    metrics.seconds("enroll_scan_seconds", &[], started.elapsed());
    metrics.count("enroll_scan_queries_total", &[], queries as u64);
}
