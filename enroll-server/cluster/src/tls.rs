//! Certificates, both ways: a worker shows one with its name, a coordinator shows one of the same authority.
//!
//! The authority is the cluster's own and signs nothing else. A worker's certificate carries the worker's name, which is
//! what the coordinator looks for, whatever the address; and for the extended key usage `serverAuth` alone, so that a
//! worker that is taken over is no coordinator. A coordinator's is for `clientAuth`.
//!
//! Knows files and rustls, not who connects to whom.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use tonic::transport::{Certificate, ClientTlsConfig, Identity, ServerTlsConfig};
use zeroize::Zeroizing;

/// Files in PEM.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The authority that signs everyone's certificates.
    pub authority: PathBuf,
    /// Our certificate, and whatever stands between it and the authority.
    pub certificate: PathBuf,
    /// Its key. Readable by its owner only.
    pub key: PathBuf,
}

/// Why a file is of no use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// It cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others can read the key. Treat it as stolen, or correct the mode if it never was within reach.
    #[error("{path} has mode {mode:03o}, must be readable by its owner only")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

impl TlsFiles {
    /// What a worker shows, and of whom: `handshake` is how long a client may take for it.
    ///
    /// # Errors
    ///
    /// A [`TlsError`].
    pub fn of_server(&self, handshake: Duration) -> Result<ServerTlsConfig, TlsError> {
        let config = ServerTlsConfig::new().identity(self.identity()?).client_ca_root(self.authority()?);
        Ok(config.timeout(handshake)) // without a certificate of the authority nobody comes in
    }

    /// What a coordinator shows, and of whom: the worker of this `name`. A process that was stopped accepts connections,
    /// the system does that for it, but shakes no hands: without a limit on `handshake` it is waited for.
    ///
    /// # Errors
    ///
    /// A [`TlsError`].
    pub fn of_client(&self, name: &str, handshake: Duration) -> Result<ClientTlsConfig, TlsError> {
        let config = ClientTlsConfig::new().identity(self.identity()?).ca_certificate(self.authority()?);
        Ok(config.domain_name(name).timeout(handshake))
    }

    fn authority(&self) -> Result<Certificate, TlsError> {
        Ok(Certificate::from_pem(read(&self.authority)?))
    }

    fn identity(&self) -> Result<Identity, TlsError> {
        let io = |source| TlsError::Unreadable { path: self.key.clone(), source };
        let mode = fs::metadata(&self.key).map_err(io)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(TlsError::Exposed { path: self.key.clone(), mode });
        }
        let key = Zeroizing::new(read(&self.key)?);
        Ok(Identity::from_pem(read(&self.certificate)?, &*key))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Unreadable { path: path.to_owned(), source })
}
