//! A server that verifies people of an invented set for one app, each person once.

use std::net::SocketAddr;
use std::sync::Arc;

use bench_kit::Forger;
use bench_kit::forge::{element, in_parallel};
use bench_kit::http::{Connection, Request};
use circuits::interop::snarkjs;
use circuits::{Public, VerifyingKey};
use enroll_server::{Config, Server};
use private_postgres::Cluster;
use rand_core::UnwrapErr;
use serde_json::json;
use unum_identity::field::{ExternalNullifier, Nullifier, Root};
use unum_identity::hash::hash_signal;
use unum_identity::proof::ProofBytes;
use unum_identity::time::UnixTime;

const TOKEN: &str = "operators of a bench, on loopback, for a minute";
const APP: &str = "app_bench";
const ACTION: &str = "vote";
/// The set's name.
const SET: &str = "bench";

/// The server, and who knows the secrets of its set's key.
pub(crate) struct Office {
    server: Server,
    forger: Forger,
    root: Root,
    _cluster: Cluster,
    _folder: tempfile::TempDir,
}

impl Office {
    pub(crate) async fn open() -> anyhow::Result<Self> {
        let rng = &mut UnwrapErr(getrandom::SysRng);
        let cluster = tokio::task::block_in_place(|| Cluster::temporary(rng))?;
        let database = tokio::task::block_in_place(|| cluster.database("verify"))?;
        let folder = tempfile::tempdir()?;
        let (forger, root) = (Forger::new(rng), Root(element(rng)));
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("membership.vk"), forger.verifying_key_bytes())?;
        std::fs::write(at("bench.json"), snarkjs::write_key(&forger.verifying_key()))?;
        // Roots of a set of others come from the configuration; that of ours would take an enrollment.
        let config: Config = serde_json::from_value(json!({
            "bind": "127.0.0.1:0",
            "database_url": database,
            "operator_token": TOKEN,
            "origin": "example.org/bench-set",
            "keys": at("keys"),
            "segments": at("segments"),
            "verifying_key": at("membership.vk"),
            "foreign_sets": [{ "name": SET, "verifying_key": at("bench.json"), "roots": [root] }],
            "limits": { "address_per_second": 0, "app_per_second": 0 }, // everybody here has one address
        }))?;
        let clock = Arc::new(|| UnixTime(1_800_000_000));
        let server = Server::start(config, clock, Box::new(UnwrapErr(getrandom::SysRng))).await?;
        let office = Self { server, forger, root, _cluster: cluster, _folder: folder };
        office.register().await?;
        Ok(office)
    }

    async fn register(&self) -> anyhow::Result<()> {
        let mut connection = Connection::to(self.addr()).await?;
        let app = json!({ "app_id": APP, "name": "A bench", "sets": [SET] });
        let app = Request::post("/v1/apps", &app.to_string()).with_token(TOKEN);
        let action = Request::put(&format!("/v1/apps/{APP}/actions/{ACTION}"), r#"{"max_uses":1}"#);
        for request in [app, action.with_token(TOKEN)] {
            let (status, body) = connection.send(&request).await?;
            let said = || String::from_utf8_lossy(&body).into_owned();
            anyhow::ensure!(matches!(status, 200 | 201), "registering was answered {status}: {}", said());
        }
        Ok(())
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// The key of its set.
    pub(crate) fn key(&self) -> VerifyingKey {
        self.forger.verifying_key()
    }

    /// Statements about `count` different people, with proofs, made on all cores.
    pub(crate) fn statements(&self, count: usize) -> Vec<(Public, ProofBytes)> {
        let make = || {
            in_parallel(count, |_, rng| {
                let public = Public {
                    root: self.root,
                    nullifier: Nullifier(element(rng)),
                    signal_hash: hash_signal("yes"),
                    external_nullifier: ExternalNullifier::of_app(APP, ACTION),
                };
                (public, self.forger.prove(&public, rng))
            })
        };
        tokio::task::block_in_place(make)
    }
}

/// What an app sends to `path`, for each.
pub(crate) fn requests(path: &str, statements: &[(Public, ProofBytes)]) -> Vec<Request> {
    let request = |(public, proof): &(Public, ProofBytes)| {
        let body = json!({
            "app_id": APP, "action": ACTION, "signal_hash": public.signal_hash,
            "root": public.root, "nullifier": public.nullifier, "proof": proof,
        });
        Request::post(path, &body.to_string())
    };
    statements.iter().map(request).collect()
}
