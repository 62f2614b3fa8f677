//! An enrollment server with its workers, its Postgres, a device, and people who come to it. All of them are processes.

use std::fs;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use enroll_cluster::lab::{Lab, Process, Program, again, person};
use getrandom::SysRng;
use p256::ecdsa::SigningKey;
use rand_core::{Rng as _, UnwrapErr};
use serde_json::{Value, json};
use unum_identity::bytes::{DeviceId, FirmwareMeasurement};
use unum_identity::enrollment::{ENVELOPE_CONTENT_TYPE, Session};
use unum_identity::envelope::{
    CaptureReport, DeviceSigner, Payload, Purpose, SealContext, SealedTemplates, sign, sign_leaf,
};
use unum_identity::field::Commitment;
use unum_identity::secret::{Identity, Secret};
use unum_iris::EyePair;

use private_postgres::Cluster as Postgres;

/// What operators show.
const OPERATOR: &str = "the operators of these tests, and nobody else";
/// Within what time whatever is done beside requests has to have happened, on a machine that does much else.
const SOON: Duration = Duration::from_mins(1);
/// Devices of a site: how many people may come at once. Envelopes of one device have to come in their order.
const DEVICES: usize = 3;
/// Workers of a site.
pub(super) const WORKERS: usize = 3;

fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

/// A database that no other test uses.
fn database() -> String {
    static POSTGRES: LazyLock<Postgres> = LazyLock::new(|| Postgres::temporary(&mut rng()).unwrap());
    let mut name = [0; 8];
    rng().fill_bytes(&mut name);
    POSTGRES.database(&format!("test_{}", hex::encode(name))).unwrap()
}

/// Whether workers read the server's files, or copies of them that a test makes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Files {
    Shared,
    Copied,
}

/// A device that the server knows.
struct Device {
    id: DeviceId,
    key: SigningKey,
    counter: Mutex<u64>,
}

/// A person's wallet. Eyes have the number of the person.
pub(super) struct Wallet(Identity);

impl Wallet {
    pub(super) fn new() -> Self {
        Self(Secret::generate(&mut rng()).identity())
    }

    fn commitment(&self) -> Commitment {
        self.0.commitment()
    }
}

/// The server and everyone around it. Segments have 16 people.
pub(super) struct Site {
    pub(super) lab: Lab,
    pub(super) workers: Vec<Process>,
    pub(super) server: Process,
    pub(super) database_url: String,
    files: Files,
    devices: Vec<Device>,
    wallets: Vec<Wallet>,
}

/// An answer over HTTP: status, and code or outcome.
pub(super) type Answer = (u16, String);

impl Site {
    /// So many people are enrolled, who stand in segments that workers hold, but for those who do not fill one.
    pub(super) fn new(people: u64, files: Files) -> Self {
        let mut site = Self::empty(files);
        for number in 0..people {
            let wallet = Wallet::new();
            assert_eq!(site.come(&person(number), &wallet), (201, "enrolled".to_owned()));
            site.wallets.push(wallet);
        }
        site.restart_server(); // or a minute later
        site.copy_files();
        site.until("segments are held", || site.metric("enroll_segments_unheld") == 0);
        let held = format!("segments={} people={}", people / 16, people / 16 * 16);
        assert!(site.server.log().contains(&held), "{}", site.server.log());
        site
    }

    fn empty(files: Files) -> Self {
        let lab = Lab::new(env!("CARGO_BIN_EXE_cluster-worker"));
        let folder = |i: usize| match files {
            Files::Shared => lab.path("segments"),
            Files::Copied => lab.path(&format!("segments-{i}")),
        };
        let workers: Vec<_> =
            (0..WORKERS).map(|i| lab.worker(&format!("worker-{i}"), &folder(i), "")).collect();
        let database_url = database();
        let server = server(&lab, &database_url, &workers, "server");
        let devices = (0..DEVICES).map(|_| Device::new(&server)).collect();
        Self { lab, workers, server, database_url, files, devices, wallets: Vec::new() }
    }

    /// Kills the server and starts another one.
    pub(super) fn restart_server(&mut self) {
        self.server.kill();
        // Of a server that was killed nothing is left in memory. It counts as running for a minute: let that be over.
        self.sql().execute("DELETE FROM enroll.matchers", &[]).unwrap();
        self.server.restart();
    }

    fn sql(&self) -> postgres::Client {
        postgres::Client::connect(&self.database_url, postgres::NoTls).unwrap()
    }

    /// One more server on the same database, with the same workers.
    pub(super) fn another_server(&self) -> Process {
        server(&self.lab, &self.database_url, &self.workers, "another")
    }

    /// Files of the server's folder that workers have no copy of are copied.
    pub(super) fn copy_files(&self) {
        if self.files == Files::Copied {
            for file in fs::read_dir(self.lab.path("segments")).unwrap().map(Result::unwrap) {
                for worker in 0..WORKERS {
                    let folder = self.lab.path(&format!("segments-{worker}"));
                    let (whole, draft) = (folder.join(file.file_name()), folder.join("copy.draft"));
                    fs::copy(file.path(), &draft).unwrap();
                    fs::rename(draft, whole).unwrap();
                }
            }
        }
    }

    /// The server's file of the segment that begins with person `first`.
    pub(super) fn file(&self, first: u64) -> PathBuf {
        self.lab.path("segments").join(format!("{first:012}.segment"))
    }

    /// Workers that hold the segment which begins with person `first`.
    pub(super) fn holders(&self, first: u64) -> Vec<usize> {
        let names: Vec<_> = self.workers.iter().map(Process::name).collect();
        enroll_cluster::placement::holders(first, &names, 2)
    }

    /// Person `number` comes again, without a wallet that anybody knows.
    pub(super) fn comes_again(&self, number: u64) -> Answer {
        self.come(&again(&person(number), 12, 12), &Wallet::new())
    }

    /// Everyone of `numbers` is told that they are enrolled, and somebody who never came is enrolled.
    #[track_caller]
    pub(super) fn knows(&self, numbers: &[u64]) {
        for &number in numbers {
            assert_eq!(self.comes_again(number), (409, "duplicate".to_owned()), "{number}");
        }
        assert_eq!(self.a_stranger_comes(), (201, "enrolled".to_owned()));
    }

    pub(super) fn a_stranger_comes(&self) -> Answer {
        self.come(&stranger(), &Wallet::new())
    }

    fn come(&self, eyes: &EyePair, wallet: &Wallet) -> Answer {
        self.come_to(&self.server, eyes, wallet)
    }

    /// To a device that nobody stands before, of a server of this site.
    fn come_to(&self, server: &Process, eyes: &EyePair, wallet: &Wallet) -> Answer {
        loop {
            for device in &self.devices {
                if let Ok(mut counter) = device.counter.try_lock() {
                    let envelope = device.sign(server, Purpose::Enroll, eyes, wallet, &mut counter);
                    return send_to(server, "/v1/enrollments", &envelope);
                }
            }
            std::thread::yield_now();
        }
    }

    /// Person `number` comes again to another server of this site.
    pub(super) fn comes_again_to(&self, server: &Process, number: u64) -> Answer {
        self.come_to(server, &again(&person(number), 12, 12), &Wallet::new())
    }

    /// What a device signs for these eyes, in a session of its own.
    pub(super) fn envelope(&self, eyes: &EyePair, wallet: &Wallet) -> Vec<u8> {
        self.signed(Purpose::Enroll, eyes, wallet)
    }

    fn signed(&self, purpose: Purpose, eyes: &EyePair, wallet: &Wallet) -> Vec<u8> {
        let device = &self.devices[0];
        device.sign(&self.server, purpose, eyes, wallet, &mut device.counter.lock().unwrap())
    }

    pub(super) fn send(&self, envelope: &[u8]) -> Answer {
        send_to(&self.server, "/v1/enrollments", envelope)
    }

    /// Person `number` has lost their wallet.
    pub(super) fn recovers(&self, number: u64) -> Answer {
        let envelope = self.signed(Purpose::Recover, &again(&person(number), 12, 12), &Wallet::new());
        send_to(&self.server, "/v1/recoveries", &envelope)
    }

    /// The wallet of person `number` asks that they be erased.
    pub(super) fn leaves(&self, number: usize) -> Answer {
        let wallet = &self.wallets[number];
        let body = json!({ "commitment": wallet.commitment(), "opening": wallet.0.opening() });
        code(post(&self.server, "/v1/erasures", &body))
    }

    /// A number of the server's. 0 if it has not been counted yet.
    pub(super) fn metric(&self, name: &str) -> u64 {
        let (_, metrics) = get(&self.server, "/metrics");
        let metrics = metrics.as_str().unwrap_or_default().to_owned();
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0, |number| number.parse().unwrap())
    }

    pub(super) fn count(&self, table: &str) -> i64 {
        self.sql().query_one(&format!("SELECT count(*) FROM enroll.{table}"), &[]).unwrap().get(0)
    }

    /// Waits for what happens beside requests.
    #[track_caller]
    pub(super) fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let started = Instant::now();
        while !is_so() {
            assert!(started.elapsed() < SOON, "{what}: {}", self.server.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Eyes that are nobody's.
pub(super) fn stranger() -> EyePair {
    person((1 << 40) + (rng().next_u64() >> 24))
}

fn server(lab: &Lab, database_url: &str, workers: &[Process], name: &str) -> Process {
    let keys = lab.path("keys");
    if !keys.exists() {
        fs::create_dir(&keys).unwrap();
        lab.authority().secret(&keys.join("template.key"), &fs::read(lab.path("template.key")).unwrap());
    }
    let verifying_key = concat!(env!("CARGO_MANIFEST_DIR"), "/../../circuits/keys/development/verifying.key");
    let (keys, segments) = (keys.display(), lab.path("segments"));
    let text = format!(
        "bind = '127.0.0.1:0'\ndatabase_url = '{database_url}'\noperator_token = '{OPERATOR}'\n\
         origin = 'unum.test/set'\nkeys = '{keys}'\nsegments = '{}'\nverifying_key = '{verifying_key}'\n\
         segment_people = 16\nnonce_lifetime_seconds = 3600\n",
        segments.display(),
    );
    let config = lab.authority().secret(&lab.path("enroll.toml"), text.as_bytes());
    let cluster = lab.write_config(&lab.config(workers));
    Process::start(Program {
        name: name.to_owned(),
        file: env!("CARGO_BIN_EXE_enroll-cluster-server").into(),
        arguments: vec!["--config".into(), config.into(), "--cluster".into(), cluster.into()],
        env: vec![],
        log: lab.path(&format!("{name}.log")),
    })
}

impl Device {
    fn new(server: &Process) -> Self {
        let (mut id, mut key) = ([0; 16], [0; 32]);
        rng().fill_bytes(&mut id);
        rng().fill_bytes(&mut key);
        let key = SigningKey::from_slice(&key).expect("a random number is below the order but once in 2^32");
        let id = DeviceId(id);
        let body = json!({ "device": id, "key": DeviceSigner::key(&key), "label": "a test's device" });
        let url = server.url().join("/v1/devices").unwrap();
        let request = agent().post(url.as_str()).header("authorization", format!("Bearer {OPERATOR}"));
        assert_eq!(answer(request.send_json(&body)).0, 201);
        Self { id, key, counter: Mutex::new(0) }
    }

    /// What it signs for these eyes, in a session with `server`.
    fn sign(
        &self,
        server: &Process,
        purpose: Purpose,
        eyes: &EyePair,
        wallet: &Wallet,
        counter: &mut u64,
    ) -> Vec<u8> {
        let (status, session) = post(server, "/v1/sessions", &json!({ "device": self.id }));
        assert_eq!(status, 201, "{session}");
        let session: Session = serde_json::from_value(session).unwrap();
        let commitment = wallet.commitment();
        *counter += 1;
        let context = SealContext { nonce: session.nonce, device: self.id, commitment };
        let sealed = SealedTemplates::seal(&eyes.to_bytes(), &session.sealing_key, context, &mut rng());
        let payload = Payload {
            nonce: session.nonce,
            device: self.id,
            counter: *counter,
            firmware: FirmwareMeasurement([7; 32]),
            commitment,
            leaf_signature: sign_leaf(self.id, commitment, &self.key).unwrap(),
            consent_version: session.consent_version,
            report: CaptureReport::default(),
            sealed: sealed.unwrap(),
        };
        sign(&payload, purpose, &self.key).unwrap()
    }
}

pub(super) fn send_to(server: &Process, path: &str, envelope: &[u8]) -> Answer {
    let url = server.url().join(path).unwrap();
    code(answer(agent().post(url.as_str()).content_type(ENVELOPE_CONTENT_TYPE).send(envelope)))
}

fn post(server: &Process, path: &str, body: &Value) -> (u16, Value) {
    answer(agent().post(server.url().join(path).unwrap().as_str()).send_json(body))
}

pub(super) fn get(server: &Process, path: &str) -> (u16, Value) {
    answer(agent().get(server.url().join(path).unwrap().as_str()).call())
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().new_agent()
}

fn answer(response: Result<http::Response<ureq::Body>, ureq::Error>) -> (u16, Value) {
    let mut response = response.unwrap();
    let text = response.body_mut().read_to_string().unwrap();
    (response.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

fn code((status, body): (u16, Value)) -> Answer {
    let text = |key: &str| body.get(key).and_then(Value::as_str);
    (status, text("code").or(text("outcome")).or(text("state")).unwrap_or_default().to_owned())
}
