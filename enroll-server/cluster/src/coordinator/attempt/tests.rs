//! What the engine does where it is not kept from it, and that it is kept from it.

use datafusion::physical_plan::placeholder_row::PlaceholderRowExec;
use enroll_server::matcher::{Coverage, Part, Scanned, Shelf, TemplateKey, Uncovered};
use tempfile::TempDir;
use unum_iris::Thresholds;

use super::*;
use crate::lab::{Authority, Town, Use, person};
use crate::queries::SealedQueries;
use crate::tls::TlsFiles;
use crate::wire::EntryOnWire;
use crate::worker::Holding;
use crate::{Worker, WorkerConfig};

const TOKEN: &str = "a token of 32 characters or more!";

/// Four workers in this process, who all hold 40 segments of 16 people.
struct Few {
    town: Town,
    engine: Engine,
    workers: Vec<Worker>,
    folder: TempDir,
}

fn key() -> TemplateKey {
    TemplateKey::from_bytes(&[42; 32])
}

async fn few() -> Few {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let authority = Authority::new(&path("authority.pem"));
    let town = Town::new(&path("segments"), key(), 40, 16, 0);
    let key_file = authority.secret(&path("template.key"), &[42; 32]);
    let mut workers = Vec::new();
    for i in 0..4 {
        let config = WorkerConfig {
            bind: "127.0.0.1:0".parse().unwrap(),
            segments: path("segments"),
            template_key: key_file.clone(),
            token: TOKEN.to_owned().into(),
            tls: authority.issue(folder.path(), &format!("worker-{i}"), Use::Server),
            sabotage: None,
        };
        workers.push(Worker::start(config).unwrap());
    }
    let tls = authority.issue(folder.path(), "coordinator", Use::Client);
    let engine = Engine::new(&config(&workers, tls)).unwrap();
    let few = Few { town, engine, workers, folder };
    let hold = few.engine.ask((0..4).map(|worker| (worker, Order::Hold(few.entries(), 0))).collect(), MINUTE);
    assert_eq!(hold.await.unwrap().len(), 4 * 40);
    few
}

const MINUTE: Duration = Duration::from_mins(1);

fn config(workers: &[Worker], tls: TlsFiles) -> ClusterConfig {
    let address = |(i, worker): (usize, &Worker)| super::super::WorkerAddress {
        name: format!("worker-{i}"),
        url: format!("https://{}", worker.addr()).parse().unwrap(),
    };
    ClusterConfig {
        workers: workers.iter().enumerate().map(address).collect(),
        token: TOKEN.to_owned().into(),
        tls,
        replicas: 2,
        connect_ms: 5_000,
        keep_alive_ms: 5_000,
        keep_alive_timeout_ms: 5_000,
        answer_ms: 60_000,
        hold_ms: 60_000,
        rest_ms: 0,
    }
}

fn scan(entries: Vec<EntryOnWire>) -> Order {
    let sealed = SealedQueries::seal(&[&person(1 << 40)], Thresholds::default(), &key(), [1; 24]);
    Order::Scan(entries, sealed)
}

impl Few {
    fn entries(&self) -> Vec<EntryOnWire> {
        self.town.manifest().entries().iter().map(EntryOnWire::from).collect()
    }

    async fn run(&self, plan: Arc<dyn ExecutionPlan>, tasks: usize) -> Result<Vec<Reply>, DataFusionError> {
        let workers: Vec<usize> = (0..tasks).map(|task| task % self.workers.len()).collect();
        let ledger = Ledger::new(0..self.workers.len());
        self.engine.run(plan, &workers, &ledger).await
    }

    /// What the manifest says of these replies.
    fn covers(&self, replies: Vec<Reply>) -> Result<(), Uncovered> {
        let row = |reply| match reply {
            Reply::Covered(row) => row,
            other => panic!("{other:?}"),
        };
        let mut rows: Vec<_> = replies.into_iter().map(row).collect();
        let tail = Part::Tail { first: self.town.len() + 1 };
        rows.push(Coverage { part: tail, people: 0, findings: rows[0].findings.clone() });
        Scanned::new(rows, 1).covers(self.town.manifest(), self.town.len())
    }
}

/// The trap: a leaf that does not know which task it is runs in each. Ten tasks, 40 segments, 400 rows, none of which the
/// engine objects to. The manifest does.
#[tokio::test(flavor = "multi_thread")]
async fn a_leaf_without_variants_runs_in_each_task_and_is_refused() {
    let few = few().await;
    let leaf = Arc::new(ScanExec::new(scan(few.entries())));
    let replies = few.run(distributed(leaf, 10).unwrap(), 10).await.unwrap();
    assert_eq!(replies.len(), 400);
    assert_eq!(few.covers(replies), Err(Uncovered::Repeated { first: 1, times: 10 }));
}

/// The way it is done here: as many rows as segments, whatever the number of tasks, one task included.
#[tokio::test(flavor = "multi_thread")]
async fn orders_are_carried_out_once() {
    let few = few().await;
    for tasks in [1, 2, 4, 10] {
        let shares = (0..tasks).map(|task| few.entries().into_iter().skip(task).step_by(tasks).collect());
        let plan = plan(shares.map(|share: Vec<_>| scan(share))).unwrap();
        let replies = few.run(plan, tasks).await.unwrap();
        assert_eq!((replies.len(), few.covers(replies)), (40, Ok(())), "{tasks} tasks");
    }
}

/// A plan that is run twice is refused by those who run it, not only by the manifest.
#[tokio::test(flavor = "multi_thread")]
async fn a_leaf_does_not_run_twice_nor_here() {
    let few = few().await;
    let leaf = ScanExec::new(scan(few.entries()));
    let session = few.engine.session(&[0], &Ledger::new(0..1)).unwrap();
    let context = Arc::new(TaskContext::default().with_session_config(session));
    let error = leaf.execute(0, context).err().unwrap().to_string();
    assert!(error.contains("by workers only"), "{error}");

    let shelf = Shelf::open(few.folder.path(), key()).unwrap();
    let holding = Arc::new(Holding::new(shelf, key(), None));
    let context = SessionConfig::new().with_extension(holding);
    let context = Arc::new(TaskContext::default().with_session_config(context));
    assert!(leaf.execute(0, Arc::clone(&context)).is_ok());
    assert!(leaf.execute(0, Arc::clone(&context)).err().unwrap().to_string().contains("once"));
    assert!(ScanExec::new(scan(vec![])).execute(1, context).is_err(), "another partition");
}

/// Workers run orders and nothing else, whoever asks.
#[tokio::test(flavor = "multi_thread")]
async fn another_plan_is_refused() {
    let few = few().await;
    let row: Arc<dyn ExecutionPlan> = Arc::new(PlaceholderRowExec::new(crate::leaf::schema()));
    let error = few.run(distributed(row, 2).unwrap(), 2).await.unwrap_err().to_string();
    assert!(error.contains("carries out orders"), "{error}");
    let leaf: Arc<dyn ExecutionPlan> = Arc::new(ScanExec::new(scan(few.entries())));
    let around = Arc::new(CoalescePartitionsExec::new(leaf));
    let error = few.run(distributed(around, 2).unwrap(), 2).await.unwrap_err().to_string();
    assert!(error.contains("carries out orders"), "{error}");
}

/// Nothing that a plan is printed as shows an eye, nor the token.
#[tokio::test(flavor = "multi_thread")]
async fn plans_show_nothing() {
    let few = few().await;
    let plan = plan([scan(few.entries())].into_iter()).unwrap();
    let printed = format!("{plan:?} {}", datafusion_distributed::display_plan_ascii(plan.as_ref(), false));
    assert!(printed.contains("ScanExec") && printed.len() < 4_000, "{printed}");
    assert!(!format!("{:?}", few.engine.headers).contains(TOKEN));
}

/// What an engine that runs out of memory does elsewhere: it writes to disk.
#[test]
fn nothing_is_written_to_disk() {
    let runtime = without_disk().unwrap();
    assert!(runtime.disk_manager.create_tmp_file("codes").is_err());
    assert!(RuntimeEnv::default().disk_manager.create_tmp_file("codes").is_ok(), "it would otherwise");
}
