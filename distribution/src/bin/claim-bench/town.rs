//! A published set of invented people, and distributions with one open period for them, each on a database of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::routing::get;
use bench_kit::Forger;
use distribution::client::Operator;
use distribution::config::Gathering;
use distribution::{Config, Server, Transition};
use ed25519_dalek::SigningKey;
use private_postgres::Cluster;
use rand_core::UnwrapErr;
use serde_json::json;
use tokio::net::TcpListener;
use unum_identity::action::Period;
use unum_identity::bytes::{DeviceId, DeviceSignature, LedgerId, ProgrammeId};
use unum_identity::checkpoint::Checkpoint;
use unum_identity::claim::{Amount, Claim};
use unum_identity::enrollment::{PublishedLeaf, Snapshot};
use unum_identity::field::{Commitment, Root};
use unum_identity::ledger::LedgerReport;
use unum_identity::programme::{DepositRequest, Length, Policy, ProgrammeTerms};
use unum_identity::set::Set;
use unum_identity::signed::service_key;
use unum_identity::time::UnixTime;

use crate::forge;

pub(crate) const LEDGER: LedgerId = LedgerId([0xab; 16]);
const TOKEN: &str = "operators of a bench, on loopback, for a minute";
/// The servers' role in Postgres.
const ROLE: &str = "unum_distribution";
pub(crate) const ORIGIN: &str = "example.org/bench-set";
/// When everything happens.
pub(crate) const NOW: UnixTime = UnixTime(1_800_000_000);
const PERIOD: Period = Period(0);
pub(crate) const SHARE: u128 = 1000;

/// Whom all distributions pay.
pub(crate) struct Town {
    cluster: Cluster,
    folder: tempfile::TempDir,
    enroll_server: String,
    set_key: SigningKey,
    people: u64,
    root: Root,
    forger: Forger,
}

impl Town {
    /// Publishes a set of `people` on loopback.
    pub(crate) async fn of(people: u64) -> anyhow::Result<Self> {
        let rng = &mut UnwrapErr(getrandom::SysRng);
        let cluster = tokio::task::block_in_place(|| Cluster::temporary(rng))?;
        let folder = tempfile::tempdir()?;
        let forger = Forger::new(rng);
        std::fs::write(folder.path().join("membership.vk"), forger.verifying_key_bytes())?;
        let set_key = SigningKey::from_bytes(&[7; 32]);
        let mut set = Set::default();
        set.extend((1..=people).map(|person| Commitment(person.into())))?;
        let checkpoint = Checkpoint { origin: ORIGIN.into(), size: set.len(), root: set.root() };
        let leaf = |commitment| PublishedLeaf {
            commitment,
            device: DeviceId([1; 16]),
            signature: DeviceSignature([0; 64]), // nobody is configured to look at it
        };
        let leaves = set.leaves().map(leaf).collect();
        let snapshot = serde_json::to_string(&Snapshot { checkpoint: checkpoint.sign(&set_key), leaves })?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let enroll_server = format!("http://{}", listener.local_addr()?);
        let routes = Router::new().route("/v1/set/snapshot", get(async move || snapshot.clone()));
        tokio::spawn(axum::serve(listener, routes).into_future());
        Ok(Self { cluster, folder, enroll_server, set_key, people, root: set.root(), forger })
    }

    /// A database, and so many servers on it, which gather claims as told.
    pub(crate) async fn till(&self, name: &str, servers: usize, claims: Gathering) -> anyhow::Result<Till> {
        let (owner, database) = tokio::task::block_in_place(|| {
            anyhow::Ok((self.cluster.database(name)?, self.cluster.database_for(ROLE, name)?))
        })?;
        distribution::prepare_database(&owner, ROLE, Duration::from_secs(15)).await?;
        let mut till = Till { servers: Vec::new(), database, programme: ProgrammeId([0; 16]) };
        for number in 0..servers {
            let config = self.config(&till.database, &format!("{name}-{number}"), claims)?;
            let rng = &mut UnwrapErr(getrandom::SysRng);
            till.servers.push(Server::start(config, Arc::new(|| NOW), rng).await?);
        }
        let operator = till.operator();
        let people = self.people;
        till.programme = tokio::task::spawn_blocking(move || open(&operator, people)).await??;
        Ok(till)
    }

    fn config(&self, database: &str, name: &str, claims: Gathering) -> anyhow::Result<Config> {
        let folder = |name: &str| -> PathBuf { self.folder.path().join(name) };
        let mut config: Config = serde_json::from_value(json!({
            "bind": "127.0.0.1:0",
            "database_url": database,
            "operator_token": TOKEN,
            "ledger": LEDGER,
            "keys": folder(name),
            "verifying_key": folder("membership.vk"),
            "accept_keys_of_one_maker": true,
            "enroll_server": self.enroll_server,
            "set": { "origin": ORIGIN, "key": service_key(&self.set_key) },
            "periods": { "drive": false }, // the bench's clock stands still
        }))?;
        config.claims = claims;
        Ok(config)
    }

    /// Claims of different people at `till`.
    pub(crate) fn claims(&self, till: &Till, count: usize) -> Vec<Claim> {
        tokio::task::block_in_place(|| forge::claims(&self.forger, till.programme, PERIOD, self.root, count))
    }

    /// The root that the claims are proved under.
    pub(crate) fn root(&self) -> Root {
        self.root
    }

    /// The key that the claims are proved with.
    pub(crate) fn verifying_key(&self) -> circuits::VerifyingKey {
        self.forger.verifying_key()
    }
}

/// What the bench promises.
pub(crate) fn terms() -> anyhow::Result<ProgrammeTerms> {
    Ok(ProgrammeTerms {
        name: "bench".into(),
        unit: "UNM".into(),
        minor_digits: 2,
        policy: Policy::Fixed { amount: Amount::new(SHARE)? },
        starts_at: NOW,
        length: Length::Seconds { seconds: 3600 },
        claim_window: 2,
    })
}

/// Opens a period with money for everyone.
fn open(operator: &Operator, people: u64) -> anyhow::Result<ProgrammeId> {
    let share = Amount::new(SHARE)?;
    let programme = operator.create_programme(&terms()?)?.id;
    let amount = share.checked_mul(people).context("too much money")?;
    let deposit = DepositRequest { idempotency_key: "all".into(), source: "bench".into(), amount };
    operator.deposit(programme, &deposit)?;
    for step in [Transition::Snapshot, Transition::Fund, Transition::Open] {
        operator.advance(programme, PERIOD, step)?;
    }
    Ok(programme)
}

/// Servers on one database, with an open period.
pub(crate) struct Till {
    pub(crate) servers: Vec<Server>,
    database: String,
    programme: ProgrammeId,
}

impl Till {
    fn operator(&self) -> Operator {
        Operator::new(&format!("http://{}", self.servers[0].addr()), TOKEN.to_owned())
    }

    /// What the database says of a setting.
    pub(crate) async fn setting(&self, name: &str) -> anyhow::Result<String> {
        let (client, connection) = tokio_postgres::connect(&self.database, tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        Ok(client.query_one(&format!("SHOW {name}"), &[]).await?.try_get(0)?)
    }

    /// Checks the ledger, stops the servers, and says what the check found: every entry holds, and `paid` people were paid.
    pub(crate) async fn close(self, paid: usize) -> anyhow::Result<LedgerReport> {
        let operator = self.operator();
        let report = tokio::task::spawn_blocking(move || operator.check_ledger()).await??;
        anyhow::ensure!(report.problems.is_empty(), "the ledger does not hold: {:?}", report.problems);
        let expected = 2 + paid as u64; // a deposit and a reserve
        anyhow::ensure!(report.transfers == expected, "{} entries, not {expected}", report.transfers);
        for server in self.servers {
            server.shutdown().await;
        }
        Ok(report)
    }
}
