//! Faults on purpose: what a worker of a test does wrong. [`WorkerConfig::load`](super::WorkerConfig::load) refuses them
//! unless they are allowed.

use std::thread;
use std::time::Duration;

use enroll_server::matcher::{Coverage, Finding, Part};
use serde::Deserialize;

use crate::wire::Reply;

/// What to do wrong in scans. Segments are called by their first person.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sabotage {
    /// Wait so long before answering.
    pub lag_ms: u64,
    /// Answer for this segment twice.
    pub twice: Option<u64>,
    /// Say nothing of this segment.
    pub silent: Option<u64>,
    /// Say this segment instead of the one before it in the order.
    pub instead: Option<u64>,
    /// Say that one person less was compared in this segment.
    pub short: Option<u64>,
    /// Answer for this segment in the version before.
    pub stale: Option<u64>,
    /// Answer one query less for this segment.
    pub half: Option<u64>,
    /// Find the first person of all in this segment.
    pub elsewhere: Option<u64>,
}

impl Sabotage {
    pub(super) fn lag(&self) {
        thread::sleep(Duration::from_millis(self.lag_ms));
    }

    pub(super) fn spoil(&self, replies: Vec<Reply>) -> Vec<Reply> {
        let mut spoilt = Vec::with_capacity(replies.len() + 1);
        for mut reply in replies {
            let first = reply.first();
            let is = |listed: Option<u64>| listed.is_some() && listed == first;
            if let Reply::Covered(row) = &mut reply {
                self.alter(row, is);
            }
            if is(self.twice) {
                spoilt.push(reply.clone());
            }
            if is(self.instead) {
                spoilt.pop();
                spoilt.push(reply.clone());
            }
            if !is(self.silent) {
                spoilt.push(reply);
            }
        }
        spoilt
    }

    fn alter(&self, row: &mut Coverage, is: impl Fn(Option<u64>) -> bool) {
        if is(self.short) {
            row.people -= 1;
        }
        if is(self.half) {
            row.findings.pop();
        }
        if is(self.elsewhere) {
            row.findings.fill(Finding::Duplicate { person: 1 });
        }
        if let (true, Part::Segment { version, .. }) = (is(self.stale), &mut row.part) {
            *version -= 1;
        }
    }
}
