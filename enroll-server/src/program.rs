//! The enrollment server as a program: what all of its programs do, whoever compares with everyone.

use std::sync::Arc;
use std::time::SystemTime;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use service::program;
use unum_identity::time::{Clock, UnixTime};

use crate::Server;

/// Eyes are locked in memory. Allows as much of it as whoever started this process allows at all; what that does not
/// cover is logged when it happens.
pub fn raise_memory_lock() {
    let limit = getrlimit(Resource::Memlock);
    if let Err(error) = setrlimit(Resource::Memlock, Rlimit { current: limit.maximum, ..limit }) {
        tracing::warn!(%error, "the limit of locked memory stays as it is");
    }
}

/// The system's clock.
pub fn clock() -> Arc<dyn Clock> {
    Arc::new(|| UnixTime::from(SystemTime::now()))
}

/// Says on standard output where `server` listens, and runs it until it is told to stop.
///
/// # Errors
///
/// If signals cannot be received; then it stops at once.
pub async fn run(server: Server) -> std::io::Result<()> {
    #[expect(clippy::print_stdout, reason = "whoever started it reads the port here")]
    {
        println!("http://{}", server.addr());
    }
    let ended = program::told_to_stop().await;
    server.shutdown().await;
    ended
}
