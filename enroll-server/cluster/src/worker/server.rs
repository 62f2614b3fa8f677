//! The server around what a worker holds: TLS with both certificates, then the token, then the engine.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use datafusion::common::DataFusionError;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion_distributed::{
    DistributedExt as _, WorkerPlanRewriteEvent, WorkerPlanRewriteEventResponse, WorkerQueryContext,
};
use enroll_server::matcher::{Shelf, TemplateKey};
use service::OperatorToken;
use service::key_file::{self, KeyFileError};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::metadata::MetadataValue;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Status};

use super::{Holding, WorkerConfig};
use crate::leaf::{LeafCodec, only_orders};
use crate::tls::TlsError;

/// How long a coordinator may take to show its certificate.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How often, and how long, a coordinator that says nothing is asked whether it is there. If not, its scan is ended.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// The longest order: a million segments.
const LONGEST_ORDER: usize = 128 << 20;

/// A running worker. Stops at once when dropped.
pub struct Worker {
    addr: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

/// Why a worker did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// There is no template key. Copy the enrollment server's; one that is made here opens nothing.
    #[error("{path} is missing: copy the enrollment server's template key there")]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The template key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The folder of segments cannot be used.
    #[error("cannot use the folder of segments {path}")]
    Segments {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A certificate or its key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A certificate or its key is none.
    #[error("the certificate, its key or the authority is no such thing in PEM")]
    NotPem(#[source] tonic::transport::Error),
    /// The address is taken, or not ours.
    #[error("cannot listen on {addr}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The engine does not start.
    #[error("the engine: {0}")]
    Engine(#[from] DataFusionError),
}

impl Worker {
    /// Reads the key and the certificates, and listens. Segments are read when a coordinator asks.
    ///
    /// # Errors
    ///
    /// A [`StartError`].
    ///
    /// # Panics
    ///
    /// Outside of a runtime: that is where it serves.
    pub fn start(config: WorkerConfig) -> Result<Self, StartError> {
        let key = template_key(&config.template_key)?;
        let shelf = Shelf::open(&config.segments, key.clone())
            .map_err(|source| StartError::Segments { path: config.segments.clone(), source })?;
        let holding = Arc::new(Holding::new(shelf, key, config.sabotage.clone()));
        let engine = engine(holding)?.into_worker_server().max_decoding_message_size(LONGEST_ORDER);
        let listen = |source| StartError::Listen { addr: config.bind, source };
        let incoming = TcpIncoming::bind(config.bind).map_err(listen)?.with_nodelay(Some(true));
        let addr = incoming.local_addr().map_err(listen)?;
        let tls = config.tls.of_server(HANDSHAKE)?;
        let token = config.token;
        let server = tonic::transport::Server::builder()
            .tls_config(tls)
            .map_err(StartError::NotPem)?
            .http2_keepalive_interval(Some(KEEP_ALIVE))
            .http2_keepalive_timeout(Some(KEEP_ALIVE))
            .add_service(InterceptedService::new(engine, move |request| admit(request, &token)));
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            if let Err(error) = server.serve_with_incoming_shutdown(incoming, stopped).await {
                tracing::error!(%error, "serves no more");
            }
        });
        tracing::info!(%addr, kernel = unum_iris::Kernel::fastest().name(), "listening");
        Ok(Self { addr, stop, serving })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Takes no more orders, and returns when those under way are answered, or after ten seconds.
    pub async fn shutdown(self) {
        let _ = self.stop.send(());
        let _ = tokio::time::timeout(Duration::from_secs(10), self.serving).await;
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Worker({})", self.addr)
    }
}

fn template_key(path: &std::path::Path) -> Result<TemplateKey, StartError> {
    if !path.exists() {
        return Err(StartError::NoKey { path: path.to_owned() });
    }
    let key = key_file::load_or_create(path, &mut rand_core::UnwrapErr(getrandom::SysRng))?;
    Ok(TemplateKey::from_bytes(&key))
}

fn admit(request: Request<()>, token: &OperatorToken) -> Result<Request<()>, Status> {
    let shown = request.metadata().get("authorization").map(MetadataValue::as_bytes);
    match shown.and_then(|shown| shown.strip_prefix(b"Bearer ")) {
        Some(shown) if token.admits(shown) => Ok(request),
        _ => Err(Status::unauthenticated("a token is needed")),
    }
}

/// The engine's worker, which decodes orders, lets nothing else through, and carries them out with `holding`.
fn engine(holding: Arc<Holding>) -> Result<datafusion_distributed::Worker, DataFusionError> {
    let only_orders =
        |event: WorkerPlanRewriteEvent<'_>| only_orders(event.plan).map(WorkerPlanRewriteEventResponse::new);
    let session = move |context: WorkerQueryContext| {
        let holding = Arc::clone(&holding);
        async move {
            let mut builder = context.builder;
            let config = builder.config().get_or_insert_default();
            config.set_distributed_user_codec(LeafCodec);
            config.set_distributed_worker_plan_rewrite_handler(only_orders);
            config.set_extension(holding);
            Ok(builder.build())
        }
    };
    Ok(datafusion_distributed::Worker::from_session_builder(session).with_runtime_env(without_disk()?))
}

/// A runtime of the engine that cannot write to disk.
pub(crate) fn without_disk() -> Result<Arc<RuntimeEnv>, DataFusionError> {
    let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
    Ok(Arc::new(RuntimeEnvBuilder::new().with_disk_manager_builder(disk).build()?))
}
