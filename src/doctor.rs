//! What is missing on this machine, and how to get it.
//!
//! Tries things rather than look for files: a private Postgres is started, and stopped again.

use std::process::Command;

use serde::Serialize;

use crate::cluster::{self, Cluster};

/// One thing that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was tried.
    pub name: &'static str,
    /// Whether it works. What is not needed to run counts as working.
    pub works: bool,
    /// What was found.
    pub found: String,
    /// What to do, if it does not work.
    pub remedy: Option<&'static str>,
}

impl Finding {
    fn new(name: &'static str, found: Result<String, String>, remedy: &'static str) -> Self {
        let works = found.is_ok();
        let found = found.unwrap_or_else(|problem| problem);
        Self { name, works, found, remedy: (!works).then_some(remedy) }
    }
}

/// Tries everything that `unum demo` and a build need.
pub fn examine() -> Vec<Finding> {
    vec![
        Finding::new("cores and memory", machine(), "use a machine with 2 GiB of free memory or more"),
        Finding::new("Postgres, installed", installed(), "apt install postgresql"),
        Finding::new("Postgres, private", private_postgres(), "read its words above; /tmp must be writable"),
        Finding::new(
            "OpenCV, for builds",
            printed("pkg-config", &["--modversion", "opencv4"]),
            "apt install libopencv-dev",
        ),
        Finding::new("clang, for builds", printed("clang", &["--version"]), "apt install clang libclang-dev"),
    ]
}

fn machine() -> Result<String, String> {
    let cores = std::thread::available_parallelism().map_err(|error| error.to_string())?;
    let memory = std::fs::read_to_string("/proc/meminfo").map_err(|error| error.to_string())?;
    let available = memory.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kib: u64 = available
        .and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok())
        .ok_or("/proc/meminfo does not say how much memory is free")?;
    let found = format!("{cores} cores, {:.1} GiB free", kib as f64 / f64::from(1 << 20));
    // The release build of arkworks and OpenCV's bindings peaks below this.
    if kib < 2 << 20 { Err(found) } else { Ok(found) }
}

fn installed() -> Result<String, String> {
    let binaries = cluster::find_binaries().ok_or("not found below /usr/lib/postgresql or in PATH")?;
    printed(&binaries.join("postgres").to_string_lossy(), &["--version"])
}

fn private_postgres() -> Result<String, String> {
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let cluster = Cluster::temporary(&mut rng).map_err(|error| error.to_string())?;
    cluster.database("doctor").map_err(|error| error.to_string())?;
    Ok(format!("started on 127.0.0.1:{}, stopped", cluster.port()))
}

/// First line that a program prints.
fn printed(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output =
        Command::new(program).args(arguments).output().map_err(|error| format!("{program}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        return Err(format!("{program} ended with {}", output.status));
    }
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
