//! Which workers there are, and how long to wait for them: a TOML file, with the token in it overridable from the
//! environment.
//!
//! ```toml
//! token = "…"                               # or CLUSTER_TOKEN
//!
//! [[workers]]
//! name = "worker-1"                         # stands in its certificate
//! url = "https://10.0.0.11:7070"
//!
//! [[workers]]
//! name = "worker-2"
//! url = "https://10.0.0.12:7070"
//!
//! [tls]
//! authority = "/etc/unum/cluster/authority.pem"
//! certificate = "/etc/unum/cluster/coordinator.pem"
//! key = "/etc/unum/cluster/coordinator.key"
//! ```

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use service::OperatorToken;
use service::config::{FileError, WeakToken};
use url::Url;

use crate::tls::{TlsError, TlsFiles};

/// A cluster's configuration. `Debug` shows no value: the token is a secret.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterConfig {
    /// Everyone who holds segments.
    pub workers: Vec<WorkerAddress>,
    /// What workers want to be shown, besides a certificate.
    #[serde(default)]
    pub token: OperatorToken,
    /// Our certificate, and the authority of everyone's.
    pub tls: TlsFiles,
    /// How many workers hold each segment.
    #[serde(default = "defaults::replicas")]
    pub replicas: usize,
    /// How long connecting may take, the handshake included.
    #[serde(default = "defaults::connect_ms")]
    pub connect_ms: u64,
    /// How often a worker that is being waited for is asked whether it is there. The default of this kind of engine is
    /// never: then the system's TCP notices in minutes, if at all.
    #[serde(default = "defaults::keep_alive_ms")]
    pub keep_alive_ms: u64,
    /// How long it may take to say so.
    #[serde(default = "defaults::keep_alive_timeout_ms")]
    pub keep_alive_timeout_ms: u64,
    /// How long one attempt at a scan may take.
    #[serde(default = "defaults::answer_ms")]
    pub answer_ms: u64,
    /// How long a worker may read segments from its disk.
    #[serde(default = "defaults::hold_ms")]
    pub hold_ms: u64,
    /// How long a worker that was lost is asked last.
    #[serde(default = "defaults::rest_ms")]
    pub rest_ms: u64,
}

/// Where a worker is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkerAddress {
    /// What it is called, in its certificate and where segments are shared out. Another name is another share.
    pub name: String,
    /// Where it listens, `https://host:port`.
    #[serde(deserialize_with = "url")]
    pub url: Url,
}

fn url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

mod defaults {
    /// One may be lost at a time.
    pub(super) fn replicas() -> usize {
        2
    }
    /// Machines of one network, one of which may be busy with a scan.
    pub(super) fn connect_ms() -> u64 {
        2_000
    }
    /// With the time-out below: whoever is gone is noticed within five seconds.
    pub(super) fn keep_alive_ms() -> u64 {
        2_000
    }
    /// A machine that compares on all its cores still answers in well under a second.
    pub(super) fn keep_alive_timeout_ms() -> u64 {
        3_000
    }
    /// Twenty times a scan of a full machine (`docs/scale.md`), and shorter than a device waits.
    pub(super) fn answer_ms() -> u64 {
        30_000
    }
    /// 128 GB at 500 MB a second take four minutes.
    pub(super) fn hold_ms() -> u64 {
        600_000
    }
    /// Long enough not to lose five seconds with each scan, short enough that its replicas do not work for two for long.
    pub(super) fn rest_ms() -> u64 {
        60_000
    }
}

/// Why a configuration cannot be used. Correct the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read, or holds no configuration.
    #[error(transparent)]
    File(#[from] FileError),
    /// The token can be guessed.
    #[error("{0}: set token in the file or CLUSTER_TOKEN")]
    WeakToken(#[from] WeakToken),
    /// The token cannot stand in a header.
    #[error("the token holds a character that no header may hold")]
    Token,
    /// Nobody could be asked.
    #[error("there are no workers")]
    NoWorkers,
    /// Nobody would hold anything.
    #[error("replicas is 0, must be 1 or more")]
    NoReplicas,
    /// Two workers are the same one.
    #[error("two workers have the name or the address {0}")]
    Twice(String),
    /// Not an address of a worker.
    #[error("{0} is not https://host:port: codes travel encrypted only")]
    Url(Url),
    /// A certificate or its key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A certificate or its key is none, or the name of a worker cannot stand in one.
    #[error(
        "the certificate, its key or the authority is no such thing in PEM, or {name} is no name for one"
    )]
    NotPem {
        /// The worker's name.
        name: String,
        /// Why.
        source: tonic::transport::Error,
    },
    /// The engine does not start.
    #[error("the engine: {0}")]
    Engine(String),
}

impl ClusterConfig {
    /// Reads a file; `env` looks up a variable of the environment.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`].
    pub fn load(path: &Path, env: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut config: Self = service::config::read(path)?;
        if let Some(token) = env("CLUSTER_TOKEN") {
            config.token = token.into();
        }
        config.check()?;
        Ok(config)
    }

    /// Whether the values make sense together. [`super::Coordinator::new`] asks too.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`].
    pub fn check(&self) -> Result<(), ConfigError> {
        self.token.check()?;
        if self.workers.is_empty() {
            return Err(ConfigError::NoWorkers);
        }
        if self.replicas == 0 {
            return Err(ConfigError::NoReplicas);
        }
        let (mut names, mut urls) = (BTreeSet::new(), BTreeSet::new());
        for WorkerAddress { name, url } in &self.workers {
            if url.scheme() != "https" || !url.has_host() || url.path() != "/" {
                return Err(ConfigError::Url(url.clone()));
            }
            if !names.insert(name) || !urls.insert(url) {
                return Err(ConfigError::Twice(format!("{name}, {url}")));
            }
        }
        Ok(())
    }

    pub(super) fn answer(&self) -> Duration {
        Duration::from_millis(self.answer_ms)
    }

    pub(super) fn hold(&self) -> Duration {
        Duration::from_millis(self.hold_ms)
    }
}

impl fmt::Debug for ClusterConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClusterConfig")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        token = "0123456789abcdef0123456789abcdef"
        tls = { authority = "a.pem", certificate = "c.pem", key = "c.key" }
        workers = [
            { name = "one", url = "https://10.0.0.1:7070" },
            { name = "two", url = "https://10.0.0.2:7070" },
        ]
    "#;

    fn load(text: &str) -> Result<ClusterConfig, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cluster.toml");
        std::fs::write(&path, text).unwrap();
        ClusterConfig::load(&path, |_| None)
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let config = load(FILE).unwrap();
        assert_eq!((config.replicas, config.workers.len()), (2, 2));
        assert_eq!(format!("{config:?}"), "ClusterConfig");
    }

    #[test]
    fn refusals() {
        let changed = |from: &str, to: &str| load(&FILE.replacen(from, to, 1)).unwrap_err();
        assert!(matches!(changed("0123", "0"), ConfigError::WeakToken(_)));
        assert!(matches!(changed("\"two\"", "\"one\""), ConfigError::Twice(_)));
        assert!(matches!(changed("10.0.0.2", "10.0.0.1"), ConfigError::Twice(_)));
        assert!(matches!(changed("https", "http"), ConfigError::Url(_)));
        assert!(matches!(changed("token", "replicas = 0\ntoken"), ConfigError::NoReplicas));
        assert!(matches!(changed("name = \"one\"", "nam = \"one\""), ConfigError::File(_)));
        let none = "token = \"0123456789abcdef0123456789abcdef\"\nworkers = []
            tls = { authority = \"a.pem\", certificate = \"c.pem\", key = \"c.key\" }";
        assert!(matches!(load(none), Err(ConfigError::NoWorkers)));
    }
}
