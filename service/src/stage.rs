//! A stage: it is asked one question at a time by many, and answers what has gathered together.
//!
//! ```text
//! ask ─┐
//! ask ─┼─► queue ─► worker: as many as there are, up to `most` ─► work(questions) ─► an answer to each
//! ask ─┘
//! ```
//!
//! While the workers work, the next batches gather by themselves: few at a time when little is going on, many when much is.
//! Knows nothing of what is asked. Where a queue must not make anybody wait, whoever asks counts places in front of it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::metrics::Metrics;

/// What a stage does with its queue.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    /// Stands in metrics and logs.
    pub name: &'static str,
    /// Names of its histograms.
    pub measures: Measures,
    /// Batches worked on at once.
    pub workers: usize,
    /// Questions in a batch.
    pub most: usize,
    /// How long the first question of a batch waits for others.
    pub wait: Duration,
    /// Questions that wait; whoever asks then waits to be allowed to.
    pub queue: usize,
}

/// Names of the histograms that a stage fills, each labelled with the stage's name.
#[derive(Clone, Copy, Debug)]
pub struct Measures {
    /// How long the first of a batch waited; ends in `_seconds`.
    pub wait: &'static str,
    /// How many a batch has; ends in `_size`.
    pub batch: &'static str,
    /// How long the work on a batch took; ends in `_seconds`.
    pub work: &'static str,
}

/// The stage broke down over this question, and said so in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokenDown;

struct Asked<Q, A> {
    question: Q,
    since: Instant,
    answer: oneshot::Sender<A>,
}

/// A stage. Its workers end when it is dropped.
pub struct Stage<Q, A> {
    queue: mpsc::Sender<Asked<Q, A>>,
}

impl<Q: Send + 'static, A: Send + 'static> Stage<Q, A> {
    /// Starts the workers on the current runtime. `work` returns an answer to each question, in their order; if it panics
    /// or returns fewer, those left over learn that it broke down.
    pub fn start<F>(
        habits: Habits,
        metrics: &Metrics,
        work: impl Fn(Vec<Q>) -> F + Clone + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Vec<A>> + Send + 'static,
    {
        let (queue, waiting) = mpsc::channel(habits.queue);
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..habits.workers {
            tokio::spawn(work_off(habits, Arc::clone(&waiting), metrics.clone(), work.clone()));
        }
        Self { queue }
    }

    /// The answer. A question is forgotten if whoever asks stops waiting before a worker has taken it.
    ///
    /// # Errors
    ///
    /// [`BrokenDown`]; the others in the batch learn the same.
    pub async fn ask(&self, question: Q) -> Result<A, BrokenDown> {
        let (answer, answered) = oneshot::channel();
        let asked = Asked { question, since: Instant::now(), answer };
        self.queue.send(asked).await.map_err(|_| BrokenDown)?;
        answered.await.map_err(|_| BrokenDown)
    }
}

async fn work_off<Q, A, F>(
    habits: Habits,
    waiting: Arc<Mutex<mpsc::Receiver<Asked<Q, A>>>>,
    metrics: Metrics,
    work: impl Fn(Vec<Q>) -> F,
) where
    F: Future<Output = Vec<A>> + Send + 'static,
    A: Send + 'static,
{
    loop {
        let mut batch = gather(&mut *waiting.lock().await, habits, |asked| asked.since).await;
        let Some(first) = batch.first() else { return };
        let stage = [("stage", habits.name)];
        metrics.seconds(habits.measures.wait, &stage, first.since.elapsed());
        batch.retain(|asked| !asked.answer.is_closed());
        if batch.is_empty() {
            continue;
        }
        metrics.size(habits.measures.batch, &stage, batch.len());
        let (questions, waiting): (_, Vec<_>) = batch.into_iter().map(|a| (a.question, a.answer)).unzip();
        let started = Instant::now();
        // On a task of its own, so that a panic costs this batch and not the worker.
        match tokio::spawn(work(questions)).await {
            Ok(answers) => waiting.into_iter().zip(answers).for_each(|(waits, answer)| {
                waits.send(answer).ok(); // nobody listens if the client has hung up
            }),
            Err(error) => tracing::error!(stage = habits.name, %error, "broke down"),
        }
        metrics.seconds(habits.measures.work, &stage, started.elapsed());
    }
}

/// The next batch; empty when nobody can ask any more.
async fn gather<T>(waiting: &mut mpsc::Receiver<T>, habits: Habits, since: impl Fn(&T) -> Instant) -> Vec<T> {
    let mut batch = Vec::new();
    waiting.recv_many(&mut batch, 1).await;
    let Some(until) = batch.first().map(|first| since(first) + habits.wait) else { return batch };
    // Its share of those who wait already: another worker may be free for the others, and then all are done sooner.
    let share = waiting.len().div_ceil(habits.workers).min(habits.most - 1);
    if share > 0 {
        waiting.recv_many(&mut batch, share).await;
    }
    while batch.len() < habits.most && !habits.wait.is_zero() {
        let room = habits.most - batch.len();
        match timeout_at(until, waiting.recv_many(&mut batch, room)).await {
            Ok(1..) => {}
            Ok(0) | Err(_) => break, // nobody can ask any more, or time is up
        }
    }
    batch
}

impl<Q, A> fmt::Debug for Stage<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stage")
    }
}

#[cfg(test)]
mod tests;
