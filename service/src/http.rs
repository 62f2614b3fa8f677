//! Limits around all handlers, and a listener that stops when it is told to.

use std::any::Any;
use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tower_http::catch_panic::CatchPanicLayer;

use crate::metrics::Metrics;
use crate::problem::ProblemResponse;

/// How long requests that are under way may still take when a server stops: as long as a transaction.
const GRACE: Duration = Duration::from_secs(10);

/// Puts around `routes` what every answer needs: problems for unknown addresses, a limit of `max_body` bytes, 500 for
/// a handler that panics, and its time in `metrics`.
pub fn guarded<S: Clone + Send + Sync + 'static>(
    routes: Router<S>,
    max_body: usize,
    metrics: &Metrics,
) -> Router<S> {
    routes
        .fallback(async || ProblemResponse::new(404, "route_unknown"))
        .method_not_allowed_fallback(async || ProblemResponse::new(405, "method_not_allowed"))
        .layer(DefaultBodyLimit::max(max_body))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(metrics.clone(), measured))
}

/// Ends a request that takes longer than `limit`; for [`axum::middleware::from_fn`].
pub async fn within(limit: Duration, request: Request, next: Next) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ProblemResponse::new(503, "timeout").retry_after(limit.as_secs()).into_response(),
    }
}

/// Counts and logs requests: by their pattern, without a path or an address.
async fn measured(State(metrics): State<Metrics>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
    let route = format!("{} {path}", request.method());
    let started = Instant::now();
    let response = next.run(request).await;
    let (status, took) = (response.status().as_u16(), started.elapsed());
    tracing::debug!(route, status, ?took, "answered");
    metrics.request(&route, status, took);
    response
}

/// The panic's message is in the log already, through the panic hook.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a handler panicked");
    ProblemResponse::internal().into_response()
}

/// The address is taken, or not ours.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {addr}")]
pub struct ListenError {
    /// The address.
    pub addr: SocketAddr,
    /// Why.
    pub source: std::io::Error,
}

/// A router that is being served. Stops at once when dropped; [`Listening::shutdown`] finishes what is under way.
pub struct Listening {
    addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Listening {
    /// Listens on `addr`; port 0 takes a free one. Handlers can ask for the address of whoever asks
    /// ([`axum::extract::ConnectInfo`]).
    ///
    /// # Errors
    ///
    /// [`ListenError`].
    pub async fn start(addr: SocketAddr, router: Router) -> Result<Self, ListenError> {
        let cannot = |source| ListenError { addr, source };
        let listener = TcpListener::bind(addr).await.map_err(cannot)?;
        let addr = listener.local_addr().map_err(cannot)?;
        let (stop, stopped) = oneshot::channel();
        let clients = router.into_make_service_with_connect_info::<SocketAddr>();
        let serve = axum::serve(listener, clients).with_graceful_shutdown(async {
            stopped.await.ok(); // sent, or the sender was dropped
        });
        Ok(Self { addr, stop: Some(stop), serving: tokio::spawn(serve.into_future()) })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Takes no more requests, and returns when those under way are answered, or after ten seconds.
    pub async fn shutdown(mut self) {
        if let Some(stop) = self.stop.take() {
            stop.send(()).ok(); // nobody listens if serving has ended by itself
        }
        if tokio::time::timeout(GRACE, &mut self.serving).await.is_err() {
            tracing::warn!("requests were still under way");
        }
    }
}

impl fmt::Debug for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listening({})", self.addr)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[cfg(test)]
mod tests;
