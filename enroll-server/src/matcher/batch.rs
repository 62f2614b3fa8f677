//! Queries that come at about the same time share a pass over everyone.
//!
//! One task takes them as they come: the first one waits up to 5 ms for others, and while a pass runs the next ones
//! gather. Everyone is taken as of the moment the pass begins, which is after each of its queries came.

use std::sync::Arc;
use std::time::{Duration, Instant};

use service::Metrics;
use tokio::sync::{mpsc, oneshot};
use unum_iris::{Query, Thresholds};

use super::{Finding, MAX_QUERIES};
use crate::gallery::{Everyone, Gallery};
use crate::uniqueness::Probe;

/// How long the first query of a pass waits for others.
const GATHER: Duration = Duration::from_millis(5);
/// Queries that wait beyond those of a pass before whoever brings one has to wait to hand it over.
const QUEUE: usize = 64;

/// One query, and whom to tell.
struct Waiting {
    probe: Arc<Probe>,
    tell: oneshot::Sender<(Finding, Everyone)>,
}

/// Takes queries and scans for them. Stops when dropped, after the pass under way.
pub(crate) struct Batcher(mpsc::Sender<Waiting>);

/// The pass broke off: nothing is known about the query.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the scan broke off")]
pub(crate) struct MatcherGone;

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

    /// What a comparison with everyone says, and whom it covered: all who were known when this was called, or more.
    pub(crate) async fn scan(&self, probe: Arc<Probe>) -> Result<(Finding, Everyone), MatcherGone> {
        let (tell, told) = oneshot::channel();
        self.0.send(Waiting { probe, tell }).await.map_err(|_| MatcherGone)?;
        told.await.map_err(|_| MatcherGone)
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
        let findings = everyone.people().scan(&probes, thresholds);
        for (waiting, finding) in batch.into_iter().zip(findings) {
            let _ = waiting.tell.send((finding, everyone.clone())); // nobody waits any more
        }
    });
    if let Err(error) = scan.await {
        tracing::error!(%error, "a scan broke off"); // its queries hear `MatcherGone`
    }
    metrics.seconds("enroll_scan_seconds", &[], started.elapsed());
    metrics.count("enroll_scan_queries_total", &[], queries as u64);
}
