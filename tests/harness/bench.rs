//! An enrollment server for one test: in this process, or in one of its own that can be killed.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use enroll_server::Server;
use postgres::NoTls;
use serde_json::json;
use tokio::runtime::Runtime;
use unum::cluster::Cluster;
use unum_identity::bytes::ServiceKey;
use unum_identity::enrollment::{ENVELOPE_CONTENT_TYPE, InclusionProof, Session};
use unum_identity::field::Commitment;
use unum_iris::EyePair;

use super::{
    Answer, Device, OPERATOR, Person, TestClock, cluster, database, enroll_config, get, local_config, post,
    rng, try_post,
};

/// What devices send.
pub(crate) const COSE: &str = ENVELOPE_CONTENT_TYPE;

/// A server in this process, on a database of its own, with a clock that tests turn.
pub(crate) struct Bench {
    pub(crate) url: String,
    pub(crate) clock: TestClock,
    pub(crate) config: enroll_server::Config,
    pub(crate) runtime: Runtime,
    pub(crate) servers: Vec<Server>,
    _keys: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::on(cluster(), |_| {})
    }

    pub(crate) fn on(cluster: &Cluster, change: impl FnOnce(&mut enroll_server::Config)) -> Self {
        let keys = tempfile::tempdir().unwrap();
        let mut config = enroll_config(&database(cluster), keys.path());
        change(&mut config);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let (clock, servers) = (TestClock::new(), Vec::new());
        let mut bench = Self { url: String::new(), clock, config, runtime, servers, _keys: keys };
        bench.url = bench.start();
        bench
    }

    /// One more server on the same database.
    pub(crate) fn start(&mut self) -> String {
        let start = Server::start(self.config.clone(), self.clock.clock(), Box::new(rng()));
        let server = self.runtime.block_on(start).unwrap();
        let url = format!("http://{}", server.addr());
        self.servers.push(server);
        url
    }

    /// Stops the last server that was started, and starts another one.
    pub(crate) fn restart(&mut self) {
        let server = self.servers.pop().unwrap();
        self.runtime.block_on(server.shutdown());
        self.url = self.start();
    }

    pub(crate) fn key(&self) -> ServiceKey {
        self.servers[0].service_key()
    }

    pub(crate) fn device(&self) -> Device {
        register(&self.url)
    }

    pub(crate) fn count(&self, table: &str) -> i64 {
        count(&self.config.database_url, table)
    }

    /// Events of the log, templates, reviews.
    pub(crate) fn counts(&self) -> [i64; 3] {
        ["log", "templates", "reviews"].map(|table| self.count(table))
    }

    pub(crate) fn enroll(&self, device: &Device, person: &Person) -> Answer {
        enroll(&self.url, device, person)
    }

    pub(crate) fn inclusion(&self, person: &Person) -> InclusionProof {
        get(&format!("{}/v1/commitments/{}/proof", self.url, person.commitment())).parse()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        for server in self.servers.drain(..) {
            self.runtime.block_on(server.shutdown());
        }
    }
}

/// A server with segments of 16, and so many people who are enrolled by a device, all of them in the tail until it is
/// started again.
pub(crate) fn town(people: usize) -> (Bench, Device, Vec<Person>) {
    let bench = Bench::on(cluster(), |config| config.segment_people = 16);
    let device = bench.device();
    let people: Vec<_> = (0..people).map(|_| Person::new()).collect();
    for person in &people {
        assert_eq!(bench.enroll(&device, person).code(), (201, "enrolled"));
    }
    (bench, device, people)
}

pub(crate) fn sql(database_url: &str) -> postgres::Client {
    postgres::Client::connect(database_url, NoTls).unwrap()
}

pub(crate) fn count(database_url: &str, table: &str) -> i64 {
    sql(database_url).query_one(&format!("SELECT count(*) FROM enroll.{table}"), &[]).unwrap().get(0)
}

pub(crate) fn register(url: &str) -> Device {
    register_as(url, OPERATOR)
}

/// Registers a new device as an operator who shows `token`.
pub(crate) fn register_as(url: &str, token: &str) -> Device {
    let device = Device::new();
    let body = serde_json::to_vec(&device.registration()).unwrap();
    let answer = try_post(&format!("{url}/v1/devices"), Some(token), "application/json", &body).unwrap();
    assert_eq!(answer.status, 201, "{answer:?}");
    device
}

pub(crate) fn session(url: &str, device: &Device) -> Session {
    let answer = post(&format!("{url}/v1/sessions"), &json!({ "device": device.id }));
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.parse()
}

pub(crate) fn send(url: &str, envelope: &[u8]) -> Answer {
    send_to(url, "enrollments", envelope)
}

/// Sends an envelope to another route than that of enrollments.
pub(crate) fn send_to(url: &str, route: &str, envelope: &[u8]) -> Answer {
    try_post(&format!("{url}/v1/{route}"), None, COSE, envelope).unwrap()
}

pub(crate) fn enroll(url: &str, device: &Device, person: &Person) -> Answer {
    enroll_eyes(url, device, &person.eyes(), person.commitment())
}

pub(crate) fn enroll_eyes(url: &str, device: &Device, eyes: &EyePair, commitment: Commitment) -> Answer {
    let session = session(url, device);
    send(url, &device.sign(&device.payload(&session, eyes, commitment)))
}

/// Not a test: the process that [`Process`] starts.
#[test]
#[ignore = "not a test but a server, started by another test"]
fn server_process() {
    let Ok(text) = std::env::var("UNUM_TEST_SERVER") else { return };
    let [database_url, keys, segment_people] = text.split('|').collect::<Vec<_>>()[..] else {
        panic!("{text}")
    };
    let mut config = local_config(database_url, keys.as_ref());
    config.segment_people = segment_people.parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let start = Server::start(config, TestClock::new().clock(), Box::new(rng()));
    let server = runtime.block_on(start).unwrap();
    println!("listening http://{}", server.addr());
    loop {
        std::thread::park(); // until killed
    }
}

/// A server in a process of its own. Killed when dropped.
pub(crate) struct Process {
    child: Child,
    /// Kept open: the test framework writes to it after a minute, and a process that cannot write ends.
    _stdout: BufReader<ChildStdout>,
    pub(crate) url: String,
}

impl Process {
    pub(crate) fn start(config: &enroll_server::Config) -> Self {
        let segment_people = config.segment_people.to_string();
        let at = [config.database_url.as_str(), config.keys.to_str().unwrap(), &segment_people];
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["harness::bench::server_process", "--exact", "--ignored", "--nocapture"])
            .env("UNUM_TEST_SERVER", at.join("|"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut lines = stdout.by_ref().lines().map(Result::unwrap);
        let url =
            lines.find_map(|line| line.split_once("listening ").map(|(_, url)| url.to_owned())).unwrap();
        Self { child, _stdout: stdout, url }
    }

    /// Which process it is.
    pub(crate) fn id(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may be dead already
        let _ = self.child.wait();
    }
}
