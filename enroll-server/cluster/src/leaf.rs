//! The operator at the bottom of a plan: an order on its way to a worker, and replies on their way back.
//!
//! ```text
//! coordinator  order ─► ScanExec ─► bytes in the plan         rows of one binary column ─► replies
//! worker       bytes ─► ScanExec ─► Holding carries it out ─► rows of one binary column
//! ```
//!
//! Engines of this kind have been seen to run such an operator once for each task or partition instead of once: 400 rows
//! for 40 segments. So it has one partition, runs once and then never again, and runs nowhere but inside a worker. What
//! comes back all the same is counted where rows are held against the manifest.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::arrow::array::{Array as _, AsArray as _, BinaryArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, exec_datafusion_err, exec_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};

use crate::wire::{Garbled, Order, Reply};
use crate::worker::Holding;

/// Batches of replies that wait for the network.
const AHEAD: usize = 4;

/// An order as a plan.
pub(crate) struct ScanExec {
    order: Order,
    has_run: AtomicBool,
    properties: Arc<PlanProperties>,
}

impl ScanExec {
    pub(crate) fn new(order: Order) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { order, has_run: AtomicBool::new(false), properties: Arc::new(properties) }
    }
}

impl fmt::Debug for ScanExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScanExec")
    }
}

impl DisplayAs for ScanExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScanExec: {} segments", self.order.entries().count())
    }
}

impl ExecutionPlan for ScanExec {
    fn name(&self) -> &'static str {
        "ScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if children.is_empty() { Ok(self) } else { exec_err!("an order has no children") }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let Some(holding) = context.session_config().get_extension::<Holding>() else {
            return exec_err!("an order is carried out by workers only");
        };
        if partition != 0 || self.has_run.swap(true, Ordering::SeqCst) {
            return exec_err!("an order is carried out once");
        }
        let mut stream = RecordBatchReceiverStreamBuilder::new(schema(), AHEAD);
        let (order, rows) = (self.order.clone(), stream.tx());
        stream.spawn_blocking(move || {
            let say = |replies: Vec<Reply>| rows.blocking_send(to_batch(&replies)).is_ok();
            holding.carry_out(&order, say).map_err(|error| exec_datafusion_err!("{error}"))
        });
        Ok(stream.build())
    }
}

/// How a [`ScanExec`] travels.
#[derive(Debug)]
pub(crate) struct LeafCodec;

impl PhysicalExtensionCodec for LeafCodec {
    fn try_decode(
        &self,
        bytes: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        _: &TaskContext,
        _: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if !inputs.is_empty() {
            return exec_err!("an order has no children");
        }
        Ok(Arc::new(ScanExec::new(Order::from_bytes(bytes).map_err(garbled)?)))
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        bytes: &mut Vec<u8>,
        _: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        let Some(leaf) = node.downcast_ref::<ScanExec>() else {
            return exec_err!("only orders travel, not {}", node.name());
        };
        bytes.extend(leaf.order.to_bytes());
        Ok(())
    }
}

/// Lets nothing but an order through: the engine would run any plan that whoever has the token sends, one that reads or
/// writes files too.
pub(crate) fn only_orders(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    if plan.downcast_ref::<ScanExec>().is_some() {
        return Ok(plan);
    }
    exec_err!("a worker carries out orders, not {}", plan.name())
}

pub(crate) fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("reply", DataType::Binary, false)]))
}

fn to_batch(replies: &[Reply]) -> Result<RecordBatch> {
    let bytes: Vec<_> = replies.iter().filter_map(Reply::to_bytes).collect();
    let column = BinaryArray::from_iter_values(bytes);
    Ok(RecordBatch::try_new(schema(), vec![Arc::new(column)])?)
}

/// The replies in `batch`.
///
/// # Errors
///
/// If it holds anything else.
pub(crate) fn from_batch(batch: &RecordBatch) -> Result<Vec<Reply>> {
    let column = batch.columns().first().and_then(|column| column.as_binary_opt::<i32>());
    let column = column.filter(|column| column.null_count() == 0).ok_or_else(|| garbled(Garbled))?;
    column.iter().flatten().map(|bytes| Reply::from_bytes(bytes).map_err(garbled)).collect()
}

fn garbled(error: Garbled) -> DataFusionError {
    exec_datafusion_err!("{error}")
}
