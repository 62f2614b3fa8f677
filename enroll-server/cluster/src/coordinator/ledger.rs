//! Who has answered in an attempt, and who has failed: what the engine does not say.
//!
//! An error comes out of the engine without the worker that it came from. So the channel to each worker is watched on
//! the way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::common::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion_distributed::{
    CoordinatorToWorkerMsg, ExecuteTaskRequest, GetWorkerInfoRequest, GetWorkerInfoResponse, SetPlanRequest,
    WorkerChannel, WorkerToCoordinatorMsg,
};
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use http::HeaderMap;

use super::shares::Lost;

/// What is known of the workers of one attempt.
#[derive(Debug)]
pub(super) struct Ledger(Mutex<BTreeMap<usize, State>>);

#[derive(Debug)]
enum State {
    Asked,
    Answered,
    Failed(String),
}

impl Ledger {
    pub(super) fn new(asked: impl Iterator<Item = usize>) -> Arc<Self> {
        let states = asked.map(|worker| (worker, State::Asked)).collect();
        Arc::new(Self(Mutex::new(states)))
    }

    /// Who has failed.
    pub(super) fn lost(&self) -> Lost {
        let failed = |(&worker, state): (&usize, &State)| match state {
            State::Failed(why) => Some((worker, why.clone())),
            State::Asked | State::Answered => None,
        };
        self.states().iter().filter_map(failed).collect()
    }

    /// Who has not answered to the end.
    pub(super) fn late(&self, why: &str) -> Lost {
        let late = self.states();
        let late = late.iter().filter(|(_, state)| !matches!(state, State::Answered));
        late.map(|(&worker, _)| (worker, why.to_owned())).collect()
    }

    fn states(&self) -> MutexGuard<'_, BTreeMap<usize, State>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answered(&self, worker: usize) {
        if let Some(state @ State::Asked) = self.states().get_mut(&worker) {
            *state = State::Answered;
        }
    }

    pub(super) fn fail(&self, worker: usize, why: &impl ToString) {
        if let Some(state @ (State::Asked | State::Answered)) = self.states().get_mut(&worker) {
            *state = State::Failed(why.to_string());
        }
    }
}

/// A channel to a worker that writes into the ledger what happens on it.
pub(super) struct Watched {
    pub(super) inner: Box<dyn WorkerChannel>,
    pub(super) worker: usize,
    pub(super) ledger: Arc<Ledger>,
}

impl Watched {
    fn noted<T>(&self, result: Result<T>) -> Result<T> {
        result.inspect_err(|error| self.ledger.fail(self.worker, error))
    }

    fn watch<T: Send + 'static>(
        &self,
        stream: BoxStream<'static, Result<T>>,
    ) -> BoxStream<'static, Result<T>> {
        let (worker, ledger) = (self.worker, Arc::clone(&self.ledger));
        let note = move |item: &Result<T>| {
            if let Err(error) = item {
                ledger.fail(worker, error);
            }
        };
        stream.inspect(note).boxed()
    }
}

#[async_trait]
impl WorkerChannel for Watched {
    async fn coordinator_channel(
        &mut self,
        headers: HeaderMap,
        request: SetPlanRequest,
        messages: BoxStream<'static, CoordinatorToWorkerMsg>,
        metrics: ExecutionPlanMetricsSet,
        context: &Arc<TaskContext>,
    ) -> Result<BoxStream<'static, Result<WorkerToCoordinatorMsg>>> {
        let stream = self.inner.coordinator_channel(headers, request, messages, metrics, context).await;
        self.noted(stream).map(|stream| self.watch(stream))
    }

    async fn execute_task(
        &mut self,
        headers: HeaderMap,
        request: ExecuteTaskRequest,
        metrics: ExecutionPlanMetricsSet,
        context: &Arc<TaskContext>,
    ) -> Result<Vec<BoxStream<'static, Result<RecordBatch>>>> {
        let streams = self.inner.execute_task(headers, request, metrics, context).await;
        let (worker, ledger) = (self.worker, Arc::clone(&self.ledger));
        let to_the_end = move |stream: BoxStream<'static, Result<RecordBatch>>| {
            let ledger = Arc::clone(&ledger);
            let end = stream::once(async move { ledger.answered(worker) });
            stream.chain(end.filter_map(|()| async { None })).boxed()
        };
        let streams = self.noted(streams)?.into_iter().map(|stream| self.watch(stream));
        Ok(streams.map(to_the_end).collect())
    }

    async fn get_worker_info(&mut self, request: GetWorkerInfoRequest) -> Result<GetWorkerInfoResponse> {
        let info = self.inner.get_worker_info(request).await;
        self.noted(info)
    }
}
