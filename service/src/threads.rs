//! Threads that compute: as many jobs at once as there are threads, in the order in which they come.
//!
//! They step aside for everything else in the process. Knows nothing of what is computed.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use tokio::sync::oneshot;

/// How far the threads step aside. They would use every core to the end of their job, while the database and those who wait
/// for it need little, and now: at 5 levels, three times the weight (`man 7 sched`).
const NICE: i32 = 5;

struct Job<Q, A> {
    question: Q,
    answer: oneshot::Sender<A>,
}

/// Some threads. They end when the last copy of this is dropped.
pub struct Threads<Q, A>(mpsc::Sender<Job<Q, A>>);

impl<Q: Send + 'static, A: Send + 'static> Threads<Q, A> {
    /// Starts one thread for each of `works`, which is what it does with a question. A work that panics has lost that question
    /// and goes on with the next.
    pub fn start<W>(works: impl IntoIterator<Item = W>) -> Self
    where
        W: FnMut(Q) -> A + Send + 'static,
    {
        let (sender, jobs) = mpsc::channel();
        let jobs = Arc::new(Mutex::new(jobs));
        for work in works {
            let jobs = Arc::clone(&jobs);
            std::thread::spawn(move || work_off(work, &jobs));
        }
        Self(sender)
    }

    /// The answer; none if the work panicked over it, which is in the log.
    pub async fn ask(&self, question: Q) -> Option<A> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Job { question, answer }).ok(); // if there are no threads any more, nobody answers
        answered.await.ok()
    }
}

fn work_off<Q, A>(mut work: impl FnMut(Q) -> A, jobs: &Mutex<mpsc::Receiver<Job<Q, A>>>) {
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::warn!(%error, "a thread has the same right to the cores as everything else");
    }
    // Whoever holds the lock waits for the next job, so that nobody can break what it guards.
    let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
    while let Ok(Job { question, answer }) = next() {
        let Ok(answered) = catch_unwind(AssertUnwindSafe(|| work(question))) else {
            tracing::error!("a thread panicked over its job");
            continue;
        };
        answer.send(answered).ok(); // nobody may wait any more
    }
}

impl<Q, A> Clone for Threads<Q, A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<Q, A> fmt::Debug for Threads<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Threads")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_costs_its_question_only() {
        let threads = Threads::start([0].map(|mut answered| {
            move |question: u32| {
                assert_ne!(question, 13, "on purpose");
                answered += 1;
                (question, answered)
            }
        }));
        assert_eq!(threads.ask(12).await, Some((12, 1)));
        assert_eq!(threads.ask(13).await, None);
        assert_eq!(threads.ask(14).await, Some((14, 2)), "the same thread, with what it keeps");
    }

    #[tokio::test]
    async fn without_threads_nobody_answers() {
        let none: [fn(u32) -> u32; 0] = [];
        assert_eq!(Threads::start(none).ask(1).await, None);
    }
}
