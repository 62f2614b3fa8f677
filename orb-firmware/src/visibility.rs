//! What lies over the iris: lids, lashes and glints.
//!
//! A lid's edge is a flat parabola across the iris, bright skin on one side: searched like the boundaries, by the mean
//! clamped step along it. Glints and lashes are what is much brighter or darker than the iris by itself, seen on the sheet.
//!
//! Knows nothing about filters.

use std::f32::consts::TAU;

use crate::boundary::{Boundaries, Circle};
use crate::plane::Plane;
use crate::sheet::{ANGLES, RADII, Sheet};

/// The edge of a lid: `y = top + slope · u + bend · u²` with `u = (x − centre) / radius`, in pixels.
#[derive(Debug, Clone, Copy)]
struct Lid {
    centre: f32,
    radius: f32,
    top: f32,
    slope: f32,
    bend: f32,
}

impl Lid {
    fn y(&self, x: f32) -> f32 {
        let u = (x - self.centre) / self.radius;
        self.top + (self.slope + self.bend * u) * u
    }
}

/// Smallest mean step along a lid's edge, in grey levels: below it the lid is outside the iris.
const LEAST_LID_STEP: f32 = 5.0;

/// How much brighter than the iris the skin below the lower lid is at least, in grey levels. A step inside the iris, from
/// the shadow of the lashes to the lit part, has iris on both sides. (Not asked of the upper lid: its lashes are dark.)
const LEAST_SKIN: f32 = 8.0;

/// An image of the frame's size: 255 where a lid lies over the iris, 0 elsewhere.
pub(crate) fn lids(image: &Plane, boundaries: &Boundaries) -> opencv::Result<Plane> {
    let iris = boundaries.iris.circle;
    let soft = image.blurred(f64::from(iris.r) * 0.03)?;
    let mut hidden = Plane::filled(image.width(), image.height(), 0);
    let skin = median(image, boundaries) + LEAST_SKIN;
    let upper = lid(&soft, boundaries, -1.0, 0.0);
    let lower = lid(&soft, boundaries, 1.0, skin);
    if upper.is_none() && lower.is_none() {
        return Ok(hidden);
    }
    let reach = iris.r * 1.1;
    let span = |at: f32, end: usize| {
        ((at - reach).floor().max(0.0) as usize).min(end)..((at + reach).ceil().max(0.0) as usize).min(end)
    };
    for x in span(iris.x, image.width()) {
        let top = upper.map_or(f32::MIN, |lid| lid.y(x as f32));
        let bottom = lower.map_or(f32::MAX, |lid| lid.y(x as f32));
        for y in span(iris.y, image.height()) {
            if (y as f32) < top || y as f32 > bottom {
                hidden.row_mut(y)[x] = u8::MAX;
            }
        }
    }
    Ok(hidden)
}

/// Hides glints and lashes, and what is so near to them that it is mixed with them.
pub(crate) fn hide_spots(sheet: &mut Sheet, boundaries: &Boundaries) -> opencv::Result<()> {
    let brightness = Brightness::of(sheet);
    let mut spots = Plane::filled(ANGLES, RADII, 0);
    for radius in 0..RADII {
        let seen = sheet.texture.row(radius).iter().zip(sheet.visible.row(radius));
        for (spot, (&value, &visible)) in spots.row_mut(radius).iter_mut().zip(seen) {
            let iris = (brightness.darkest..=brightness.brightest).contains(&f32::from(value));
            *spot = if visible != 0 && !iris { u8::MAX } else { 0 };
        }
    }
    // 1.5 % of the iris' radius either way, and never more than a sixteenth of the sheet.
    let (pupil, iris) = (boundaries.pupil.circle.r, boundaries.iris.circle.r);
    let margin = 0.03 * iris;
    let along = (margin * ANGLES as f32 / (TAU * f32::midpoint(pupil, iris))).min(ANGLES as f32 / 8.0);
    let across = (margin * RADII as f32 / (iris - pupil).max(1.0)).min(RADII as f32 / 8.0);
    let spots = spots.dilated(along.round() as i32 | 1, across.round() as i32 | 1)?;
    for radius in 0..RADII {
        for (visible, &spot) in sheet.visible.row_mut(radius).iter_mut().zip(spots.row(radius)) {
            *visible &= !spot;
        }
    }
    Ok(())
}

/// How bright an iris can be where nothing lies over it.
struct Brightness {
    darkest: f32,
    brightest: f32,
}

impl Brightness {
    fn of(sheet: &Sheet) -> Self {
        let mut counts = [0_u32; 256];
        // Not at the edges, where pupil and white are mixed in.
        for radius in RADII / 10..RADII * 9 / 10 {
            for (&value, &visible) in sheet.texture.row(radius).iter().zip(sheet.visible.row(radius)) {
                counts[usize::from(value)] += u32::from(visible != 0);
            }
        }
        let total: u32 = counts.iter().sum();
        let quantile = |share: f32| {
            let mut below = 0;
            let wanted = (total as f32 * share) as u32;
            counts
                .iter()
                .take_while(|&&count| {
                    below += count;
                    below <= wanted
                })
                .count() as f32
        };
        let (low, median, high) = (quantile(0.25), quantile(0.5), quantile(0.75));
        // 0.74 · (Q3 − Q1) estimates σ of normally distributed brightness whatever the outliers are.
        let sigma = 0.74 * (high - low);
        Self { darkest: median - (3.0 * sigma).max(20.0), brightest: median + (3.5 * sigma).max(30.0) }
    }
}

/// Brightness that half of the iris has, whatever lies over it.
fn median(image: &Plane, boundaries: &Boundaries) -> f32 {
    const AROUND: usize = 64;
    const ACROSS: usize = 16;
    let mut values = Vec::with_capacity(AROUND * ACROSS);
    for angle in 0..AROUND {
        let theta = TAU * angle as f32 / AROUND as f32;
        let (inner, outer) = (boundaries.pupil.at(theta), boundaries.iris.at(theta));
        values.extend((0..ACROSS).filter_map(|step| {
            let share = (step as f32 + 2.0) / (ACROSS as f32 + 3.0); // not at the edges
            image.nearest(inner.0 + (outer.0 - inner.0) * share, inner.1 + (outer.1 - inner.1) * share)
        }));
    }
    let middle = values.len() / 2;
    if values.is_empty() { 0.0 } else { f32::from(*values.select_nth_unstable(middle).1) }
}

/// The edge of the upper (`side` −1) or lower (`side` 1) lid, if it crosses the iris. Beyond it, it is on the average at
/// least as bright as `skin`.
fn lid(image: &Plane, boundaries: &Boundaries, side: f32, skin: f32) -> Option<Lid> {
    let (pupil, iris) = (boundaries.pupil.circle, boundaries.iris.circle);
    let mut best: Option<(Lid, f32)> = None;
    // The upper lid may hang to just above the middle of the iris, the lower one seldom reaches the pupil.
    let heights = if side < 0.0 { 0..28 } else { 0..18 };
    for height in heights {
        let top = iris.y + side * iris.r * (1.05 - 0.03 * height as f32);
        for bend in [0.0, 0.15, 0.3, 0.45] {
            for slope in [-0.3, -0.15, 0.0, 0.15, 0.3] {
                let (slope, bend) = (slope * iris.r, -side * bend * iris.r);
                let lid = Lid { centre: iris.x, radius: iris.r, top, slope, bend };
                if let Some(step) = lid_step(image, &lid, pupil, iris, side, skin)
                    && best.is_none_or(|(_, best)| step > best)
                {
                    best = Some((lid, step));
                }
            }
        }
    }
    best.filter(|(_, step)| *step > LEAST_LID_STEP).map(|(lid, _)| lid)
}

/// Mean clamped step across the part of a lid's edge that lies over the iris; positive where the lid is brighter.
fn lid_step(image: &Plane, lid: &Lid, pupil: Circle, iris: Circle, side: f32, skin: f32) -> Option<f32> {
    const STEPS: usize = 40;
    let d = iris.r * 0.05;
    let (mut sum, mut bright, mut seen) = (0.0, 0.0, 0_usize);
    for i in 0..STEPS {
        let x = iris.x + iris.r * (2.0 * (i as f32 + 0.5) / STEPS as f32 - 1.0);
        let y = lid.y(x);
        let from = |c: Circle| (x - c.x).hypot(y - c.y) / c.r;
        if from(iris) > 0.97 || from(pupil) < 1.2 {
            continue;
        }
        if let (Some(lid), Some(eye)) = (image.sample(x, y + side * d), image.sample(x, y - side * d)) {
            sum += (lid - eye).clamp(-10.0, 25.0);
            bright += lid;
            seen += 1;
        }
    }
    (seen >= STEPS / 4 && bright >= skin * seen as f32)
        .then(|| sum / seen as f32 * (seen as f32 / STEPS as f32).sqrt())
}
