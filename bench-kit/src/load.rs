//! Many requests over several connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::http::{Connection, Request};

/// How long answers took.
#[derive(Debug)]
pub struct Latency {
    /// Answers.
    pub count: usize,
    /// Milliseconds of the median.
    pub p50_ms: f64,
    /// Milliseconds within which 99 of 100 came.
    pub p99_ms: f64,
    /// Milliseconds of the slowest.
    pub max_ms: f64,
}

/// Sends `rate` requests a second, each when its time has come, whether those before are answered or not, as far as there are
/// connections. Counted from the time that it should have been sent at.
///
/// # Errors
///
/// If one is answered with another status than `expected`.
pub async fn at_rate(
    addr: SocketAddr,
    requests: Vec<Request>,
    rate: f64,
    connections: usize,
    expected: u16,
) -> anyhow::Result<Latency> {
    let started = Instant::now() + Duration::from_millis(100); // until all are connected
    let due = move |number: usize| started + Duration::from_secs_f64(number as f64 / rate);
    let mut took = each(addr, requests, connections, expected, due).await?;
    took.sort();
    let at = |share: f64| took.get((share * (took.len() - 1) as f64) as usize).context("no requests");
    let ms = |duration: &Duration| 1e3 * duration.as_secs_f64();
    Ok(Latency { count: took.len(), p50_ms: ms(at(0.5)?), p99_ms: ms(at(0.99)?), max_ms: ms(at(1.0)?) })
}

/// Sends each request when a connection is free for it. How many are answered a second.
///
/// # Errors
///
/// If one is answered with another status than `expected`.
pub async fn as_answered(
    addr: SocketAddr,
    requests: Vec<Request>,
    connections: usize,
    expected: u16,
) -> anyhow::Result<f64> {
    let (started, count) = (Instant::now(), requests.len());
    each(addr, requests, connections, expected, move |_| started).await?;
    Ok(count as f64 / started.elapsed().as_secs_f64())
}

/// How long after it was due each was answered.
async fn each(
    addr: SocketAddr,
    requests: Vec<Request>,
    connections: usize,
    expected: u16,
    due: impl Fn(usize) -> Instant + Copy + Send + 'static,
) -> anyhow::Result<Vec<Duration>> {
    let next = Arc::new(AtomicUsize::new(0));
    let (requests, mut working) = (Arc::new(requests), JoinSet::new());
    for _ in 0..connections {
        let mut connection = Connection::to(addr).await?;
        let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
        working.spawn(async move {
            let mut took = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(request) = requests.get(number) else { return anyhow::Ok(took) };
                let due = due(number);
                sleep_until(due).await;
                let (status, body) = connection.send(request).await?;
                let said = || String::from_utf8_lossy(&body).into_owned();
                anyhow::ensure!(status == expected, "answered {status}: {}", said());
                took.push(due.elapsed());
            }
        });
    }
    let mut took = Vec::new();
    while let Some(done) = working.join_next().await {
        took.extend(done??);
    }
    Ok(took)
}
