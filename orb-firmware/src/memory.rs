//! Keeps what passes through this process out of swap and core dumps.
//!
//! Locks all of the process's memory, now and later, instead of single buffers: frames and intermediate images come from
//! OpenCV and image decoders, whose buffers are not ours to lock. Needs no `unsafe`. Buffers of ours are wiped besides.
//!
//! Says nothing about what other programs with the right to read this process's memory can do.

use rustix::io::Errno;
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Why memory could not be protected. Nothing was locked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MemoryError {
    /// The process may not lock all its memory. Raise the limit (`ulimit -l unlimited`, or `LimitMEMLOCK=infinity` in
    /// the unit file).
    #[error("may not lock all of its memory (raise the limit: `ulimit -l unlimited`)")]
    Limit,
    /// The system refused.
    #[error("cannot protect memory: {0}")]
    System(#[from] Errno),
}

/// Locks all memory of this process and turns its core dumps off.
///
/// # Errors
///
/// [`MemoryError::Limit`] where the limit is finite and this process may not raise it: a later allocation beyond it would
/// fail, and end the process in the middle of a capture. Core dumps are off even then.
pub fn lock() -> Result<(), MemoryError> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    setrlimit(Resource::Memlock, Rlimit { current: None, maximum: None }).map_err(|error| match error {
        Errno::PERM => MemoryError::Limit,
        other => MemoryError::System(other),
    })?;
    Ok(mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE)?)
}
