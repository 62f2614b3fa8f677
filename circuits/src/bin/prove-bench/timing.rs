//! Medians of wall-clock time.

use std::time::Instant;

/// What `work` gives, and how many milliseconds it took.
pub(crate) fn milliseconds<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed().as_secs_f64() * 1e3)
}

/// Median of `runs`, after one run that is not counted.
pub(crate) fn median(runs: u32, mut work: impl FnMut()) -> f64 {
    work();
    middle((0..runs).map(|_| milliseconds(&mut work).1).collect())
}

/// Medians of two things done in turn.
pub(crate) fn pair(runs: u32, mut ours: impl FnMut(), mut theirs: impl FnMut()) -> (f64, f64) {
    ours();
    theirs();
    let times = (0..runs).map(|_| (milliseconds(&mut ours).1, milliseconds(&mut theirs).1));
    let (ours, theirs): (Vec<_>, Vec<_>) = times.unzip();
    (middle(ours), middle(theirs))
}

fn middle(mut times: Vec<f64>) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}
