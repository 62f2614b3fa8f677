//! What lies over the iris: lids, lashes and glints.
//!
//! A lid's edge is a flat parabola across the iris, bright skin on one side: searched like the boundaries, by the mean
//! clamped step along it. Glints and lashes are what is much brighter or darker than the iris by itself.
//!
//! Knows nothing about sheets and filters.

use crate::boundary::{Boundaries, Circle};
use crate::plane::Plane;

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

/// An image of the frame's size: 255 where something lies over the iris, 0 where the iris is seen.
pub(crate) fn hidden(image: &Plane, boundaries: &Boundaries) -> opencv::Result<Plane> {
    let soft = image.blurred(f64::from(boundaries.iris.r) * 0.03)?;
    let mut hidden = Plane::filled(image.width(), image.height(), 0);
    let skin = Brightness::of(image, &hidden, boundaries).median + LEAST_SKIN;
    let upper = lid(&soft, boundaries, -1.0, 0.0);
    let lower = lid(&soft, boundaries, 1.0, skin);
    for_iris(image, boundaries.iris, |x, y| {
        let above = upper.is_some_and(|lid| (y as f32) < lid.y(x as f32));
        let below = lower.is_some_and(|lid| (y as f32) > lid.y(x as f32));
        if above || below {
            hidden.row_mut(y)[x] = u8::MAX;
        }
    });
    let brightness = Brightness::of(image, &hidden, boundaries);
    let mut spots = Plane::filled(image.width(), image.height(), 0);
    for_iris(image, boundaries.iris, |x, y| {
        let value = f32::from(image.row(y)[x]);
        if value > brightness.brightest || value < brightness.darkest {
            spots.row_mut(y)[x] = u8::MAX;
        }
    });
    let spots = spots.dilated((boundaries.iris.r * 0.03).round() as i32 | 1)?;
    for y in 0..image.height() {
        hidden.row_mut(y).iter_mut().zip(spots.row(y)).for_each(|(hidden, spot)| *hidden |= spot);
    }
    Ok(hidden)
}

/// Calls `visit` for every pixel of the image inside the iris' bounding box, a little beyond its edge.
fn for_iris(image: &Plane, iris: Circle, mut visit: impl FnMut(usize, usize)) {
    let reach = iris.r * 1.05;
    let span = |at: f32, end: usize| {
        ((at - reach).floor().max(0.0) as usize).min(end)..((at + reach).ceil().max(0.0) as usize).min(end)
    };
    for y in span(iris.y, image.height()) {
        for x in span(iris.x, image.width()) {
            visit(x, y);
        }
    }
}

/// How bright an iris can be where nothing lies over it.
struct Brightness {
    median: f32,
    darkest: f32,
    brightest: f32,
}

impl Brightness {
    fn of(image: &Plane, hidden: &Plane, boundaries: &Boundaries) -> Self {
        let mut counts = [0_u32; 256];
        for_iris(image, boundaries.iris, |x, y| {
            let from = |c: Circle| (x as f32 - c.x).hypot(y as f32 - c.y) / c.r;
            if hidden.row(y)[x] == 0 && from(boundaries.pupil) > 1.1 && from(boundaries.iris) < 0.95 {
                counts[usize::from(image.row(y)[x])] += 1;
            }
        });
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
        Self {
            median,
            darkest: median - (3.0 * sigma).max(20.0),
            brightest: median + (3.5 * sigma).max(30.0),
        }
    }
}

/// The edge of the upper (`side` −1) or lower (`side` 1) lid, if it crosses the iris. Beyond it, it is on the average at
/// least as bright as `skin`.
fn lid(image: &Plane, boundaries: &Boundaries, side: f32, skin: f32) -> Option<Lid> {
    let Boundaries { pupil, iris, .. } = *boundaries;
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
