//! What an operator chooses: a TOML file, with the two secrets in it overridable from the environment.
//!
//! ```toml
//! bind = "127.0.0.1:8090"
//! database_url = "postgres://unum_distribution@127.0.0.1/unum" # or DATABASE_URL; the role owns nothing: distribution prepare
//! operator_token = "…"                              # or DISTRIBUTION_OPERATOR_TOKEN
//! ledger = "6f0c…"                                  # 16 bytes in hex, drawn once: openssl rand -hex 16
//! keys = "/var/lib/unum/distribution"
//! verifying_key = "/usr/share/unum/membership.vk"
//! ceremony_key = "58ef…"                            # the hash that everybody who took part knows
//! enroll_server = "http://127.0.0.1:8080"
//!
//! [claims]                                          # may be left out: how many are paid together
//! batch = 256
//! batch_wait_ms = 5
//! queue = 4096
//!
//! [periods]                                         # may be left out: whether periods move on by themselves
//! drive = true
//! every_seconds = 10
//! tolerance_seconds = 10                            # by which clocks may differ
//! settle_seconds = 60                               # how long they agree before they are believed again
//!
//! [set]                                             # whose checkpoints are believed
//! origin = "example.org/unum-set"
//! key = "d75a…"
//! ```

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use service::OperatorToken;
use service::config::{FileError, WeakToken};
use tokio::sync::Semaphore;
use unum_identity::bytes::{DeviceId, DeviceKey, KeyHash, LedgerId, ServiceKey};

/// The server's configuration. `Debug` shows no value: the database address and the token are secrets.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address to listen on; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Where Postgres is, for a role that may not rewrite anything ([`crate::rights`]). Everything lives in the schema
    /// `distribution`. The connection is not encrypted: keep it on one machine or in a tunnel.
    #[serde(default)]
    pub database_url: String,
    /// Bearer token of operators, at least [`service::config::MIN_TOKEN`] characters.
    #[serde(default)]
    pub operator_token: OperatorToken,
    /// Names this ledger; a claim made for another is refused. Never changes once a database has it.
    pub ledger: LedgerId,
    /// Folder of `signing.key`, which signs receipts and statements; made at the first start. If it is lost, everyone
    /// who checks receipts has to be told the new one, and old receipts stay good. If it is stolen, somebody can sign
    /// receipts for payments that the ledger does not have; `ledger check` and sealed statements show which are real.
    pub keys: PathBuf,
    /// File of the verifying key of membership proofs.
    pub verifying_key: PathBuf,
    /// Hash of the verifying key that a ceremony of many ended with, from a source you trust.
    #[serde(default)]
    pub ceremony_key: Option<KeyHash>,
    /// Accepts keys whose maker could forge claims: for trying things out, never where the money buys anything.
    #[serde(default)]
    pub accept_keys_of_one_maker: bool,
    /// Base address of the enrollment server that publishes the set.
    pub enroll_server: String,
    /// Whose checkpoints of the set are believed.
    pub set: TrustedSet,
    /// How claims are gathered.
    #[serde(default)]
    pub claims: Gathering,
    /// Whether periods move on by themselves.
    #[serde(default)]
    pub periods: Driving,
    /// How long to wait for Postgres at the start.
    #[serde(default = "defaults::startup_wait_seconds")]
    pub startup_wait_seconds: u64,
}

mod defaults {
    /// Postgres recovers from a crash within seconds at this size of database.
    pub(super) fn startup_wait_seconds() -> u64 {
        15
    }
}

/// How claims are gathered, so that several share one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gathering {
    /// Claims in one transaction at most, 1 to [`Gathering::MAX_BATCH`].
    pub batch: usize,
    /// Milliseconds that the first claim of a batch waits for others, up to [`Gathering::MAX_WAIT_MS`].
    pub batch_wait_ms: u64,
    /// Claims under way at once, at least one; whoever comes then is told to come back.
    pub queue: usize,
}

impl Gathering {
    /// Largest batch: a commit's cost is spread thin by then (`docs/measurements/money.md`), and everybody in it waits
    /// for everybody else.
    pub const MAX_BATCH: usize = 256;
    /// Longest wait: a person is waiting.
    pub const MAX_WAIT_MS: u64 = 1000;
}

impl Default for Gathering {
    /// 5 ms is about what a commit takes on a disk (`pg_test_fsync`: 1.5 to 3.6 ms on the machine that we measure on). A queue
    /// of 4,096 has to be worked off before clients give up, 30 s: at the slowest that was measured it takes 6
    /// (`docs/measurements/money.md`).
    fn default() -> Self {
        Self { batch: Self::MAX_BATCH, batch_wait_ms: 5, queue: 4096 }
    }
}

/// How the worker drives periods: who may claim is frozen, funded and opened when a period starts, closed and sealed when
/// its window is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Driving {
    /// Whether it does. Otherwise operators take every step, and answer for the clock.
    pub drive: bool,
    /// Seconds between two rounds, 1 to [`Driving::MAX_SECONDS`].
    pub every_seconds: u64,
    /// Seconds by which the machine's clock, Postgres's, and the time that has passed may differ, 1 to
    /// [`Driving::MAX_SECONDS`]. Beyond, no period moves on.
    pub tolerance_seconds: u64,
    /// Seconds for which they have to agree again, up to [`Driving::MAX_SECONDS`].
    pub settle_seconds: u64,
}

impl Driving {
    /// An hour: a period that is a day long should not open later than that.
    pub const MAX_SECONDS: u64 = 3600;

    pub(crate) fn every(&self) -> Duration {
        Duration::from_secs(self.every_seconds)
    }

    pub(crate) fn tolerance(&self) -> Duration {
        Duration::from_secs(self.tolerance_seconds)
    }

    pub(crate) fn settle(&self) -> Duration {
        Duration::from_secs(self.settle_seconds)
    }
}

impl Default for Driving {
    /// A round costs two reads. Clocks kept by NTP differ by less than a second and are read in whole ones, and an answer of
    /// Postgres takes ten at most; nobody misses ten seconds of a window. Whoever sets a clock wrong notices within a minute,
    /// or not soon.
    fn default() -> Self {
        Self { drive: true, every_seconds: 10, tolerance_seconds: 10, settle_seconds: 60 }
    }
}

/// Whom this server believes about the set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedSet {
    /// Name of the set in its checkpoints.
    pub origin: String,
    /// Key that signs them.
    pub key: ServiceKey,
    /// Devices that may vouch for people. If any is named, every leaf must carry the signature of one of them, and
    /// the enrollment server cannot add a leaf of its own.
    #[serde(default)]
    pub devices: Vec<TrustedDevice>,
}

/// A device that may vouch for people.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedDevice {
    /// Its id.
    pub device: DeviceId,
    /// Its public key.
    pub key: DeviceKey,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Config")
    }
}

/// Why a configuration cannot be used. Correct the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read, or holds no configuration.
    #[error(transparent)]
    File(#[from] FileError),
    /// No database address in the file, and none in `DATABASE_URL`.
    #[error("database_url is missing: set it in the file or in DATABASE_URL")]
    NoDatabase,
    /// The token can be guessed.
    #[error("{0}: set operator_token in the file or DISTRIBUTION_OPERATOR_TOKEN")]
    WeakToken(#[from] WeakToken),
    /// The enrollment server's address is none that can be called.
    #[error("enroll_server {0:?} does not start with http:// or https://")]
    EnrollServer(String),
    /// Nobody could be paid, or everybody would wait.
    #[error(
        "claims: batch is {batch}, must be 1 to {max}; batch_wait_ms is {batch_wait_ms}, at most {wait}; queue is \
         {queue}, at least 1",
        batch = .0.batch, batch_wait_ms = .0.batch_wait_ms, queue = .0.queue,
        max = Gathering::MAX_BATCH, wait = Gathering::MAX_WAIT_MS
    )]
    Gathering(Gathering),
    /// Periods would never move on, or without a look at the clocks.
    #[error(
        "periods: every_seconds is {}, tolerance_seconds {}, each must be 1 to {max}; settle_seconds is {}, at most {max}",
        .0.every_seconds, .0.tolerance_seconds, .0.settle_seconds, max = Driving::MAX_SECONDS
    )]
    Driving(Driving),
}

impl Config {
    /// Reads a file; `env` looks up a variable of the environment.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`].
    pub fn load(path: &Path, env: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut config: Self = service::config::read(path)?;
        if let Some(url) = env("DATABASE_URL") {
            config.database_url = url;
        }
        if let Some(token) = env("DISTRIBUTION_OPERATOR_TOKEN") {
            config.operator_token = token.into();
        }
        config.check()?;
        Ok(config)
    }

    /// Whether the values make sense. [`crate::Server::start`] asks too.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`].
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.database_url.is_empty() {
            return Err(ConfigError::NoDatabase);
        }
        self.operator_token.check()?;
        if !["http://", "https://"].iter().any(|scheme| self.enroll_server.starts_with(scheme)) {
            return Err(ConfigError::EnrollServer(self.enroll_server.clone()));
        }
        let Gathering { batch, batch_wait_ms, queue } = self.claims;
        let sensible = (1..=Gathering::MAX_BATCH).contains(&batch)
            && batch_wait_ms <= Gathering::MAX_WAIT_MS
            && (1..=Semaphore::MAX_PERMITS).contains(&queue);
        if !sensible {
            return Err(ConfigError::Gathering(self.claims));
        }
        let Driving { every_seconds, tolerance_seconds, settle_seconds, .. } = self.periods;
        let sensible = (1..=Driving::MAX_SECONDS).contains(&every_seconds)
            && (1..=Driving::MAX_SECONDS).contains(&tolerance_seconds)
            && settle_seconds <= Driving::MAX_SECONDS;
        if !sensible {
            return Err(ConfigError::Driving(self.periods));
        }
        Ok(())
    }

    pub(crate) fn startup_wait(&self) -> Duration {
        Duration::from_secs(self.startup_wait_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> String {
        let (ledger, key) = ("ab".repeat(16), "cd".repeat(32));
        format!(
            r#"
            bind = "127.0.0.1:0"
            database_url = "postgres://in-the-file"
            operator_token = "0123456789abcdef0123456789abcdef"
            ledger = "{ledger}"
            keys = "keys"
            verifying_key = "membership.vk"
            enroll_server = "http://127.0.0.1:8080"
            [set]
            origin = "example.org/set"
            key = "{key}"
            "#
        )
    }

    fn load(text: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("distribution.toml");
        std::fs::write(&path, text).unwrap();
        Config::load(&path, |name| env.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let config = load(&file(), &[("DATABASE_URL", "postgres://from-env")]).unwrap();
        assert_eq!(config.database_url, "postgres://from-env");
        assert_eq!(config.ledger, LedgerId([0xab; 16]));
        assert!(config.set.devices.is_empty());
        assert_eq!(config.claims, Gathering::default());
        assert_eq!(config.periods, Driving::default());
        assert!(config.periods.drive);
    }

    #[test]
    fn refusals() {
        let changed = |from: &str, to: &str| load(&file().replacen(from, to, 1), &[]).unwrap_err();
        assert!(matches!(changed("postgres://in-the-file", ""), ConfigError::NoDatabase));
        assert!(matches!(
            changed("0123456789abcdef\"", "\""),
            ConfigError::WeakToken(WeakToken { found: 16 })
        ));
        assert!(matches!(changed("http://", "ftp://"), ConfigError::EnrollServer(_)));
        assert!(matches!(changed("origin", "orgin"), ConfigError::File(FileError::Malformed { .. })));
        assert!(matches!(changed("abab", "ab"), ConfigError::File(FileError::Malformed { .. })));
        for claims in ["batch = 0", "batch = 257", "batch_wait_ms = 1001", "queue = 0"] {
            let table = format!("[claims]\n{claims}\n[set]");
            assert!(matches!(changed("[set]", &table), ConfigError::Gathering(_)), "{claims}");
        }
        for periods in ["every_seconds = 0", "tolerance_seconds = 0", "settle_seconds = 3601"] {
            let table = format!("[periods]\n{periods}\n[set]");
            assert!(matches!(changed("[set]", &table), ConfigError::Driving(_)), "{periods}");
        }
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", load(&file(), &[]).unwrap()), "Config");
    }
}
