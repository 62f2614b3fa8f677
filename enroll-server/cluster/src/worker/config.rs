//! What whoever runs a worker chooses: a TOML file, with the token in it overridable from the environment.
//!
//! ```toml
//! bind = "10.0.0.11:7070"
//! segments = "/var/lib/unum/segments"
//! template_key = "/etc/unum/template.key"   # the enrollment server's
//! token = "…"                               # or CLUSTER_TOKEN
//!
//! [tls]
//! authority = "/etc/unum/cluster/authority.pem"
//! certificate = "/etc/unum/cluster/worker-1.pem"
//! key = "/etc/unum/cluster/worker-1.key"
//! ```

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use service::OperatorToken;
use service::config::{FileError, WeakToken};

use super::Sabotage;
use crate::tls::TlsFiles;

/// A worker's configuration. `Debug` shows no value: the token is a secret.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkerConfig {
    /// Address to listen on; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Folder of encrypted segments: copies of an enrollment server's, byte for byte.
    pub segments: PathBuf,
    /// File of the key that opens them.
    pub template_key: PathBuf,
    /// What coordinators have to show, besides a certificate.
    #[serde(default)]
    pub token: OperatorToken,
    /// Our certificate, and the authority of everyone's.
    pub tls: TlsFiles,
    /// Faults on purpose, for tests. Refused unless the program is a debug build and was told to allow it.
    #[serde(default)]
    pub sabotage: Option<Sabotage>,
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
    /// A configuration of a test.
    #[error("sabotage is for tests: it takes a debug build and --allow-sabotage")]
    Sabotage,
}

impl WorkerConfig {
    /// Reads a file; `env` looks up a variable of the environment.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`].
    pub fn load(
        path: &Path,
        allow_sabotage: bool,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let mut config: Self = service::config::read(path)?;
        if let Some(token) = env("CLUSTER_TOKEN") {
            config.token = token.into();
        }
        config.token.check()?;
        if config.sabotage.is_some() && !(allow_sabotage && cfg!(debug_assertions)) {
            return Err(ConfigError::Sabotage);
        }
        Ok(config)
    }
}

impl fmt::Debug for WorkerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WorkerConfig")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        bind = "127.0.0.1:0"
        segments = "segments"
        template_key = "template.key"
        token = "0123456789abcdef0123456789abcdef"
        tls = { authority = "a.pem", certificate = "c.pem", key = "c.key" }
    "#;

    fn load(text: &str, allow: bool) -> Result<WorkerConfig, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("worker.toml");
        std::fs::write(&path, text).unwrap();
        WorkerConfig::load(&path, allow, |_| None)
    }

    #[test]
    fn sabotage_has_to_be_allowed() {
        let text = format!("{FILE}\n[sabotage]\nlag_ms = 5");
        assert!(matches!(load(&text, false), Err(ConfigError::Sabotage)));
        assert_eq!(load(&text, true).is_ok(), cfg!(debug_assertions));
        assert!(load(FILE, false).is_ok());
    }

    #[test]
    fn refusals() {
        assert!(matches!(load(&FILE.replace("0123", "0"), false), Err(ConfigError::WeakToken(_))));
        assert!(matches!(load(&FILE.replace("segments =", "segmets ="), false), Err(ConfigError::File(_))));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", load(FILE, false).unwrap()), "WorkerConfig");
    }
}
