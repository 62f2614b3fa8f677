//! One stage of the demo on the terminal: a bar while it works, a line when it is done.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// A stage under way. Shows nothing but its last line where there is no terminal.
pub(super) struct Stage {
    bar: ProgressBar,
    start: Instant,
}

impl Stage {
    /// A stage of unknown length.
    pub(super) fn new(what: &'static str) -> Self {
        Self::with(ProgressBar::new_spinner(), "{spinner} {msg}", what)
    }

    /// A stage of `steps` steps.
    pub(super) fn of(steps: usize, what: &'static str) -> Self {
        Self::with(ProgressBar::new(steps as u64), "{spinner} {msg} {bar:30} {pos}/{len}, {eta} left", what)
    }

    fn with(bar: ProgressBar, template: &str, what: &'static str) -> Self {
        bar.set_style(ProgressStyle::with_template(template).expect("a constant template"));
        bar.set_message(what);
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar, start: Instant::now() }
    }

    /// What is being done now.
    pub(super) fn says(&self, what: &'static str) {
        self.bar.set_message(what);
    }

    /// One step is done.
    pub(super) fn step(&self) {
        self.bar.inc(1);
    }

    /// Something worth keeping on the screen.
    pub(super) fn note(&self, line: &str) {
        self.bar.suspend(|| eprintln!("  · {line}"));
    }

    /// The stage is over.
    pub(super) fn done(self, result: &str) {
        self.bar.finish_and_clear();
        eprintln!("✓ {result} ({:.1} s)", self.start.elapsed().as_secs_f64());
    }
}
