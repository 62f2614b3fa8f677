//! A cluster on one machine, for tests and the bench: an authority, invented people on disk, workers as processes.
//!
//! Knows how to kill what it has started, and starts nothing that it does not kill. Not part of a build without the
//! feature `lab`.

mod authority;
mod process;
mod town;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use enroll_server::matcher::TemplateKey;
use tempfile::TempDir;
use tokio::runtime::Handle;

pub use authority::{Authority, Use};
pub use process::{Process, Program};
pub use town::{Town, again, person};

use crate::coordinator::{ClusterConfig, ConfigError, Coordinator, WorkerAddress};
use crate::tls::TlsFiles;

const TOKEN: &str = "a token of 32 characters or more!";
const KEY: [u8; 32] = [42; 32];

/// Whatever a cluster needs but people and processes. Its folder goes with it.
#[derive(Debug)]
pub struct Lab {
    folder: TempDir,
    program: PathBuf,
    authority: Authority,
}

impl Lab {
    /// `program` is the worker's.
    ///
    /// # Panics
    ///
    /// If there is no folder for temporary files.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        let authority = Authority::new(&folder.path().join("authority.pem"));
        let lab = Self { folder, program: program.into(), authority };
        write_secret(&lab.path("template.key"), &KEY);
        lab
    }

    /// The authority of everyone's certificates.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Where something lies.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The key of segments and queries.
    pub fn key(&self) -> TemplateKey {
        TemplateKey::from_bytes(&KEY)
    }

    /// Starts a worker whose segments lie in `segments`. `more` are further lines of its configuration.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn worker(&self, name: &str, segments: &Path, more: &str) -> Process {
        self.start(name, &self.configure(name, segments, more), &[])
    }

    /// Starts a worker with these variables in its environment.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn worker_with(&self, name: &str, segments: &Path, env: &[(&str, &str)]) -> Process {
        self.start(name, &self.configure(name, segments, ""), env)
    }

    fn start(&self, name: &str, config: &Path, env: &[(&str, &str)]) -> Process {
        Process::start(Program {
            name: name.to_owned(),
            file: self.program.clone(),
            arguments: vec!["--allow-sabotage".into(), "--config".into(), config.into()],
            env: env.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
            log: config.with_extension("log"),
        })
    }

    fn configure(&self, name: &str, segments: &Path, more: &str) -> PathBuf {
        let TlsFiles { authority, certificate, key } = self.certificate(name, Use::Server);
        let template_key = self.path("template.key");
        let [segments, template_key, authority, certificate, key] =
            [segments, &template_key, &authority, &certificate, &key].map(Path::display);
        let text = format!(
            "bind = '127.0.0.1:0'\nsegments = '{segments}'\ntemplate_key = '{template_key}'\ntoken = '{TOKEN}'\n\
             {more}\n[tls]\nauthority = '{authority}'\ncertificate = '{certificate}'\nkey = '{key}'\n",
        );
        let path = self.path(&format!("{name}.toml"));
        write_secret(&path, text.as_bytes());
        path
    }

    /// A certificate of the lab's authority.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn certificate(&self, name: &str, its_use: Use) -> TlsFiles {
        self.authority.issue(self.folder.path(), name, its_use)
    }

    /// How a coordinator asks `workers`. Times are those of a test: whoever is gone is noticed in two seconds.
    pub fn config<'a>(&self, workers: impl IntoIterator<Item = &'a Process>) -> ClusterConfig {
        let address = |worker: &Process| WorkerAddress { name: worker.name().to_owned(), url: worker.url() };
        ClusterConfig {
            workers: workers.into_iter().map(address).collect(),
            token: TOKEN.to_owned().into(),
            tls: self.certificate("coordinator", Use::Client),
            replicas: 2,
            connect_ms: 1_000,
            keep_alive_ms: 1_000,
            keep_alive_timeout_ms: 1_000,
            answer_ms: 60_000,
            hold_ms: 60_000,
            rest_ms: 0,
        }
    }

    /// The file of this configuration, for a server.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn write_config(&self, config: &ClusterConfig) -> PathBuf {
        let address =
            |WorkerAddress { name, url }: &WorkerAddress| format!("{{ name = '{name}', url = '{url}' }}");
        let workers: Vec<_> = config.workers.iter().map(address).collect();
        let TlsFiles { authority, certificate, key } = &config.tls;
        let [authority, certificate, key] = [authority, certificate, key].map(|path| path.display());
        let text = format!(
            "token = '{}'\nworkers = [{}]\nreplicas = {}\nconnect_ms = {}\nkeep_alive_ms = {}\n\
             keep_alive_timeout_ms = {}\nanswer_ms = {}\nhold_ms = {}\nrest_ms = {}\n[tls]\n\
             authority = '{authority}'\ncertificate = '{certificate}'\nkey = '{key}'\n",
            config.token.expose(),
            workers.join(", "),
            config.replicas,
            config.connect_ms,
            config.keep_alive_ms,
            config.keep_alive_timeout_ms,
            config.answer_ms,
            config.hold_ms,
            config.rest_ms,
        );
        let path = self.path("cluster.toml");
        write_secret(&path, text.as_bytes());
        path
    }

    /// A coordinator with this configuration.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`].
    pub fn coordinator(&self, config: ClusterConfig, runtime: &Handle) -> Result<Coordinator, ConfigError> {
        Coordinator::new(config, self.key(), runtime.clone())
    }
}

fn write_secret(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("the folder takes a file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("it is ours");
}
