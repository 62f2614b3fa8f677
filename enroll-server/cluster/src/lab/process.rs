//! A worker as a process: started, stopped, killed. Whatever was started is killed when it is dropped, and ends by itself
//! with this process.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use url::Url;

/// A worker that runs.
#[derive(Debug)]
pub struct Process {
    name: String,
    url: Url,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `program` with the configuration at `config`, and waits until it listens. Its log lies beside.
    pub(super) fn start(program: &Path, name: &str, config: &Path, env: &[(&str, &str)]) -> Self {
        let log = config.with_extension("log");
        let mut child = Command::new(program)
            .args(["--while-stdin", "--allow-sabotage", "--config"])
            .arg(config)
            .env_remove("CLUSTER_TOKEN")
            .envs(env.iter().copied())
            .stdin(Stdio::piped()) // held by the child's handle until it is dropped
            .stdout(Stdio::piped())
            .stderr(File::create(&log).expect("the folder takes a file"))
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let mut line = String::new();
        let output = child.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut line).expect("it is text");
        let log_text = || std::fs::read_to_string(&log).unwrap_or_default();
        let url = line.trim().parse().unwrap_or_else(|_| panic!("{name} does not listen: {}", log_text()));
        Self { name: name.to_owned(), url, child, log }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it listens.
    pub fn url(&self) -> Url {
        self.url.clone()
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Stops it (`SIGSTOP`): the system still accepts connections for it.
    pub fn stop(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    /// Kills it (`SIGKILL`).
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("it is ours, and not yet waited for");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended
        let _ = self.child.wait();
    }
}
