//! Erasure: whoever shows that a commitment is theirs has their eyes erased and their leaf emptied.
//!
//! ```text
//! ask        opening of the commitment ─► request
//! erase      row found ─► lock ─► row emptied, segment listed anew without it, leaf removed, numbered ─► commit
//! report     each server: everyone in memory, its own and that of whoever holds segments for it, was read after erasure
//!            number n, and nobody looks at older copies
//! receipt    once all servers that run have reported
//! ```
//!
//! The servers take turns: each looks every second whether there is something to erase, or to report. What stays are a
//! number without eyes, the request, and the log: that a leaf came, and that its wallet removed it. What Postgres keeps
//! beyond its tables (its own log, backups) is encrypted under the template key as the rows were, until it is recycled.

use std::sync::Arc;
use std::time::Duration;

use unum_identity::enrollment::{Erasure, ErasureReceipt, ErasureRequest, LogEvent};
use unum_identity::signed::Signed;
use unum_identity::time::UnixTime;

use crate::enrollment::{publish, start_of_hour};
use crate::gallery::Removal;
use crate::server::App;
use crate::store::erasures::Request;
use crate::store::{StoreError, Tx, erasures, lock_enrollments, log, matchers, reviews, segments, templates};

/// How long a request waits for its receipt before it is told to ask again.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(200);
/// How long a server reads before it says again that it runs. Whoever holds segments for it may read for minutes.
const READING: Duration = Duration::from_secs(20);

/// Why nobody is erased.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ErasureError {
    /// Not the wallet of this commitment.
    #[error("the opening does not open the commitment")]
    Opening,
    /// Never in the set and not in review, or replaced since.
    #[error("nobody has this commitment")]
    Unknown,
    /// The database gave no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes a request, and waits a while for its end.
pub(crate) async fn ask(app: &App, request: &ErasureRequest) -> Result<Erasure, ErasureError> {
    let ErasureRequest { commitment, opening } = *request;
    if opening.commitment() != commitment {
        return Err(ErasureError::Opening);
    }
    let asked_at = start_of_hour(app.clock.now());
    let take = |tx: Arc<Tx>| async move { take(&tx, request, asked_at).await };
    if !app.store.run_tx("ask_erasure", take).await? {
        return Err(ErasureError::Unknown);
    }
    app.erasing.notify_one();
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        let erasure = state(app, request).await?;
        if erasure != Erasure::Pending || tokio::time::Instant::now() >= until {
            return Ok(erasure);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Writes a request down; `false` if there is nobody whom it could be about.
async fn take(tx: &Tx, request: &ErasureRequest, asked_at: UnixTime) -> Result<bool, StoreError> {
    let ErasureRequest { commitment, opening } = *request;
    if erasures::get(tx, commitment).await?.is_some() {
        return Ok(true);
    }
    let number = if log::leaf_of(tx, commitment).await?.is_some() {
        None
    } else if reviews::delete(tx, commitment).await? {
        // Whoever waits for an operator's decision stands in no segment and in nobody's memory: it is done.
        lock_enrollments(tx).await?;
        Some(erasures::last(tx).await? + 1)
    } else {
        return Ok(false);
    };
    erasures::insert(tx, commitment, opening, asked_at, number).await.map(|()| true)
}

async fn state(app: &App, request: &ErasureRequest) -> Result<Erasure, ErasureError> {
    let commitment = request.commitment;
    let found = app.store.run_tx("look_at_erasure", |tx| async move {
        let Some(request) = erasures::get(&tx, commitment).await? else { return Ok(None) };
        let all = match request.number {
            Some(number) => matchers::all_have_erased(&tx, number).await?,
            None => false,
        };
        Ok(Some((request, all)))
    });
    match found.await? {
        None => Err(ErasureError::Unknown), // replaced while the request waited
        Some((_, false)) => Ok(Erasure::Pending),
        Some((Request { asked_at, .. }, true)) => {
            let receipt = ErasureReceipt { commitment, asked_at };
            Ok(Erasure::Erased { receipt: Signed::new(receipt, &app.keys.signing) })
        }
    }
}

/// Does whatever is to be done now: the requests that wait, and the report that nothing is left of those erased.
pub(crate) async fn catch_up(app: &App) -> Result<(), StoreError> {
    let next = || app.store.run_tx("next_erasure", |tx| async move { erasures::next(&tx).await });
    while let Some(request) = next().await? {
        if !erase(app, &request).await? {
            break; // next time
        }
    }
    let last = app.store.run_tx("last_erasure", |tx| async move { erasures::last(&tx).await }).await?;
    if app.gallery.erased_to().is_none_or(|erased| erased < last) {
        let read = tokio::time::timeout(READING, app.gallery.sync(&app.store)).await;
        read.unwrap_or_else(|_| Ok(app.gallery.known()))?;
    }
    report(app).await
}

/// Says how far this server's memory is. As long as a scan looks at an older copy, the last report stands.
pub(crate) async fn report(app: &App) -> Result<(), StoreError> {
    let erased_to = app.gallery.erased_to();
    let report = |tx: Arc<Tx>| async move { matchers::report(&tx, app.matcher_id, erased_to).await };
    app.store.run_tx("report_erasure", report).await
}

/// Whether a request is done with. If not, something has changed meanwhile, or another server was faster.
async fn erase(app: &App, request: &Request) -> Result<bool, StoreError> {
    let Some(removal) = app.gallery.removal(&app.store, request.commitment).await? else {
        let forget = |tx: Arc<Tx>| async move { erasures::drop(&tx, request.commitment).await };
        return app.store.run_tx("forget_erasure", forget).await.map(|()| true);
    };
    let change = &removal;
    let take_out = |tx: Arc<Tx>| async move { take_out(app, &tx, request, change).await };
    if !app.store.run_tx("erase", take_out).await? {
        return Ok(false);
    }
    tracing::info!("somebody was erased");
    app.metrics.count("enroll_erasures_total", &[], 1);
    if let Some((_, sealed)) = removal.segment {
        app.gallery.write(sealed).await?;
    }
    app.published.sync(&app.store).await?;
    app.count_leaves(app.published.leaves());
    Ok(true)
}

/// Changes the rows, if they still are what `removal` was made of.
async fn take_out(app: &App, tx: &Tx, request: &Request, removal: &Removal) -> Result<bool, StoreError> {
    lock_enrollments(tx).await?;
    let Removal { row, emptied, segment } = removal;
    let is_same = templates::get(tx, row.seq).await?.is_some_and(|now| now.nonce == row.nonce);
    let listed = segments::of(tx, row.seq).await?;
    if !is_same || listed != segment.as_ref().map(|(entry, _)| *entry) {
        return Ok(false);
    }
    let Some(leaf_index) = log::leaf_of(tx, request.commitment).await? else {
        return Err(StoreError::damaged("a template has no leaf"));
    };
    if !erasures::done(tx, request.commitment, erasures::last(tx).await? + 1).await? {
        return Ok(false);
    }
    let removed = |_| LogEvent::Removed { leaf_index, opening: request.opening };
    publish(app, tx, removed, app.clock.now()).await?.map_err(StoreError::damaged)?;
    templates::replace(tx, emptied).await?;
    if let Some((_, sealed)) = segment {
        segments::replace(tx, sealed.entry()).await?;
    }
    Ok(true)
}
