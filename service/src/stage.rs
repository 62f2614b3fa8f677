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
use std::future::ready;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryFutureExt as _;
use tokio::runtime::Handle;
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
        let (queue, desk) = open(habits, metrics);
        for _ in 0..habits.workers {
            let work = work.clone();
            // Each batch on a task of its own, so that a panic costs this batch and not the worker.
            let work = move |questions| tokio::spawn(work(questions)).map_err(|_| BrokenDown);
            tokio::spawn(work_off(desk.clone(), work));
        }
        Self { queue }
    }

    /// Starts the workers on threads of their own, for work that computes; each does what `make` has made for it. They step
    /// aside for everything else.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    pub fn start_on_threads<W>(habits: Habits, metrics: &Metrics, mut make: impl FnMut() -> W) -> Self
    where
        W: FnMut(Vec<Q>) -> Vec<A> + Send + 'static,
    {
        let (queue, desk) = open(habits, metrics);
        let runtime = Handle::current();
        for _ in 0..habits.workers {
            let (desk, runtime, mut work) = (desk.clone(), runtime.clone(), make());
            let work = move |questions| {
                ready(catch_unwind(AssertUnwindSafe(|| work(questions))).map_err(|_| BrokenDown))
            };
            std::thread::spawn(move || {
                step_aside();
                runtime.block_on(work_off(desk, work));
            });
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

/// Where workers find their work.
struct Desk<Q, A> {
    habits: Habits,
    waiting: Arc<Mutex<mpsc::Receiver<Asked<Q, A>>>>,
    metrics: Metrics,
}

impl<Q, A> Clone for Desk<Q, A> {
    fn clone(&self) -> Self {
        Self { habits: self.habits, waiting: Arc::clone(&self.waiting), metrics: self.metrics.clone() }
    }
}

fn open<Q, A>(habits: Habits, metrics: &Metrics) -> (mpsc::Sender<Asked<Q, A>>, Desk<Q, A>) {
    let (queue, waiting) = mpsc::channel(habits.queue);
    (queue, Desk { habits, waiting: Arc::new(Mutex::new(waiting)), metrics: metrics.clone() })
}

/// How far threads step aside. They would use every core to the end of their batch, while the database and those who wait for
/// it need little, and now: at 5 levels, three times the weight (`man 7 sched`).
const NICE: i32 = 5;

fn step_aside() {
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::warn!(%error, "a thread has the same right to the cores as everything else");
    }
}

async fn work_off<Q, A, F>(desk: Desk<Q, A>, mut work: impl FnMut(Vec<Q>) -> F)
where
    F: Future<Output = Result<Vec<A>, BrokenDown>>,
{
    let Desk { habits, waiting, metrics } = desk;
    let stage = [("stage", habits.name)];
    loop {
        let mut batch = gather(&mut *waiting.lock().await, habits, |asked| asked.since).await;
        let Some(first) = batch.first() else { return };
        metrics.seconds(habits.measures.wait, &stage, first.since.elapsed());
        batch.retain(|asked| !asked.answer.is_closed());
        if batch.is_empty() {
            continue;
        }
        metrics.size(habits.measures.batch, &stage, batch.len());
        let (questions, waiting): (_, Vec<_>) = batch.into_iter().map(|a| (a.question, a.answer)).unzip();
        let started = Instant::now();
        if let Ok(answers) = work(questions).await {
            waiting.into_iter().zip(answers).for_each(|(waits, answer)| {
                waits.send(answer).ok(); // nobody listens if the client has hung up
            });
        } else {
            tracing::error!(stage = habits.name, "broke down");
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
