//! The machine and its clocks; what Linux tells of it, and nothing elsewhere.

use std::fs;
use std::hint::black_box;
use std::sync::LazyLock;
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

/// The processor's name.
pub(crate) fn cpu() -> String {
    field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

/// Memory of this process that is in use now; 0 if nobody says.
pub(crate) fn resident_bytes() -> u64 {
    let kib =
        field("/proc/self/status", "VmRSS").and_then(|text| text.strip_suffix(" kB")?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// Processor time of this thread.
pub(crate) fn thread_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// Time since some moment.
pub(crate) fn wall_seconds() -> f64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_secs_f64()
}

/// The clock of this core, by a chain of multiplications: each waits three cycles for the one before (x86-64: Intel
/// since Nehalem, AMD since Zen, as measured at uops.info). The best of many short windows is one that nobody disturbed.
pub(crate) fn clock_ghz() -> f64 {
    const CYCLES: f64 = 3.0;
    const CHAIN: u32 = 10_000;
    let window = || {
        let started = Instant::now();
        let mut value = black_box(3_u64);
        for _ in 0..CHAIN {
            value = value.wrapping_mul(value);
        }
        black_box(value);
        started.elapsed().as_secs_f64()
    };
    let best = (0..500).map(|_| window()).fold(f64::MAX, f64::min);
    CYCLES * f64::from(CHAIN) / best / 1e9
}
