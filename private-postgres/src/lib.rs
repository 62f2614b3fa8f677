//! A private Postgres: the system's own binaries, a folder of ours, a free loopback port, a random password.
//!
//! Never a shared server. As root it runs as the unprivileged user `postgres`, since Postgres refuses root. It
//! cannot outlive us: a shell beside it reads a pipe that only we hold open, and stops it when the pipe closes,
//! even if we are killed.

use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rand_core::Rng;

/// How long a start may take: recovery after a crash is bounded by checkpoints, a slow disk is not.
const START_LIMIT: Duration = Duration::from_mins(1);
/// How long a Postgres that was told to stop may take: a fast shutdown writes one checkpoint, as slowly as a busy disk does.
const STOP_LIMIT: Duration = Duration::from_mins(1);
const SUPERUSER: &str = "unum";
/// Ports for Postgres: below 32768, where Linux begins to take ports for outgoing connections.
const OWN_PORTS: Range<u16> = 16_384..32_768;
/// How many ports are tried.
const PORTS: usize = 5;

/// Stops Postgres when our end of its standard input closes or says `pause`, and kills it with all of its processes when it
/// says `crash`. `$0` is the binary, `$1` the folder to remove in the end, or nothing.
const KEEPER: &str = r#"remove=$1; shift; "$0" "$@" & p=$!
read -r order
if [ "$order" = crash ]; then kill -KILL $p $(cat /proc/$p/task/$p/children); else kill -INT $p; fi
wait $p
if [ -n "$remove" ] && [ -z "$order" ]; then rm -rf "$remove"; fi"#;

/// What Postgres says that was started while processes of a killed one are still ending.
const NOT_GONE_YET: &str = "pre-existing shared memory block";

/// Why there is no private Postgres.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// Postgres is not installed. Install it.
    #[error("no Postgres found below /usr/lib/postgresql or in PATH; install it: apt install postgresql")]
    NotInstalled,
    /// We are root and there is nobody to run Postgres as. Install Debian's package, which makes the user.
    #[error(
        "running as root needs the system user `postgres`, which Debian's package makes: apt install postgresql"
    )]
    NoUser,
    /// A file or process operation failed.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// `initdb` or Postgres itself did not work; its own words follow.
    #[error("{program} failed: {output}")]
    Program {
        /// Which program.
        program: &'static str,
        /// The end of what it printed.
        output: String,
    },
    /// Another program runs a Postgres on this folder. End that program, or choose another folder.
    #[error("{0} is in use by another program")]
    InUse(PathBuf),
    /// The server runs but does not do what it is asked.
    #[error("Postgres: {0}")]
    Query(#[from] postgres::Error),
}

fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> ClusterError {
    move |source| ClusterError::Io { what, source }
}

/// A running private Postgres. Dropping it stops the server; the data stay, unless it is temporary.
#[derive(Debug)]
pub struct Cluster {
    binaries: PathBuf,
    folder: PathBuf,
    temporary: bool,
    password: String,
    port: u16,
    owner: Option<Owner>,
    keeper: Option<Child>,
}

/// Whom to run as, when we are root.
#[derive(Clone, Copy, Debug)]
struct Owner {
    uid: u32,
    gid: u32,
}

impl Cluster {
    /// Starts a Postgres whose data are in `folder`, which is made if it is missing.
    ///
    /// # Errors
    ///
    /// A [`ClusterError`] that says what to do.
    pub fn start(folder: &Path, rng: &mut impl Rng) -> Result<Self, ClusterError> {
        Self::start_in(folder, false, rng)
    }

    /// Starts a Postgres in a new folder that is gone when we end, however we end.
    ///
    /// # Errors
    ///
    /// A [`ClusterError`] that says what to do.
    pub fn temporary(rng: &mut impl Rng) -> Result<Self, ClusterError> {
        let folder =
            tempfile::Builder::new().prefix("unum-postgres-").tempdir().map_err(io("make a folder"))?;
        Self::start_in(&folder.keep(), true, rng)
    }

    fn start_in(folder: &Path, temporary: bool, rng: &mut impl Rng) -> Result<Self, ClusterError> {
        let binaries = find_binaries().ok_or(ClusterError::NotInstalled)?;
        let owner = owner()?;
        fs::create_dir_all(folder).map_err(io("make the data folder"))?;
        let folder = folder.canonicalize().map_err(io("find the data folder"))?;
        own(&folder, owner)?;
        let password = password(&folder, owner, rng)?;
        let port = free_port(rng)?;
        let mut cluster = Self { binaries, folder, temporary, password, port, owner, keeper: None };
        cluster.init()?;
        cluster.come_up(rng)?;
        Ok(cluster)
    }

    /// Starts the server, on another port if somebody else has got this one meanwhile.
    fn come_up(&mut self, rng: &mut impl Rng) -> Result<(), ClusterError> {
        for _ in 1..PORTS {
            match self.resume() {
                Err(ClusterError::Program { output, .. }) if output.contains("Address already in use") => {
                    self.pause(); // Postgres has ended; now its keeper does
                    self.port = free_port(rng)?;
                }
                started => return started,
            }
        }
        self.resume()
    }

    /// Where the database `name` is, which is made if it is missing.
    ///
    /// # Errors
    ///
    /// [`ClusterError::Query`].
    pub fn database(&self, name: &str) -> Result<String, ClusterError> {
        let mut client = self.connect()?;
        let known = client.query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&name])?.is_some();
        if !known {
            client.batch_execute(&format!("CREATE DATABASE \"{name}\""))?; // our own names: no quoting needed
        }
        Ok(self.url(name))
    }

    /// Where the database `name` is, for `role`, which may log in and has no other right; both are made if they are missing.
    ///
    /// # Errors
    ///
    /// [`ClusterError::Query`].
    pub fn database_for(&self, role: &str, name: &str) -> Result<String, ClusterError> {
        self.database(name)?;
        // Our own names, and a password of hex digits: no quoting needed. Somebody else may be as fast.
        self.connect()?.batch_execute(&format!(
            "DO $$ BEGIN CREATE ROLE \"{role}\" LOGIN PASSWORD '{}'; \
             EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$",
            self.password
        ))?;
        Ok(self.url_for(role, name))
    }

    /// The loopback port. It stays the same over [`Cluster::pause`].
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Stops the server, as an outage does: connections break.
    pub fn pause(&mut self) {
        self.end(b"pause\n");
    }

    /// Kills the server and all of its processes, as a crash does: nothing is written any more.
    pub fn crash(&mut self) {
        self.end(b"crash\n");
    }

    /// Gives the keeper an order, and waits until Postgres and it have ended. Unless told to `crash`, Postgres is interrupted:
    /// it shuts down fast, breaking connections.
    fn end(&mut self, order: &[u8]) {
        if let Some(mut keeper) = self.keeper.take() {
            if let Some(mut pipe) = keeper.stdin.take() {
                let _ = pipe.write_all(order); // a keeper that is gone has nothing left to stop
            }
            let _ = keeper.wait();
        }
    }

    /// Starts the server again.
    ///
    /// # Errors
    ///
    /// [`ClusterError::Program`] with the end of its log if it does not come up.
    pub fn resume(&mut self) -> Result<(), ClusterError> {
        let start = Instant::now();
        loop {
            match self.try_resume() {
                Err(ClusterError::Program { output, .. })
                    if output.contains(NOT_GONE_YET) && start.elapsed() < STOP_LIMIT =>
                {
                    self.pause(); // Postgres has ended; now its keeper does
                }
                started => return started,
            }
        }
    }

    fn try_resume(&mut self) -> Result<(), ClusterError> {
        self.wait_for_predecessor()?;
        let log = self.new_log()?;
        own(&self.log(), self.owner)?;
        let mut command = self.command("sh");
        command
            .args(["-c", KEEPER])
            .arg(self.binaries.join("postgres"))
            .arg(if self.temporary { self.folder.as_os_str() } else { "".as_ref() })
            .arg("-D")
            .arg(self.folder.join("data"))
            .args(["-p", &self.port.to_string()])
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="])
            .args(["-c", "max_connections=200"])
            .stdin(Stdio::piped())
            .stdout(log.try_clone().map_err(io("share Postgres's log"))?)
            .stderr(log)
            .process_group(0); // Ctrl-C is for us; Postgres stops when we do
        self.keeper = Some(command.spawn().map_err(io("start Postgres"))?);
        self.wait_until_ready()
    }

    /// A log that nobody else writes to: a predecessor gives its folder free before its last line, which would read as ours.
    fn new_log(&self) -> Result<fs::File, ClusterError> {
        match fs::remove_file(self.log()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(io("remove Postgres's old log")(error))
            }
            _ => fs::File::create_new(self.log()).map_err(io("make Postgres's log")),
        }
    }

    fn init(&self) -> Result<(), ClusterError> {
        if self.folder.join("data/PG_VERSION").exists() {
            return Ok(());
        }
        let output = self
            .command(self.binaries.join("initdb"))
            .args(["--username", SUPERUSER, "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"])
            .arg("--pwfile")
            .arg(self.folder.join("password"))
            .arg("-D")
            .arg(self.folder.join("data"))
            .output()
            .map_err(io("start initdb"))?;
        if output.status.success() {
            return Ok(());
        }
        let output = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(ClusterError::Program { program: "initdb", output })
    }

    /// Lets a Postgres finish whose program has just ended: its keeper is stopping it.
    fn wait_for_predecessor(&self) -> Result<(), ClusterError> {
        let lock = self.folder.join("data/postmaster.pid");
        let runs = || {
            let text = fs::read_to_string(&lock).unwrap_or_default();
            text.lines().next().is_some_and(|pid| Path::new("/proc").join(pid.trim()).exists())
        };
        let start = Instant::now();
        while runs() {
            if start.elapsed() > STOP_LIMIT {
                return Err(ClusterError::InUse(self.folder.clone()));
            }
            std::thread::sleep(Duration::from_millis(30));
        }
        Ok(())
    }

    /// Nobody is connected to before Postgres says that it listens: on a port that somebody else has got meanwhile, we
    /// would wait for a stranger's answer.
    fn wait_until_ready(&mut self) -> Result<(), ClusterError> {
        let start = Instant::now();
        loop {
            let log = fs::read_to_string(self.log()).map_err(io("read Postgres's log"))?;
            if log.contains("ready to accept connections") {
                self.connect()?;
                return Ok(());
            }
            // Its keeper does not end with it, so that only the log says whether it has given up.
            let given_up =
                ["database system is shut down", "FATAL:  could not", "FATAL:  lock file", NOT_GONE_YET];
            if given_up.iter().any(|words| log.contains(words)) || start.elapsed() > START_LIMIT {
                return Err(ClusterError::Program { program: "postgres", output: log });
            }
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    fn connect(&self) -> Result<postgres::Client, postgres::Error> {
        postgres::Client::connect(&self.url("postgres"), postgres::NoTls)
    }

    fn url(&self, database: &str) -> String {
        self.url_for(SUPERUSER, database)
    }

    fn url_for(&self, role: &str, database: &str) -> String {
        format!("postgres://{role}:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    fn log(&self) -> PathBuf {
        self.folder.join("postgres.log")
    }

    /// A command that runs as the owner, in the data folder, in English (we read the log).
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder).env("LC_ALL", "C");
        if let Some(Owner { uid, gid }) = self.owner {
            command.uid(uid).gid(gid);
        }
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.end(b"");
        if self.temporary {
            let _ = fs::remove_dir_all(&self.folder); // it was paused, or never came up
        }
    }
}

/// The newest installed Postgres: Debian keeps its server binaries out of `PATH`.
pub fn find_binaries() -> Option<PathBuf> {
    let debian =
        fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path());
    let mut versions: Vec<_> = debian.map(|path| (version(&path), path.join("bin"))).collect();
    versions.sort();
    let newest_first = versions.into_iter().rev().map(|(_, path)| path);
    let in_path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    newest_first
        .chain(in_path.into_iter().flatten())
        .find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
}

fn version(path: &Path) -> u32 {
    path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok()).unwrap_or(0)
}

/// A port that was free a moment ago. Postgres cannot be handed a bound socket.
///
/// Not one that the system would choose: it takes those for outgoing connections too, and any program's next one could
/// get the port before Postgres does, or while Postgres is paused.
fn free_port(rng: &mut impl Rng) -> Result<u16, ClusterError> {
    let count = OWN_PORTS.end - OWN_PORTS.start;
    for _ in 1..PORTS {
        let port = OWN_PORTS.start + (rng.next_u32() % u32::from(count)) as u16;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(io("find a free port"))?;
    Ok(listener.local_addr().map_err(io("find a free port"))?.port())
}

/// `postgres`, if we are root.
fn owner() -> Result<Option<Owner>, ClusterError> {
    let id = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    if id(&["-u"]) != Some(0) {
        return Ok(None);
    }
    match (id(&["-u", "postgres"]), id(&["-g", "postgres"])) {
        (Some(uid), Some(gid)) => Ok(Some(Owner { uid, gid })),
        _ => Err(ClusterError::NoUser),
    }
}

fn own(path: &Path, owner: Option<Owner>) -> Result<(), ClusterError> {
    match owner {
        Some(Owner { uid, gid }) => {
            chown(path, Some(uid), Some(gid)).map_err(io("give the folder to Postgres"))
        }
        None => Ok(()),
    }
}

/// The stored password of this folder, or a new one.
fn password(folder: &Path, owner: Option<Owner>, rng: &mut impl Rng) -> Result<String, ClusterError> {
    let path = folder.join("password");
    if let Ok(password) = fs::read_to_string(&path) {
        return Ok(password);
    }
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    let password = hex::encode(bytes);
    fs::write(&path, "").map_err(io("write the password"))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(io("protect the password"))?;
    fs::write(&path, &password).map_err(io("write the password"))?;
    own(&path, owner)?;
    Ok(password)
}

#[cfg(test)]
mod tests {
    use getrandom::SysRng;
    use rand_core::UnwrapErr;

    use super::*;

    #[test]
    fn what_was_committed_survives_a_crash() {
        let mut cluster = Cluster::temporary(&mut UnwrapErr(SysRng)).unwrap();
        let mut client = cluster.connect().unwrap();
        client.batch_execute("CREATE TABLE kept (n INT); INSERT INTO kept VALUES (7)").unwrap();
        cluster.crash();
        assert!(client.query("SELECT n FROM kept", &[]).is_err(), "it is gone");
        cluster.resume().unwrap();
        let row = cluster.connect().unwrap().query_one("SELECT n FROM kept", &[]).unwrap();
        assert_eq!(row.get::<_, i32>(0), 7);
        let log = fs::read_to_string(cluster.log()).unwrap();
        assert!(log.contains("was not properly shut down"), "{log}");
    }

    #[test]
    fn a_predecessors_last_words_are_not_taken_for_ours() {
        let mut cluster = Cluster::temporary(&mut UnwrapErr(SysRng)).unwrap();
        let mut predecessor = fs::OpenOptions::new().append(true).open(cluster.log()).unwrap();
        cluster.pause();
        cluster.resume().unwrap();
        predecessor.write_all(b"LOG:  database system is shut down\n").unwrap();
        let log = fs::read_to_string(cluster.log()).unwrap();
        assert!(!log.contains("is shut down"), "{log}");
    }

    #[test]
    fn a_port_that_somebody_else_got_is_given_up() {
        let mut cluster = Cluster::temporary(&mut UnwrapErr(SysRng)).unwrap();
        let port = cluster.port();
        assert!(OWN_PORTS.contains(&port), "outgoing connections could take {port}");
        cluster.pause();
        let _somebody_else = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert!(matches!(cluster.resume(), Err(ClusterError::Program { program: "postgres", .. })));
        cluster.pause();
        cluster.come_up(&mut UnwrapErr(SysRng)).unwrap();
        assert_ne!(cluster.port(), port);
        cluster.connect().unwrap();
    }
}
