//! An authority and its certificates, which last as long as the lab.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

use super::write_secret;
use crate::tls::TlsFiles;

/// Signs certificates.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    path: PathBuf,
}

/// What a certificate is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// A worker.
    Server,
    /// A coordinator.
    Client,
}

impl Authority {
    /// Makes one, and writes its certificate.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn new(path: &Path) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names are names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().expect("the system has randomness");
        let certificate = params.self_signed(&key).expect("it is our key");
        fs::write(path, certificate.pem()).expect("the folder takes a file");
        Self { issuer: Issuer::new(params, key), path: path.to_owned() }
    }

    /// Writes what only its owner may read, and says where.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn secret(&self, path: &Path, bytes: &[u8]) -> PathBuf {
        write_secret(path, bytes);
        path.to_owned()
    }

    /// A certificate in the name of `name`, in files of `folder`.
    ///
    /// # Panics
    ///
    /// If they cannot be written.
    pub fn issue(&self, folder: &Path, name: &str, its_use: Use) -> TlsFiles {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("it is a name");
        params.extended_key_usages = vec![match its_use {
            Use::Server => ExtendedKeyUsagePurpose::ServerAuth,
            Use::Client => ExtendedKeyUsagePurpose::ClientAuth,
        }];
        let own = KeyPair::generate().expect("the system has randomness");
        let signed = params.signed_by(&own, &self.issuer).expect("it is our key");
        let (certificate, key) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
        fs::write(&certificate, signed.pem()).expect("the folder takes a file");
        write_secret(&key, own.serialize_pem().as_bytes());
        TlsFiles { authority: self.path.clone(), certificate, key }
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority")
    }
}
