//! The images of a manifest as templates, each with what became of it and how long it took.
//!
//! Knows nothing about comparing them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rayon::prelude::*;
use unum_iris::Template;

use super::Progress;
use crate::camera::Eye;
use crate::decode;
use crate::manifest::Row;
use crate::pipeline::{self, CaptureError, Config};

/// What became of one image.
pub(crate) struct Shot {
    pub(crate) row: Row,
    pub(crate) outcome: Result<Template, Failure>,
    /// From the decoded image to the template or the refusal; `None` where there was no readable image.
    pub(crate) took: Option<Duration>,
}

/// Why an image takes part in no pair.
pub(crate) enum Failure {
    /// Not a readable image.
    Unreadable(String),
    /// Refused by the pipeline.
    Refused(CaptureError),
}

/// The people of a list of images, by number.
pub(crate) struct People<'a>(BTreeMap<&'a str, u32>);

/// Makes all images into templates, in the manifest's order.
pub(crate) fn shots(rows: Vec<Row>, config: &Config, progress: &(dyn Fn(Progress) + Sync)) -> Vec<Shot> {
    let (total, done) = (rows.len(), AtomicUsize::new(0));
    let shot = |row: Row| {
        let shot = Shot::of(row, config);
        progress(Progress::Images { done: done.fetch_add(1, Ordering::Relaxed) + 1, total });
        shot
    };
    rows.into_par_iter().map(shot).collect()
}

impl Shot {
    fn of(row: Row, config: &Config) -> Self {
        let frame = match decode::read(&row.path) {
            Ok(frame) => frame,
            Err(error) => {
                return Self { row, outcome: Err(Failure::Unreadable(error.to_string())), took: None };
            }
        };
        let start = Instant::now();
        let made = pipeline::template(&frame, config);
        let took = Some(start.elapsed());
        Self { row, outcome: made.map(|made| made.template).map_err(Failure::Refused), took }
    }

    pub(crate) fn template(&self) -> Option<&Template> {
        self.outcome.as_ref().ok()
    }

    pub(crate) fn is_readable(&self) -> bool {
        self.took.is_some()
    }

    /// Whose eye, and which.
    pub(crate) fn owner(&self) -> (&str, Eye) {
        (&self.row.person, self.row.eye)
    }
}

impl<'a> People<'a> {
    /// Everybody of whom there is a readable image.
    pub(crate) fn of(shots: &'a [Shot]) -> Self {
        let mut people: BTreeMap<&str, u32> = BTreeMap::new();
        for shot in shots.iter().filter(|shot| shot.is_readable()) {
            let next = people.len() as u32;
            people.entry(&shot.row.person).or_insert(next);
        }
        Self(people)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The number of the person in a readable image.
    pub(crate) fn number(&self, shot: &Shot) -> u32 {
        self.0[shot.row.person.as_str()]
    }
}
