//! How often boundaries are grossly wrong and nothing notices, against the renderer's truth.
//!
//! Grossly wrong: a centre off by more than a tenth of the radius. A radius off by more than a tenth is counted beside it.

use std::fmt;

use serde::Serialize;

use super::{Options, Progress, each};
use crate::boundary;
use crate::camera::Eye;
use crate::camera::render::{Ellipse, Subject, Truth};
use crate::pipeline::{self, CaptureError};

/// Part of the radius beyond which a boundary is grossly wrong.
const GROSS: f32 = 0.1;

/// A share with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    /// So many.
    pub count: usize,
    /// Of so many.
    pub of: usize,
    /// The share, 0 to 1.
    pub share: f64,
    /// Its 95 % interval (Wilson 1927, score interval).
    pub interval: [f64; 2],
}

/// Boundaries of many rendered eyes, judged.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Boundaries {
    /// Pictures that gave no template.
    pub refused: Share,
    /// A centre is off by more than a tenth of the radius, and a template was made: what nothing noticed.
    pub wrong: Share,
    /// Of those, the pupil's centre.
    pub pupil_centre: usize,
    /// Of those, the rim's centre.
    pub iris_centre: usize,
    /// A radius is off by more than a tenth, whatever the centres, and a template was made.
    pub wrong_radius: Share,
}

/// What is wrong with the boundaries of one eye that gave a template.
struct Judged {
    pupil_centre: bool,
    iris_centre: bool,
    radius: bool,
}

/// Under ordinary and under hard conditions; nothing if no eyes are asked for.
pub(super) fn both(
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<[Option<Boundaries>; 2], CaptureError> {
    let people: Vec<u64> = (0..options.eyes).collect();
    let judge = |stage, hard| -> Result<Option<Boundaries>, CaptureError> {
        let judged = each(stage, &people, progress, |&person| one(person, hard, options))?;
        Ok((!judged.is_empty()).then(|| Boundaries::of(&judged)))
    };
    Ok([judge("ordinary", false)?, judge("hard", true)?])
}

fn one(person: u64, hard: bool, options: &Options) -> Result<Option<Judged>, CaptureError> {
    let subject = Subject::new(person, Eye::BOTH[(person % 2) as usize]);
    let visit = if hard { subject.hard_visit(1) } else { subject.visit(1) };
    let shot = visit.shot(0);
    match pipeline::template(&shot.frame, &options.pipeline) {
        Ok(made) => Ok(Some(Judged::of(&made.boundaries, &shot.truth))),
        Err(CaptureError::Refused(_)) => Ok(None),
        Err(error @ CaptureError::Imaging(_)) => Err(error),
    }
}

impl Judged {
    fn of(found: &boundary::Boundaries, truth: &Truth) -> Self {
        let mean = |edge: &Ellipse| f32::midpoint(edge.semi_axes[0], edge.semi_axes[1]);
        let centre_off = |found: boundary::Circle, truth: &Ellipse| {
            (found.x - truth.centre[0]).hypot(found.y - truth.centre[1]) > GROSS * mean(truth)
        };
        let radius_off =
            |found: boundary::Circle, truth: &Ellipse| (found.r - mean(truth)).abs() > GROSS * mean(truth);
        Self {
            pupil_centre: centre_off(found.pupil.circle, &truth.pupil),
            iris_centre: centre_off(found.iris.circle, &truth.iris),
            radius: radius_off(found.pupil.circle, &truth.pupil)
                || radius_off(found.iris.circle, &truth.iris),
        }
    }
}

impl Boundaries {
    /// Of eyes judged, or refused.
    fn of(judged: &[Option<Judged>]) -> Self {
        let count = |of: fn(&Judged) -> bool| judged.iter().flatten().filter(|one| of(one)).count();
        let share = |of| Share::new(count(of), judged.len());
        Self {
            refused: Share::new(judged.iter().filter(|one| one.is_none()).count(), judged.len()),
            wrong: share(|one| one.pupil_centre || one.iris_centre),
            pupil_centre: count(|one| one.pupil_centre),
            iris_centre: count(|one| one.iris_centre),
            wrong_radius: share(|one| one.radius),
        }
    }
}

impl Share {
    /// `count` of `of`, which is not 0.
    pub fn new(count: usize, of: usize) -> Self {
        const Z: f64 = 1.959_964; // the 97.5 % quantile of the normal distribution
        let (k, n) = (count as f64, of as f64);
        let share = k / n;
        let middle = (share + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
        let half = Z / (1.0 + Z * Z / n) * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        Self { count, of, share, interval: [(middle - half).max(0.0), (middle + half).min(1.0)] }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [low, high] = self.interval.map(|end| 100.0 * end);
        write!(f, "{} of {}: {:.2} % ({low:.2} … {high:.2})", self.count, self.of, 100.0 * self.share)
    }
}

impl fmt::Display for Boundaries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  refused                {}", self.refused)?;
        let (pupil, iris) = (self.pupil_centre, self.iris_centre);
        writeln!(f, "  grossly wrong, let by  {}; pupil {pupil}, iris {iris}", self.wrong)?;
        writeln!(f, "  radius wrong, let by   {}", self.wrong_radius)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::render::Conditions;
    use crate::pipeline::Config;

    #[test]
    fn a_share_and_its_interval_by_hand() {
        let share = Share::new(0, 1000);
        assert!(share.interval[0].abs() < 1e-12 && (share.interval[1] - 0.003_827).abs() < 1e-5, "{share:?}");
        let share = Share::new(3, 10);
        assert!((share.interval[0] - 0.107_79).abs() < 1e-4 && (share.interval[1] - 0.603_22).abs() < 1e-4);
    }

    #[test]
    fn boundaries_that_are_moved_are_wrong() {
        let shot = Subject::new(5, Eye::Right).visit_under(1, Conditions::good()).shot(0);
        let found = pipeline::template(&shot.frame, &Config::default()).unwrap().boundaries;
        let judged = |change: fn(&mut boundary::Boundaries)| {
            let mut found = found;
            change(&mut found);
            let judged = Judged::of(&found, &shot.truth);
            [judged.pupil_centre, judged.iris_centre, judged.radius]
        };
        assert_eq!(judged(|_| {}), [false; 3]);
        assert_eq!(judged(|found| found.pupil.circle.x += found.pupil.circle.r * 0.2), [true, false, false]);
        assert_eq!(judged(|found| found.iris.circle.y -= found.iris.circle.r * 0.2), [false, true, false]);
        assert_eq!(judged(|found| found.iris.circle.r *= 0.8), [false, false, true]);
    }
}
