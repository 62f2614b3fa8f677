//! What an operator chooses: a TOML file, with the two secrets in it overridable from the environment.
//!
//! ```toml
//! bind = "127.0.0.1:8080"
//! database_url = "postgres://unum@127.0.0.1/unum"   # or DATABASE_URL
//! operator_token = "…"                              # or ENROLL_OPERATOR_TOKEN
//! origin = "example.org/unum-set"
//! keys = "/etc/unum/enroll"
//! segments = "/var/lib/unum/enroll"
//! verifying_key = "/usr/share/unum/membership.vk"
//!
//! [limits]                                          # what a client or an app may ask for; 0: as much as it likes
//! address_per_second = 100
//! trusted_proxies = ["10.0.0.2"]                    # whose X-Forwarded-For is believed
//!
//! [[foreign_sets]]                                  # sets of others, whose people apps may take
//! name = "world-id-3"
//! verifying_key = "/etc/unum/world-id-3.json"       # as snarkjs writes it
//! roots = ["0x2a1b95d4d79a98d257a31aaa2ca3556dd07de34344e40488fc9dc58adea00c89"]
//! ```

mod humanness;

use std::collections::HashSet;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use service::OperatorToken;
use service::config::{FileError, WeakToken};
use unum_iris::{BITS, BLOCK_PEOPLE, Limit, LimitError, Measure, Thresholds};

pub use humanness::{ForeignSet, Limits};
use unum_identity::humanness::UNUM_SET;

/// The server's configuration. `Debug` shows no value: the database address and the token are secrets.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address to listen on; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Where Postgres is. Everything lives in the schema `enroll`. The connection is not encrypted: keep it on
    /// one machine or in a tunnel.
    #[serde(default)]
    pub database_url: String,
    /// Bearer token of operators, at least [`service::config::MIN_TOKEN`] characters.
    #[serde(default)]
    pub operator_token: OperatorToken,
    /// Name of the set in its checkpoints: no spaces, no `+`.
    pub origin: String,
    /// Folder of the key files; they are made at the first start. See [`crate::keys`].
    pub keys: PathBuf,
    /// Folder of everyone's eyes, encrypted, as a scan needs them: 8.2 KB a person. What is missing there is made again
    /// from the database. Other files there are left alone, but for those that end in `.draft`.
    pub segments: PathBuf,
    /// People in a segment from now on; those that exist stay as they are. Larger ones make a shorter manifest, which
    /// is read with each enrollment; smaller ones are sooner out of the tail, which is read at each start.
    #[serde(default = "defaults::segment_people")]
    pub segment_people: u32,
    /// File of the verifying key of membership proofs.
    pub verifying_key: PathBuf,
    /// The consent text that devices have to show.
    #[serde(default = "defaults::consent_version")]
    pub consent_version: u32,
    /// Where two eyes become one: a `measure`, "plain" or "normalised", and limits on it in ten-thousandths. What is left
    /// out is as [`Thresholds::of`] the measure says.
    #[serde(default, deserialize_with = "thresholds")]
    pub thresholds: Thresholds,
    /// Whether people with one eye may enroll. One person could then come twice, once with each.
    #[serde(default)]
    pub one_eye: bool,
    /// Fewest bits that must be visible in each eye, of 16,384. It guards everyone else: a comparison needs 20 % in
    /// common, so a nearly closed eye, once enrolled, would fail all comparisons and nobody could enroll after it.
    #[serde(default = "defaults::min_usable_bits")]
    pub min_usable_bits: u32,
    /// How long a nonce is good.
    #[serde(default = "defaults::nonce_lifetime_seconds")]
    pub nonce_lifetime_seconds: u64,
    /// How long a root is accepted after it was replaced.
    #[serde(default = "defaults::root_window_seconds")]
    pub root_window_seconds: u64,
    /// How long after a recovery the same person cannot recover again. Each recovery makes somebody a new human to the
    /// apps.
    #[serde(default = "defaults::recovery_wait_seconds")]
    pub recovery_wait_seconds: u64,
    /// How long to wait for Postgres at the start.
    #[serde(default = "defaults::startup_wait_seconds")]
    pub startup_wait_seconds: u64,
    /// How much anybody may ask of the humanness API.
    #[serde(default)]
    pub limits: Limits,
    /// Sets of others, whose people apps may take beside or instead of ours.
    #[serde(default)]
    pub foreign_sets: Vec<ForeignSet>,
}

mod defaults {
    pub(super) fn consent_version() -> u32 {
        1
    }
    /// 33.6 MB: sixteen huge pages, and a scan of it is long enough to be worth handing to a thread.
    pub(super) fn segment_people() -> u32 {
        4096
    }
    /// Half: of 631,405 pairs of strangers that show as much each had 20.4 % in common at least (own measurement,
    /// `docs/accuracy.md`).
    pub(super) fn min_usable_bits() -> u32 {
        unum_iris::BITS / 2
    }
    /// DESIGN, section 4: long enough for both eyes and a retry, too short to be carried away.
    pub(super) fn nonce_lifetime_seconds() -> u64 {
        120
    }
    /// Seven days, as World ID's contract: a proof made offline survives a week without network.
    pub(super) fn root_window_seconds() -> u64 {
        7 * 24 * 3600
    }
    /// Thirty days: a lost phone is not lost every week.
    pub(super) fn recovery_wait_seconds() -> u64 {
        30 * 24 * 3600
    }
    /// Postgres recovers from a crash within seconds at this size of database.
    pub(super) fn startup_wait_seconds() -> u64 {
        15
    }
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
    #[error("{0}: set operator_token in the file or ENROLL_OPERATOR_TOKEN")]
    WeakToken(#[from] WeakToken),
    /// A checkpoint with this name could not be read back.
    #[error("origin {0:?} is empty or holds a space, a line break or a plus sign")]
    Origin(String),
    /// Eyes that no comparison accepts would be enrolled, or no eye would.
    #[error("min_usable_bits is {found}, must be {least} to {BITS}", least = unum_iris::MIN_COMPARED)]
    UsableBits {
        /// The value given.
        found: u32,
    },
    /// Two sets with one name, one without, or one that has ours.
    #[error("foreign set {0:?}: each needs a name of its own of 1 to 64 characters, and not {UNUM_SET:?}")]
    SetName(String),
    /// A root belongs to one set.
    #[error("foreign set {0:?} has a root that another one has too")]
    SharedRoot(String),
    /// Nobody could verify anything.
    #[error("limits.proofs_waiting is 0, must be 1 or more")]
    NoProofs,
    /// Segments that nobody would want.
    #[error("segment_people is {found}, must be {LEAST_SEGMENT} to {LARGEST_SEGMENT}")]
    SegmentPeople {
        /// The value given.
        found: u32,
    },
}

/// Fewest people in a segment: a full block, so that none is left half empty for ever.
const LEAST_SEGMENT: u32 = BLOCK_PEOPLE as u32;
/// Most people in a segment: 537 MB, which a thread decrypts in a second. As the check in `migrations/V2__segments.sql`.
const LARGEST_SEGMENT: u32 = 1 << 16;

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
        if let Some(token) = env("ENROLL_OPERATOR_TOKEN") {
            config.operator_token = token.into();
        }
        config.check()?;
        Ok(config)
    }

    /// Whether the values make sense together. [`crate::Server::start`] asks too.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`].
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.database_url.is_empty() {
            return Err(ConfigError::NoDatabase);
        }
        self.operator_token.check()?;
        if self.origin.is_empty() || self.origin.contains(|c: char| c.is_whitespace() || c == '+') {
            return Err(ConfigError::Origin(self.origin.clone()));
        }
        if !(unum_iris::MIN_COMPARED..=BITS).contains(&self.min_usable_bits) {
            return Err(ConfigError::UsableBits { found: self.min_usable_bits });
        }
        if !(LEAST_SEGMENT..=LARGEST_SEGMENT).contains(&self.segment_people) {
            return Err(ConfigError::SegmentPeople { found: self.segment_people });
        }
        if self.limits.proofs_waiting == 0 {
            return Err(ConfigError::NoProofs);
        }
        self.check_foreign_sets()
    }

    fn check_foreign_sets(&self) -> Result<(), ConfigError> {
        let (mut names, mut roots) = (HashSet::from([UNUM_SET]), HashSet::new());
        for set in &self.foreign_sets {
            if !(1..=64).contains(&set.name.chars().count()) || !names.insert(&set.name) {
                return Err(ConfigError::SetName(set.name.clone()));
            }
            let own: HashSet<_> = set.roots.iter().collect();
            if own.into_iter().any(|root| !roots.insert(root)) {
                return Err(ConfigError::SharedRoot(set.name.clone()));
            }
        }
        Ok(())
    }

    pub(crate) fn nonce_lifetime(&self) -> Duration {
        Duration::from_secs(self.nonce_lifetime_seconds)
    }

    pub(crate) fn root_window(&self) -> Duration {
        Duration::from_secs(self.root_window_seconds)
    }

    pub(crate) fn recovery_wait(&self) -> Duration {
        Duration::from_secs(self.recovery_wait_seconds)
    }

    pub(crate) fn startup_wait(&self) -> Duration {
        Duration::from_secs(self.startup_wait_seconds)
    }
}

/// Thresholds as they stand in the file; what does not is as [`Thresholds::of`] the measure says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InTenThousandths {
    #[serde(default, with = "MeasureName")]
    measure: Measure,
    fused: Option<u16>,
    single: Option<u16>,
    stranger: Option<u16>,
}

/// The names of [`Measure`]s in the file.
#[derive(Deserialize)]
#[serde(remote = "Measure", rename_all = "lowercase")]
enum MeasureName {
    Plain,
    Normalised,
}

impl TryFrom<InTenThousandths> for Thresholds {
    type Error = LimitError;

    fn try_from(file: InTenThousandths) -> Result<Self, LimitError> {
        let Self { measure, fused, single, stranger } = Self::of(file.measure);
        let or = |given: Option<u16>, default| given.map_or(Ok(default), Limit::new);
        Ok(Self {
            measure,
            fused: or(file.fused, fused)?,
            single: or(file.single, single)?,
            stranger: or(file.stranger, stranger)?,
        })
    }
}

fn thresholds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Thresholds, D::Error> {
    InTenThousandths::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        bind = "127.0.0.1:0"
        origin = "example.org/set"
        keys = "keys"
        segments = "segments"
        verifying_key = "membership.vk"
        database_url = "postgres://in-the-file"
        operator_token = "0123456789abcdef0123456789abcdef"
    "#;

    fn load(text: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("enroll.toml");
        std::fs::write(&path, text).unwrap();
        Config::load(&path, |name| env.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let config = load(FILE, &[("DATABASE_URL", "postgres://from-env")]).unwrap();
        assert_eq!(config.database_url, "postgres://from-env");
        assert_eq!(config.nonce_lifetime(), Duration::from_mins(2));
        assert_eq!(config.thresholds, Thresholds::default());
    }

    #[test]
    fn thresholds_are_read_in_ten_thousandths() {
        let text = format!("{FILE}\n[thresholds]\nfused = 3300\nsingle = 3200\nstranger = 4300");
        assert_eq!(load(&text, &[]).unwrap().thresholds.single.ten_thousandths(), 3200);
        let text = format!("{FILE}\n[thresholds]\nmeasure = \"normalised\"\nstranger = 4300");
        let normalised = Thresholds::of(Measure::Normalised);
        let expected = Thresholds { stranger: Limit::new(4300).unwrap(), ..normalised };
        assert_eq!(load(&text, &[]).unwrap().thresholds, expected);
        assert!(matches!(
            load(&text.replace("4300", "5000"), &[]),
            Err(ConfigError::File(FileError::Malformed { .. }))
        ));
    }

    #[test]
    fn refusals() {
        let changed = |from: &str, to: &str| load(&FILE.replacen(from, to, 1), &[]).unwrap_err();
        assert!(matches!(changed("postgres://in-the-file", ""), ConfigError::NoDatabase));
        assert!(matches!(
            changed("0123456789abcdef\"", "\""),
            ConfigError::WeakToken(WeakToken { found: 16 })
        ));
        assert!(matches!(changed("example.org/set", "a set"), ConfigError::Origin(_)));
        assert!(matches!(changed("origin", "orgin"), ConfigError::File(FileError::Malformed { .. })));
        let text = format!("{FILE}\nmin_usable_bits = 100");
        assert!(matches!(load(&text, &[]), Err(ConfigError::UsableBits { found: 100 })));
        let text = format!("{FILE}\nsegment_people = 15");
        assert!(matches!(load(&text, &[]), Err(ConfigError::SegmentPeople { found: 15 })));
    }

    #[test]
    fn foreign_sets_are_told_apart() {
        let set = |name: &str, root: &str| {
            format!("[[foreign_sets]]\nname = {name:?}\nverifying_key = \"key.json\"\nroots = [{root:?}]\n")
        };
        let with = |sets: &[String]| load(&format!("{FILE}\n{}", sets.concat()), &[]);
        let config = with(&[set("one", "0x0A"), set("two", "0xb")]).unwrap();
        let expected = format!("0x{:064x}", 10);
        assert_eq!(config.foreign_sets[0].roots[0].to_string(), expected, "as others write it, once for all");
        for name in ["one", "unum", ""] {
            let error = with(&[set("one", "0xa"), set(name, "0xb")]).unwrap_err();
            assert!(matches!(error, ConfigError::SetName(found) if found == name));
        }
        let error = with(&[set("one", "0xa"), set("two", "0x0a")]).unwrap_err();
        assert!(matches!(error, ConfigError::SharedRoot(name) if name == "two"));
        assert!(with(&[set("one", &format!("0x{}", "f".repeat(64)))]).is_err(), "not below the order");
    }

    #[test]
    fn limits_are_read_and_have_defaults() {
        assert_eq!(load(FILE, &[]).unwrap().limits, Limits::default());
        let text = format!("{FILE}\n[limits]\napp_per_second = 0\ntrusted_proxies = [\"::1\"]");
        let limits = load(&text, &[]).unwrap().limits;
        assert_eq!((limits.app_per_second, limits.trusted_proxies.len()), (0, 1));
        let text = format!("{FILE}\n[limits]\nproofs_waiting = 0");
        assert!(matches!(load(&text, &[]), Err(ConfigError::NoProofs)));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", load(FILE, &[]).unwrap()), "Config");
    }
}
