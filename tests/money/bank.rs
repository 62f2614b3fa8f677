//! One distribution with a database of its own, a clock that stands still, a set, and a programme.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use circuits::Private;
use distribution::client::{ClientError, Operator};
use distribution::config::Gathering;
use distribution::{Config, Server, StartError, Transition};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use unum_identity::action::Period;
use unum_identity::bytes::{AccountId, LedgerId};
use unum_identity::claim::{Amount, Claim, ClaimReceipt, ClaimTerms};
use unum_identity::field::ExternalNullifier;
use unum_identity::ledger::{AccountView, LedgerReport};
use unum_identity::problem::Problem;
use unum_identity::programme::{DepositRequest, Length, PeriodView, Policy, ProgrammeTerms, ProgrammeView};
use unum_identity::secret::Identity;
use unum_identity::set::MerklePath;
use unum_identity::signed::Signed;
use unum_identity::time::UnixTime;

use super::set::{ORIGIN, PublishedSet};
use crate::harness::{cluster, database, proving_keys, rng};

pub(crate) const TOKEN: &str = "operators-of-the-test-bank-0123456789";
pub(crate) const LEDGER: LedgerId = LedgerId([0xab; 16]);
pub(crate) const SHARE: u128 = 1000;
/// When the clock starts, and period 0 with it.
pub(crate) const START: u64 = 1_700_000_000;
pub(crate) const PERIOD_SECONDS: u64 = 3600;
const CONFIG: &str = "distribution.toml";

pub(crate) fn amount(minor: u128) -> Amount {
    Amount::new(minor).unwrap()
}

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
    pub(crate) content_type: String,
    pub(crate) retry_after: Option<u64>,
}

impl Answer {
    #[track_caller]
    pub(crate) fn receipt(&self) -> Signed<ClaimReceipt> {
        assert!(matches!(self.status, 200 | 201), "{self:?}");
        serde_json::from_str(&self.text).unwrap()
    }

    #[track_caller]
    pub(crate) fn problem(&self) -> Problem {
        assert_eq!(self.content_type, "application/problem+json", "{self:?}");
        let problem: Problem = serde_json::from_str(&self.text).unwrap();
        assert_eq!(problem.status, self.status);
        problem
    }

    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.problem().code.as_ref()), (status, code), "{}", self.text);
    }
}

/// The address of a distribution, and a programme on it.
pub(crate) struct Till {
    base: String,
    agent: ureq::Agent,
    pub(crate) operator: Operator,
    pub(crate) set: PublishedSet,
    /// Of its programme.
    pub(crate) terms: ProgrammeTerms,
}

impl Till {
    pub(crate) fn new(base: String, set: PublishedSet) -> Self {
        let operator = Operator::new(&base, TOKEN.to_owned());
        Self { base, agent: agent(), operator, set, terms: terms() }
    }

    pub(crate) fn move_to(&mut self, base: String) {
        self.operator = Operator::new(&base, TOKEN.to_owned());
        self.base = base;
    }

    pub(crate) fn programme(&self) -> ProgrammeView {
        self.operator.create_programme(&self.terms).unwrap()
    }

    pub(crate) fn period(&self, period: u64) -> PeriodView {
        self.operator.period(self.programme().id, Period(period)).unwrap()
    }

    pub(crate) fn deposit(&self, key: &str, minor: u128) {
        let request =
            DepositRequest { idempotency_key: key.into(), source: "city".into(), amount: amount(minor) };
        self.operator.deposit(self.programme().id, &request).unwrap();
    }

    pub(crate) fn advance(&self, period: u64, step: Transition) -> Result<PeriodView, ClientError> {
        self.operator.advance(self.programme().id, Period(period), step)
    }

    /// Opens a period with money for everyone.
    pub(crate) fn open(&self, period: u64) -> PeriodView {
        self.advance(period, Transition::Snapshot).unwrap();
        self.deposit(&format!("for-{period}"), SHARE * self.set.people.len() as u128);
        self.advance(period, Transition::Fund).unwrap();
        self.advance(period, Transition::Open).unwrap()
    }

    /// A person's claim, proved under the newest set unless the period has frozen another.
    pub(crate) fn prove(&self, person: usize, period: u64, terms: ClaimTerms) -> Claim {
        let programme = self.programme().id;
        let view = self.operator.period(programme, Period(period)).unwrap();
        let size = view.set.map_or(self.set.people.len() as u64, |set| set.size);
        self.prove_at(person, size, period, terms)
    }

    pub(crate) fn prove_at(&self, person: usize, size: u64, period: u64, terms: ClaimTerms) -> Claim {
        self.prove_by(&self.set.people[person], self.set.path(person, size), period, terms)
    }

    pub(crate) fn prove_by(
        &self,
        identity: &Identity,
        path: MerklePath,
        period: u64,
        terms: ClaimTerms,
    ) -> Claim {
        let (programme, period) = (self.programme().id, Period(period));
        let private = Private { identity: identity.clone(), path };
        let public = private.statement(ExternalNullifier::of_claim(&programme, period), terms.signal_hash());
        let proof = proving_keys().prover.prove(&public, &private, &mut rng()).unwrap();
        Claim { programme, period, nullifier: public.nullifier, terms, proof, relayer: None }
    }

    /// All at once, each on a connection of its own; the answers in their order.
    pub(crate) fn send_together(&self, claims: &[&Claim]) -> Vec<Answer> {
        std::thread::scope(|scope| {
            let sent: Vec<_> = claims.iter().map(|claim| scope.spawn(|| self.send(claim))).collect();
            sent.into_iter().map(|answer| answer.join().unwrap()).collect()
        })
    }

    pub(crate) fn send(&self, claim: &Claim) -> Answer {
        self.post("/v1/claims", &serde_json::to_string(claim).unwrap())
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        self.try_post(path, body).unwrap()
    }

    /// None if the connection broke.
    pub(crate) fn try_post(&self, path: &str, body: &str) -> Option<Answer> {
        let request = self.agent.post(self.url(path)).header("content-type", "application/json");
        read(request.send(body))
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        read(self.agent.get(self.url(path)).call()).unwrap()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(crate) fn balance(&self, account: AccountId) -> u128 {
        let view: AccountView =
            serde_json::from_str(&self.get(&format!("/v1/accounts/{account}")).text).unwrap();
        view.balance.minor()
    }

    /// The checked ledger; it has to hold.
    #[track_caller]
    pub(crate) fn books(&self) -> LedgerReport {
        let report = self.operator.check_ledger().unwrap();
        assert_eq!(report.problems, []);
        assert_eq!(report.difference.minor(), 0);
        report
    }
}

/// A running distribution, of one server unless more are started.
pub(crate) struct Bank {
    servers: Vec<Server>,
    clock: Arc<AtomicU64>,
    pub(crate) till: Till,
    /// Its address for the owner.
    pub(crate) database: String,
    // Last, so that the server is gone before its threads and its files are.
    runtime: Runtime,
    folder: TempDir,
}

impl std::ops::Deref for Bank {
    type Target = Till;

    fn deref(&self) -> &Till {
        &self.till
    }
}

impl Bank {
    pub(crate) fn with_people(people: usize) -> Self {
        Self::at(people, database(cluster()))
    }

    pub(crate) fn at(people: usize, database: String) -> Self {
        Self::gathering(people, database, Gathering::default())
    }

    /// Takes claims as told.
    pub(crate) fn gathering(people: usize, database: String, claims: Gathering) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let set = PublishedSet::of(people);
        write_config(folder.path(), &database, &set);
        let clock = Arc::new(AtomicU64::new(START));
        let till = Till::new(String::new(), set);
        let runtime = Runtime::new().unwrap();
        let mut bank = Self { servers: Vec::new(), clock, till, database, runtime, folder };
        let base = bank.start(claims);
        bank.till.move_to(base);
        bank
    }

    /// One more server on the same database, with the same keys. Its address.
    pub(crate) fn start(&mut self, claims: Gathering) -> String {
        let time = Arc::clone(&self.clock);
        let mut config = Config::load(&self.folder.path().join(CONFIG), |_| None).unwrap();
        config.claims = claims;
        let clock = Arc::new(move || UnixTime(time.load(Ordering::SeqCst)));
        let server = self.runtime.block_on(Server::start(config, clock, &mut rng())).unwrap();
        let base = format!("http://{}", server.addr());
        self.servers.push(server);
        base
    }

    /// Whether a server would start with another address of the database.
    pub(crate) fn try_start_at(&self, database: &str) -> Result<(), StartError> {
        let mut config = Config::load(&self.folder.path().join(CONFIG), |_| None).unwrap();
        database.clone_into(&mut config.database_url);
        self.runtime.block_on(Server::start(config, Arc::new(|| UnixTime(START)), &mut rng())).map(drop)
    }

    pub(crate) fn key(&self) -> unum_identity::bytes::ServiceKey {
        self.servers[0].service_key()
    }

    pub(crate) fn now(&self) -> u64 {
        self.clock.load(Ordering::SeqCst)
    }

    pub(crate) fn set_time(&self, seconds: u64) {
        self.clock.store(seconds, Ordering::SeqCst);
    }

    /// A connection as somebody has who took over the server.
    pub(crate) fn burglar(&self) -> postgres::Client {
        let url = self.database.replacen("//unum:", &format!("//{ROLE}:"), 1);
        let mut client = postgres::Client::connect(&url, postgres::NoTls).unwrap();
        client.batch_execute("SET search_path = distribution").unwrap();
        client
    }

    /// A superuser's connection to the database, behind the server's back.
    pub(crate) fn intruder(&self) -> postgres::Client {
        let mut client = postgres::Client::connect(&self.database, postgres::NoTls).unwrap();
        client.batch_execute("SET search_path = distribution").unwrap();
        client
    }
}

impl Drop for Bank {
    fn drop(&mut self) {
        for server in self.servers.drain(..) {
            self.runtime.block_on(server.shutdown());
        }
    }
}

/// A programme that starts with the clock.
pub(crate) fn terms() -> ProgrammeTerms {
    ProgrammeTerms {
        name: "basic".into(),
        unit: "UNM".into(),
        minor_digits: 2,
        policy: Policy::Fixed { amount: amount(SHARE) },
        starts_at: UnixTime(START),
        length: Length::Seconds { seconds: PERIOD_SECONDS },
        claim_window: 2,
    }
}

/// To `recipient`, without a fee, good for ever.
pub(crate) fn to(recipient: u8) -> ClaimTerms {
    ClaimTerms {
        ledger: LEDGER,
        recipient: AccountId([recipient; 32]),
        fee: Amount::ZERO,
        deadline: UnixTime(u64::MAX),
    }
}

/// The server's role in Postgres.
pub(crate) const ROLE: &str = "unum_distribution";

/// Prepares the database that `owner` owns, as an operator does, and returns its address for the server's role.
fn prepared(owner: &str) -> String {
    let password = owner.split([':', '@']).nth(2).unwrap();
    let make = format!(
        "DO $$ BEGIN CREATE ROLE {ROLE} LOGIN PASSWORD '{password}'; \
         EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    );
    postgres::Client::connect(owner, postgres::NoTls).unwrap().batch_execute(&make).unwrap();
    let preparing = distribution::prepare_database(owner, ROLE, Duration::from_secs(15));
    Runtime::new().unwrap().block_on(preparing).unwrap();
    owner.replacen("//unum:", &format!("//{ROLE}:"), 1)
}

/// A configuration file as an operator writes it, for a database that `owner` owns.
pub(crate) fn write_config(folder: &Path, owner: &str, set: &PublishedSet) -> PathBuf {
    let database = &prepared(owner);
    let verifying_key = folder.join("membership.vk");
    std::fs::write(&verifying_key, &proving_keys().verifying_key).unwrap();
    let mut text = String::new();
    for (name, value) in [
        ("bind", "127.0.0.1:0"),
        ("database_url", database),
        ("operator_token", TOKEN),
        ("ledger", &LEDGER.to_string()),
        ("keys", &folder.join("keys").display().to_string()),
        ("verifying_key", &verifying_key.display().to_string()),
        ("enroll_server", &set.url),
    ] {
        writeln!(text, "{name} = {}", Value::from(value)).unwrap(); // JSON's texts are TOML's, for these
    }
    writeln!(text, "accept_keys_of_one_maker = true").unwrap();
    writeln!(text, "[periods]\ndrive = false").unwrap(); // every step by hand, by a clock of our own
    writeln!(text, "[set]\norigin = {}\nkey = \"{}\"", Value::from(ORIGIN), set.key()).unwrap();
    let path = folder.join(CONFIG);
    std::fs::write(&path, text).unwrap();
    path
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().new_agent()
}

fn read(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Option<Answer> {
    let mut answer = answer.ok()?;
    let header = |name| Some(answer.headers().get(name)?.to_str().ok()?.to_owned());
    let content_type = header("content-type").unwrap_or_default();
    let retry_after = header("retry-after").map(|seconds| seconds.parse().unwrap());
    let status = answer.status().as_u16();
    let text = answer.body_mut().read_to_string().ok()?;
    Some(Answer { status, text, content_type, retry_after })
}
