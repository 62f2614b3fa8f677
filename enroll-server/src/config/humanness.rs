//! What an operator chooses about verifying: limits, and sets of others.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer};
use unum_identity::field::Root;

use crate::compat::hex::Loose;

/// How much anybody may ask of the humanness API. Of each pair a limit is per second, and so many may come at once.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests a second of one client address (of IPv6, of one /64); 0 for no limit.
    pub address_per_second: u32,
    /// Requests of one address at once; the rate of a second if that is more.
    pub address_burst: u32,
    /// Verifications a second for one app, whoever asks; 0 for no limit.
    pub app_per_second: u32,
    /// Verifications for one app at once; the rate of a second if that is more.
    pub app_burst: u32,
    /// Proofs of one set that may be under way; whoever comes then is asked to come again.
    pub proofs_waiting: usize,
    /// Requests of pages to wallets that may be open; whoever comes then is asked to come again.
    pub bridge_requests: u32,
    /// Addresses of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
}

impl Default for Limits {
    /// A core verifies 770 proofs a second one by one, and more in batches (`docs/measurements/proofs.md`): one address may take an
    /// eighth of one, one app two thirds, and more than a second's worth does not wait.
    fn default() -> Self {
        Self {
            address_per_second: 100,
            address_burst: 200,
            app_per_second: 500,
            app_burst: 1000,
            proofs_waiting: 1024,
            bridge_requests: 20_000, // 22 a second, each for a quarter of an hour; 20 MB of them, and 640 MB of the largest
            trusted_proxies: Vec::new(),
        }
    }
}

/// A set that somebody else keeps.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignSet {
    /// What apps call it; not "unum".
    pub name: String,
    /// File of its verifying key, as snarkjs writes it.
    pub verifying_key: PathBuf,
    /// Its roots that count, until the configuration says otherwise. Hex as others write it: leading zeros may be missing.
    #[serde(deserialize_with = "roots")]
    pub roots: Vec<Root>,
}

fn roots<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Root>, D::Error> {
    let roots = Vec::<Loose>::deserialize(deserializer)?;
    Ok(roots.into_iter().map(|Loose(root)| Root(root)).collect())
}
