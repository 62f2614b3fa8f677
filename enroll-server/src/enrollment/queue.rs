//! What takes envelopes out of the queue, and tells whoever waits for their answers.
//!
//! ```text
//! take      the first that no server has, up to so many at once
//! judge     each in a task of its own, whose scans share passes
//! answered  the row goes with the answer, in one transaction
//! failed    given back, and taken again after a pause; by its own fault too often: quarantine
//! ```
//!
//! **Poison.** An envelope that makes its judge panic, or a statement fail, costs itself an attempt. One that makes the
//! whole process end costs an attempt to all that were judged beside it. So whatever has failed twice is judged alone,
//! with nothing beside it on that server: then it hurts only itself, and after the fifth time nobody takes it until an
//! operator says so. What is no envelope's fault (Postgres away, a matcher that cannot be reached) does not count.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use unum_identity::bytes::Nonce;

use super::{Outcome, Refusal, answer, process};
use crate::matcher::MAX_QUERIES;
use crate::server::App;
use crate::store::queue::{self, Queued};
use crate::store::{StoreError, Tx, chain, sessions};

/// Envelopes that a server judges at once: those of a pass, and as many that gather for the next one.
const AT_ONCE: usize = 2 * MAX_QUERIES;
/// From so many failed attempts on an envelope is judged alone.
const SUSPECT: u32 = 2;
/// After so many nobody takes it any more.
const ATTEMPTS: u32 = 5;
/// How often a server looks for what others have left, and says what it still has: several times within a lease.
const BEAT: Duration = Duration::from_secs(1);
/// Pause after the first failed attempt; twice as long after each further one.
const PAUSE: Duration = Duration::from_millis(100);
/// Pause after an attempt that failed for no fault of the envelope.
const AWAY: Duration = Duration::from_secs(1);
/// How long a request waits for its answer before it is told to ask again: less than devices wait for it.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often it looks whether another server has answered.
const LOOK: Duration = Duration::from_millis(500);

/// Who waits for answers, and how the takers are woken.
#[derive(Default)]
pub(crate) struct Queue {
    wake: Notify,
    waiting: Mutex<HashMap<Nonce, Vec<oneshot::Sender<Told>>>>,
}

/// What somebody who waits is told.
#[derive(Clone)]
enum Told {
    /// This is the answer.
    Answer(Outcome),
    /// There is none now. The envelope stays in the queue.
    NotNow,
}

/// Somebody who waits for the answer to an envelope.
pub(super) struct Waiting {
    nonce: Nonce,
    told: oneshot::Receiver<Told>,
}

/// What is being judged, as far as it has to be known if that does not come to an end.
#[derive(Clone, Copy)]
struct Job {
    nonce: Nonce,
    /// Before this one.
    attempts: u32,
}

/// What was taken.
#[derive(Default)]
struct Taken {
    envelopes: Vec<Queued>,
    /// Whether it has to be judged alone.
    alone: bool,
    /// Of servers that ended, each time.
    quarantined: Vec<Nonce>,
}

impl Queue {
    /// To be told what becomes of an envelope from now on.
    pub(super) fn wait(&self, nonce: Nonce) -> Waiting {
        let (tell, told) = oneshot::channel();
        let mut waiting = self.waiting();
        waiting.retain(|_, who| {
            who.retain(|tell| !tell.is_closed()); // whoever asked has gone
            !who.is_empty()
        });
        waiting.entry(nonce).or_default().push(tell);
        Waiting { nonce, told }
    }

    /// Has the takers look now.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    fn tell(&self, nonce: Nonce, what: &Told) {
        for tell in self.waiting().remove(&nonce).into_iter().flatten() {
            let _ = tell.send(what.clone()); // nobody waits any more
        }
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<Nonce, Vec<oneshot::Sender<Told>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// The answer, from whichever server gives it; `None` if there is none for now.
    pub(super) async fn outcome(mut self, app: &App) -> Result<Option<Outcome>, StoreError> {
        let (nonce, until) = (self.nonce, Instant::now() + PATIENCE);
        while Instant::now() < until {
            tokio::select! {
                told = &mut self.told => return match told {
                    Ok(Told::Answer(outcome)) => Ok(Some(outcome)),
                    Ok(Told::NotNow) | Err(_) => break,
                },
                () = tokio::time::sleep(LOOK) => {}
            }
            let look =
                app.store.run_tx("look_for_answer", |tx| async move { sessions::outcome(&tx, nonce).await });
            if let Some(outcome) = look.await? {
                return Ok(Some(outcome));
            }
        }
        Ok(None)
    }
}

/// Takes envelopes and has them judged, until it is dropped: whatever is not answered by then is free for others.
pub(crate) async fn work(app: Arc<App>) {
    let (mut tasks, mut jobs, mut alone) = (JoinSet::new(), HashMap::<Id, Job>::new(), false);
    loop {
        app.metrics.gauge("enroll_envelopes_in_hand", &[], jobs.len() as f64);
        tokio::select! {
            Some(ended) = tasks.join_next_with_id() => clear_away(&app, &mut jobs, ended).await,
            () = app.queue.wake.notified() => {}
            () = tokio::time::sleep(BEAT) => {}
        }
        alone &= !jobs.is_empty();
        if alone || jobs.len() == AT_ONCE {
            continue;
        }
        let taken = match take(&app, AT_ONCE - jobs.len(), jobs.is_empty()).await {
            Ok(taken) => taken,
            Err(error) => {
                tracing::warn!(causes = chain(&error), "nothing is taken from the queue");
                continue;
            }
        };
        alone = taken.alone;
        for envelope in taken.envelopes {
            let job = Job { nonce: envelope.nonce, attempts: envelope.attempts };
            let task = tasks.spawn(judge(Arc::clone(&app), envelope));
            jobs.insert(task.id(), job);
        }
        for nonce in taken.quarantined {
            say_quarantined(&app, nonce);
        }
    }
}

async fn clear_away(app: &App, jobs: &mut HashMap<Id, Job>, ended: Result<(Id, ()), JoinError>) {
    match ended {
        Ok((id, ())) => drop(jobs.remove(&id)),
        Err(error) => {
            if let Some(job) = jobs.remove(&error.id()) {
                failed(app, job, "its judge panicked").await;
            }
        }
    }
}

/// Takes the first that are free, at most `most`; one that has failed before alone, if nothing else is being judged.
async fn take(app: &App, most: usize, is_idle: bool) -> Result<Taken, StoreError> {
    let take = async |tx: &Tx| {
        let mut taken = Taken::default();
        for envelope in queue::free(tx, most.min(MAX_QUERIES)).await? {
            if envelope.attempts >= ATTEMPTS {
                quarantine(app, tx, envelope.nonce).await?;
                taken.quarantined.push(envelope.nonce);
                continue;
            }
            let is_suspect = envelope.attempts >= SUSPECT;
            if is_suspect && !(is_idle && taken.envelopes.is_empty()) {
                break; // and nobody behind it either, or it would wait for ever
            }
            queue::take(tx, app.matcher_id, envelope.nonce).await?;
            taken.envelopes.push(envelope);
            if is_suspect {
                taken.alone = true;
                break;
            }
        }
        Ok(taken)
    };
    app.store.run_tx("take_envelopes", |tx| async move { take(&tx).await }).await
}

/// Judges an envelope, and tells whoever waits.
async fn judge(app: Arc<App>, envelope: Queued) {
    let job = Job { nonce: envelope.nonce, attempts: envelope.attempts };
    let result = tokio::select! {
        result = process(&app, &envelope) => result,
        never = keep(&app, job.nonce) => match never {},
    };
    match result {
        Ok(Some(outcome)) => app.queue.tell(job.nonce, &Told::Answer(outcome)),
        Ok(None) => tracing::warn!("another server has taken over an envelope"),
        Err(error @ (StoreError::Statement(_) | StoreError::Damaged(_))) => {
            failed(&app, job, &chain(&error)).await;
        }
        Err(error) => {
            tracing::warn!(causes = chain(&error), "an envelope goes back to the queue");
            give_back(&app, job.nonce, (&chain(&error), false), AWAY).await;
            app.queue.tell(job.nonce, &Told::NotNow);
        }
    }
}

/// Says every second that an envelope is still being judged here.
async fn keep(app: &App, nonce: Nonce) -> std::convert::Infallible {
    loop {
        tokio::time::sleep(BEAT).await;
        let keep = app
            .store
            .run_tx("keep_envelope", |tx| async move { queue::keep(&tx, app.matcher_id, nonce).await });
        if let Err(error) = keep.await {
            tracing::warn!(causes = chain(&error), "an envelope may be taken over");
        }
    }
}

/// Gives an envelope back that could not be judged, or has nobody take it any more.
async fn failed(app: &App, job: Job, failure: &str) {
    let attempts = job.attempts + 1;
    tracing::error!(attempts, failure, "an envelope cannot be judged");
    give_back(app, job.nonce, (failure, true), PAUSE * 2_u32.pow(attempts)).await;
    if attempts < ATTEMPTS {
        return; // whoever waits can wait for the next one
    }
    let quarantine =
        app.store.run_tx("quarantine", |tx| async move { quarantine(app, &tx, job.nonce).await });
    match quarantine.await {
        Ok(()) => say_quarantined(app, job.nonce),
        Err(error) => tracing::warn!(causes = chain(&error), "the next to take it puts it into quarantine"),
    }
}

async fn give_back(app: &App, nonce: Nonce, failure: (&str, bool), pause: Duration) {
    let give_back = app.store.run_tx("give_back", |tx| async move {
        queue::give_back(&tx, app.matcher_id, nonce, failure, pause).await
    });
    if let Err(error) = give_back.await {
        tracing::warn!(causes = chain(&error), "an envelope is free only when its time is over");
    }
}

async fn quarantine(app: &App, tx: &Tx, nonce: Nonce) -> Result<(), StoreError> {
    queue::quarantine(tx, nonce, app.clock.now()).await?;
    sessions::answer(tx, nonce, Some(&answer(Err(Refusal::Quarantined)))).await
}

fn say_quarantined(app: &App, nonce: Nonce) {
    tracing::error!(%nonce, "an envelope is in quarantine: GET /v1/quarantine says why");
    app.metrics.count("enroll_quarantined_total", &[], 1);
    app.queue.tell(nonce, &Told::Answer(answer(Err(Refusal::Quarantined))));
}
