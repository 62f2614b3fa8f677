//! One attempt: orders in, replies out, or who was lost. All that is said to the engine is said here.
//!
//! ```text
//! DistributedExec
//!   CoalescePartitionsExec
//!     NetworkCoalesceExec            one task a worker, and nothing between
//!       DistributedLeafExec          its variants: the order of each
//! ```
//!
//! The plan is built and not planned. The engine's planner would send tasks to workers at random where no handler says
//! otherwise, would cut their number to that of the workers it knows, and would take the network out of a plan with one
//! task, which then runs here. A worker has one task with all its segments: a task for each segment would carry the
//! queries thousands of times.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use datafusion::common::{DataFusionError, exec_datafusion_err};
use datafusion::execution::TaskContext;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::prelude::SessionConfig;
use datafusion_distributed::{
    DistributedExec, DistributedExt as _, DistributedLeafExec, NetworkBoundary as _, NetworkCoalesceExec,
    RouteTasksEvent, RouteTasksEventResponse, Stage,
};
use futures::StreamExt as _;
use http::{HeaderMap, HeaderValue};
use url::Url;
use uuid::Uuid;

use super::channels::{Channels, Watch};
use super::config::{ClusterConfig, ConfigError};
use super::ledger::Ledger;
use super::shares::Lost;
use crate::leaf::{LeafCodec, ScanExec, from_batch};
use crate::wire::{Order, Reply};
use crate::worker::without_disk;

/// The engine, made ready.
pub(super) struct Engine {
    urls: Vec<Url>,
    channels: Channels,
    headers: HeaderMap,
    runtime: Arc<RuntimeEnv>,
}

/// No full answer.
#[derive(Debug)]
pub(super) struct Failed {
    /// Who is to blame; nobody if it is the engine itself.
    pub(super) lost: Lost,
    /// What the engine says.
    pub(super) why: String,
}

impl Engine {
    /// On a runtime: connections live there.
    pub(super) fn new(config: &ClusterConfig) -> Result<Self, ConfigError> {
        let bearer = HeaderValue::try_from(format!("Bearer {}", config.token.expose()));
        let mut bearer = bearer.map_err(|_| ConfigError::Token)?;
        bearer.set_sensitive(true); // `Debug` does not show it
        Ok(Self {
            urls: config.workers.iter().map(|worker| worker.url.clone()).collect(),
            channels: Channels::new(config)?,
            headers: HeaderMap::from_iter([(http::header::AUTHORIZATION, bearer)]),
            runtime: without_disk().map_err(|error| ConfigError::Engine(error.to_string()))?,
        })
    }

    /// Asks each worker for what its order says. All that they reply, if they all reply to the end within `limit`.
    pub(super) async fn ask(
        &self,
        orders: BTreeMap<usize, Order>,
        limit: Duration,
    ) -> Result<Vec<Reply>, Failed> {
        let workers: Vec<usize> = orders.keys().copied().collect();
        let ledger = Ledger::new(workers.iter().copied());
        let replies = async { self.run(plan(orders.into_values())?, &workers, &ledger).await };
        match tokio::time::timeout(limit, replies).await {
            Ok(Ok(replies)) => Ok(replies),
            Ok(Err(error)) => Err(Failed { lost: ledger.lost(), why: error.to_string() }),
            Err(_) => {
                let why = format!("no answer within {} ms", limit.as_millis());
                Err(Failed { lost: ledger.late(&why), why })
            }
        }
    }

    async fn run(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        workers: &[usize],
        ledger: &Arc<Ledger>,
    ) -> Result<Vec<Reply>, DataFusionError> {
        let session = self.session(workers, ledger)?;
        let context = TaskContext::default().with_session_config(session);
        let context = Arc::new(context.with_runtime(Arc::clone(&self.runtime)));
        let mut batches = plan.execute(0, context)?;
        let mut replies = Vec::new();
        while let Some(batch) = batches.next().await {
            replies.extend(from_batch(&batch?)?);
        }
        Ok(replies)
    }

    /// What the engine has to know of one attempt.
    fn session(&self, workers: &[usize], ledger: &Arc<Ledger>) -> Result<SessionConfig, DataFusionError> {
        let urls: Vec<Url> = workers.iter().map(|&worker| self.urls[worker].clone()).collect();
        // Task i is the order of worker i of this attempt, and no handler of the engine's own is asked.
        let route = move |_: RouteTasksEvent<'_>| Some(Ok(RouteTasksEventResponse::new(urls.clone())));
        let watch = Watch { channels: self.channels.clone(), ledger: Arc::clone(ledger) };
        SessionConfig::new()
            .with_distributed_user_codec(LeafCodec)
            .with_distributed_channel_resolver(watch)
            .with_distributed_route_tasks_handler(route)
            .with_distributed_metrics_collection(false)?
            .with_distributed_compression(None)?
            .with_distributed_passthrough_headers(self.headers.clone())
    }
}

/// The plan that has each order carried out once.
fn plan(orders: impl Iterator<Item = Order>) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
    let leaf = |order| Arc::new(ScanExec::new(order)) as Arc<dyn ExecutionPlan>;
    let variants: Vec<_> = orders.map(leaf).collect();
    let tasks = variants.len();
    // What would run if the engine ran the leaf without choosing a variant.
    let original = leaf(Order::Nothing);
    distributed(Arc::new(DistributedLeafExec::try_new(original, variants)?), tasks)
}

/// The plan that has so many tasks run `leaf` on workers, and brings all rows here.
fn distributed(
    leaf: Arc<dyn ExecutionPlan>,
    tasks: usize,
) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
    let boundary = NetworkCoalesceExec::try_new(leaf, tasks, 1)?;
    let Stage::Local(mut stage) = boundary.input_stage().clone() else {
        return Err(exec_datafusion_err!("a plan is local before it is sent"));
    };
    (stage.query_id, stage.num) = (Uuid::new_v4(), 1); // else all attempts are one to the workers
    let boundary = boundary.with_input_stage(Stage::Local(stage))?;
    let head = Arc::new(CoalescePartitionsExec::new(boundary));
    Ok(Arc::new(DistributedExec::new(head).with_metrics_collection(false)))
}

#[cfg(test)]
mod tests;
