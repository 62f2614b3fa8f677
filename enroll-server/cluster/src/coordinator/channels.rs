//! Connections to the workers: encrypted, with a limit on everything that can hang.
//!
//! The engine's own have none: no time-out for connecting, and no keep-alive, so that whoever waits for a machine that
//! has gone waits until the system's TCP gives up, in minutes, or for ever if the machine is there and its process is not.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use datafusion::common::{DataFusionError, exec_datafusion_err};
use datafusion_distributed::grpc::{BoxCloneSyncChannel, create_worker_client};
use datafusion_distributed::{ChannelResolver, WorkerChannel};
use tonic::transport::{Channel, Endpoint};
use url::Url;

use super::config::{ClusterConfig, ConfigError, WorkerAddress};
use super::ledger::{Ledger, Watched};

/// A connection to each worker, made when it is first used and again after it broke.
#[derive(Clone)]
pub(super) struct Channels(Arc<BTreeMap<Url, (usize, Channel)>>);

impl Channels {
    /// On a runtime: connections live there.
    pub(super) fn new(config: &ClusterConfig) -> Result<Self, ConfigError> {
        let channel = |(worker, address): (usize, &WorkerAddress)| {
            Ok((address.url.clone(), (worker, connect(config, address)?)))
        };
        let channels: Result<_, ConfigError> = config.workers.iter().enumerate().map(channel).collect();
        Ok(Self(Arc::new(channels?)))
    }
}

fn connect(
    config: &ClusterConfig,
    WorkerAddress { name, url }: &WorkerAddress,
) -> Result<Channel, ConfigError> {
    let not_pem = |source| ConfigError::NotPem { name: name.clone(), source };
    let connect = Duration::from_millis(config.connect_ms);
    let endpoint = Endpoint::from_shared(url.to_string()).map_err(not_pem)?;
    let endpoint = endpoint.tls_config(config.tls.of_client(name, connect)?).map_err(not_pem)?;
    let endpoint = endpoint
        .connect_timeout(connect) // of TCP alone
        .tcp_nodelay(true)
        .http2_keep_alive_interval(Duration::from_millis(config.keep_alive_ms))
        .keep_alive_timeout(Duration::from_millis(config.keep_alive_timeout_ms));
    Ok(endpoint.connect_lazy())
}

/// The channels of one attempt, which write into its ledger.
pub(super) struct Watch {
    pub(super) channels: Channels,
    pub(super) ledger: Arc<Ledger>,
}

#[async_trait]
impl ChannelResolver for Watch {
    async fn get_worker_client_for_url(&self, url: &Url) -> Result<Box<dyn WorkerChannel>, DataFusionError> {
        let Some((worker, channel)) = self.channels.0.get(url) else {
            return Err(exec_datafusion_err!("{url} is no worker of this cluster"));
        };
        let inner = create_worker_client(BoxCloneSyncChannel::new(channel.clone()));
        Ok(Box::new(Watched { inner, worker: *worker, ledger: Arc::clone(&self.ledger) }))
    }
}
