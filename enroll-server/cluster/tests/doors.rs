//! Who is let in, and whom the coordinator believes.

use std::fs;

use datafusion_distributed::GetWorkerInfoRequest;
use datafusion_distributed::grpc::{BoxCloneSyncChannel, create_worker_client};
use enroll_cluster::ScanError;
use enroll_cluster::coordinator::ConfigError;
use enroll_cluster::lab::{Authority, Use};
use enroll_server::matcher::TemplateKey;

use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use super::{Cluster, runtime};

/// What a scan says that is asked with another configuration than the right one.
#[track_caller]
fn shut(change: impl FnOnce(&Cluster, &mut enroll_cluster::ClusterConfig)) -> String {
    let cluster = Cluster::sound();
    let sound = cluster.ready();
    let mut config = cluster.config();
    change(&cluster, &mut config);
    let stranger = cluster.coordinator(config);
    let error = cluster.says_nothing(&stranger);
    assert!(!stranger.prepare(cluster.town.manifest(), 0).is_complete());
    cluster.answers_in_full(&sound);
    assert!(matches!(error, ScanError::NoWorker { .. }), "{error}");
    error.to_string()
}

#[test]
fn another_token() {
    let error = shut(|_, config| config.token = "another token, and just as long as that".to_owned().into());
    assert!(error.contains("a token is needed"), "{error}");
}

/// That of a worker does not make a coordinator.
#[test]
fn the_certificate_of_a_worker() {
    shut(|cluster, config| config.tls = cluster.lab.certificate("worker-9", Use::Server));
}

#[test]
fn a_certificate_of_another_authority() {
    shut(|cluster, config| {
        let other = Authority::new(&cluster.lab.path("other.pem"));
        let theirs = other.issue(&cluster.lab.path(""), "intruder", Use::Client);
        config.tls.certificate = theirs.certificate; // it still trusts the workers
        config.tls.key = theirs.key;
    });
}

/// The coordinator wants to see the name of each worker, whatever the address.
#[test]
fn a_worker_of_another_name() {
    shut(|_, config| config.workers.iter_mut().for_each(|worker| worker.name += "-other"));
}

#[test]
fn workers_of_another_authority() {
    shut(|cluster, config| {
        Authority::new(&cluster.lab.path("other.pem"));
        config.tls.authority = cluster.lab.path("other.pem");
    });
}

/// Workers that exchanged addresses: each shows its own name, and neither is believed.
#[test]
fn exchanged_workers() {
    let cluster = Cluster::new(&["", ""]);
    cluster.ready();
    let mut config = cluster.config();
    let first = config.workers[0].url.clone();
    config.workers[0].url = std::mem::replace(&mut config.workers[1].url, first);
    cluster.says_nothing(&cluster.coordinator(config));
}

/// What a worker says to a client of the engine's own that shows no token, and this certificate or none.
fn refusal_of(cluster: &Cluster, certificate: bool) -> String {
    let files = cluster.lab.certificate("coordinator", Use::Client);
    let read = |path| fs::read(path).unwrap();
    let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(&files.authority)));
    tls = tls.domain_name(cluster.workers[0].name());
    if certificate {
        tls = tls.identity(Identity::from_pem(read(&files.certificate), read(&files.key)));
    }
    let endpoint = Endpoint::from_shared(cluster.workers[0].url().to_string()).unwrap();
    let endpoint = endpoint.tls_config(tls).unwrap();
    runtime().block_on(async {
        let mut client = create_worker_client(BoxCloneSyncChannel::new(endpoint.connect_lazy()));
        let Err(error) = client.get_worker_info(GetWorkerInfoRequest {}).await else { panic!("let in") };
        error.to_string()
    })
}

/// Without a certificate nobody gets as far as to be asked for a token; with one and no token, no further.
#[test]
fn no_certificate_and_no_token() {
    let cluster = Cluster::new(&[""]);
    let (without, with) = (refusal_of(&cluster, false), refusal_of(&cluster, true));
    assert!(!without.contains("a token is needed"), "{without}");
    assert!(with.contains("a token is needed"), "{with}");
}

#[test]
fn no_encryption() {
    use std::io::{Read as _, Write as _};
    let cluster = Cluster::new(&[""]);
    let url = cluster.workers[0].url();
    let address = (url.host_str().unwrap(), url.port().unwrap());
    let mut plain = std::net::TcpStream::connect(address).unwrap();
    plain.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer); // reset, or closed
    assert!(!answer.windows(5).any(|bytes| bytes == b"\0\0\0\x04\0") || answer[0] == 0x15, "{answer:?}");
    let mut config = cluster.config();
    config.workers[0].url = url.as_str().replace("https", "http").parse().unwrap();
    assert!(matches!(cluster.lab.coordinator(config, runtime()), Err(ConfigError::Url(_))));
}

/// Queries are sealed with the template key: whoever has another one learns nothing, and is told nothing.
#[test]
fn another_template_key() {
    let cluster = Cluster::sound();
    cluster.ready();
    let key = TemplateKey::from_bytes(&[7; 32]);
    let coordinator = enroll_cluster::Coordinator::new(cluster.config(), key, runtime().clone()).unwrap();
    let error = cluster.says_nothing(&coordinator);
    assert!(error.to_string().contains("cannot be opened with this template key"), "{error}");
}

/// Nothing of a scan stays on a worker's disk, and nothing secret in its log.
#[test]
fn nothing_is_left_behind() {
    let mut cluster = Cluster::sound();
    let temporary = |worker: usize| cluster.lab.path(&format!("temporary-{worker}"));
    let folders = [0, 1, 2].map(temporary);
    for (worker, folder) in folders.iter().enumerate() {
        fs::create_dir(folder).unwrap();
        let env = [("TMPDIR", folder.to_str().unwrap()), ("RUST_LOG", "debug")];
        let segments = cluster.folder(worker);
        cluster.workers[worker] = cluster.lab.worker_with(&format!("worker-{worker}"), &segments, &env);
    }
    let coordinator = cluster.ready();
    cluster.answers_in_full(&coordinator);
    for (worker, folder) in folders.iter().enumerate() {
        assert_eq!(fs::read_dir(folder).unwrap().count(), 0);
        let log = cluster.workers[worker].log();
        assert!(log.contains("in memory") && !log.contains("a token of 32"), "{log}");
        let files = fs::read_dir(cluster.folder(worker)).unwrap();
        assert_eq!(files.count() as u64, super::SEGMENTS, "no file but those of segments");
    }
}

#[test]
fn an_exposed_key_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let cluster = Cluster::new(&[""]);
    let config = cluster.config();
    fs::set_permissions(&config.tls.key, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(cluster.lab.coordinator(config, runtime()), Err(ConfigError::Tls(_))));
}
