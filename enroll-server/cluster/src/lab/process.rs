//! A worker, or a server, as a process: started, stopped, killed, started again. Whatever was started is killed when it is
//! dropped, and ends by itself with this process.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use url::Url;

/// A process that runs, and listens.
#[derive(Debug)]
pub struct Process {
    program: Program,
    url: Url,
    child: Child,
}

/// How a process is started.
#[derive(Clone, Debug)]
pub struct Program {
    /// What it is called, for tests.
    pub name: String,
    /// The file.
    pub file: PathBuf,
    /// What follows it, besides where it listens and `--while-stdin`.
    pub arguments: Vec<OsString>,
    /// Variables in its environment.
    pub env: Vec<(String, String)>,
    /// Where its log goes.
    pub log: PathBuf,
}

impl Process {
    /// Starts `program` on a free port, and waits until it listens.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn start(program: Program) -> Self {
        let (child, url) = program.start("127.0.0.1:0");
        Self { program, url, child }
    }

    /// Kills it, and starts it again where it listened.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn restart(&mut self) {
        let _ = self.child.kill(); // it may have ended
        let _ = self.child.wait();
        (self.child, self.url) = self.program.start(self.url.authority());
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.program.name
    }

    /// Where it listens.
    pub fn url(&self) -> Url {
        self.url.clone()
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        self.program.log()
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

impl Program {
    fn start(&self, bind: &str) -> (Child, Url) {
        let log = OpenOptions::new().create(true).append(true).open(&self.log);
        let mut child = Command::new(&self.file)
            .args(&self.arguments)
            .args(["--while-stdin", "--bind", bind])
            .env_remove("CLUSTER_TOKEN")
            .envs(self.env.iter().cloned())
            .stdin(Stdio::piped()) // held by the child's handle until it is dropped
            .stdout(Stdio::piped())
            .stderr(log.expect("the folder takes a file"))
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", self.file.display()));
        let mut line = String::new();
        let output = child.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut line).expect("it is text");
        let url = line.trim().parse();
        (child, url.unwrap_or_else(|_| panic!("{} does not listen: {}", self.name, self.log())))
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended
        let _ = self.child.wait();
    }
}
