//! Where the pupil ends and the iris begins, and where the iris ends and the white begins: two circles.
//!
//! The pupil is the dark disc with a step in brightness all around, the limbus a softer step on the left and right
//! arcs, where lids seldom reach: Daugman's integro-differential search (1993, eq. 2), in a robust form. Each step along a
//! circle is clamped before it is averaged, so that a glint or a lash counts no more than any other direction, and
//! several pupils are kept until the limbus around each is known: the pair with the best sum of both is the eye.
//!
//! Searched coarsely on an image 160 pixels wide, refined on the frame itself. Knows nothing about lids, nor about what
//! makes an eye good enough.

use std::f32::consts::TAU;
use std::sync::OnceLock;

use crate::plane::Plane;

/// A circle in an image, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Circle {
    /// Centre, to the right.
    pub x: f32,
    /// Centre, downwards.
    pub y: f32,
    /// Radius.
    pub r: f32,
}

impl Circle {
    /// The point at angle `theta`, from 3 o'clock towards 6 o'clock.
    pub fn at(&self, theta: f32) -> (f32, f32) {
        (self.x + self.r * theta.cos(), self.y + self.r * theta.sin())
    }

    fn scaled(self, by: f32) -> Self {
        // Pixel (0, 0) of a shrunk image is the mean of several: centres of pixels, not corners, are at integers.
        let middle = |at: f32| (at + 0.5) * by - 0.5;
        Self { x: middle(self.x), y: middle(self.y), r: self.r * by }
    }

    /// Part of the disc that lies inside an image of this size, in percent.
    pub(crate) fn inside_percent(&self, width: usize, height: usize) -> u32 {
        let (mut inside, mut all) = (0, 0);
        for i in -20..=20 {
            for j in -20..=20 {
                if i * i + j * j > 400 {
                    continue;
                }
                let (x, y) = (self.x + self.r * i as f32 / 20.0, self.y + self.r * j as f32 / 20.0);
                all += 1;
                inside += u32::from(x >= 0.0 && y >= 0.0 && x < width as f32 && y < height as f32);
            }
        }
        inside * 100 / all
    }
}

/// The two edges of an iris, and how clear they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Boundaries {
    /// Between pupil and iris.
    pub pupil: Circle,
    /// Between iris and white.
    pub iris: Circle,
    /// Step in brightness across the pupil's edge where it is weak, in grey levels: three quarters of all directions have
    /// more.
    pub pupil_step: f32,
    /// Mean step in brightness across the limbus, mostly of the weaker side, in grey levels, each direction clamped to 18.
    pub iris_step: f32,
    /// How much this looks like an eye; comparable within one image only.
    clarity: f32,
}

/// Width of the image that is searched coarsely. A pupil of the smallest iris that is of use (radius 50 of 320 pixels) then
/// still measures 8 pixels across.
const COARSE_WIDTH: usize = 160;

/// Directions in which a pupil's edge is looked at, and one side of the limbus.
const DIRECTIONS: usize = 32;
const ARC: usize = 18;

/// Pupils kept until their limbus is known.
const CANDIDATES: usize = 6;

/// The boundaries of the likeliest eye in the image, or `None` if nothing in it looks like one.
pub(crate) fn find(image: &Plane) -> opencv::Result<Option<Boundaries>> {
    let scale = image.width() as f32 / COARSE_WIDTH as f32;
    let height = (image.height() as f32 / scale).round().max(1.0) as usize;
    let coarse = image.resized(COARSE_WIDTH, height)?.opened(7)?.blurred(0.8)?;
    let fine = image.blurred(f64::from(scale) * 0.5)?;
    let soft = image.blurred(f64::from(scale) * 1.0)?;

    let dark = darkest(&coarse);
    let best = pupils(&coarse, dark)
        .into_iter()
        .filter_map(|pupil| {
            let iris = limbus(&coarse, pupil)?;
            // Selected by clamped steps, placed by full ones: a clamped step is flat on top.
            let pupil = refined(pupil.scaled(scale), scale, |c| pupil_score(&fine, c, dark, 120.0));
            let iris = refined(iris.scaled(scale), scale, |c| limbus_step(&soft, c, pupil, 60.0));
            let iris_step = limbus_step(&soft, iris, pupil, STEEPEST_LIMBUS);
            let clarity = pupil_score(&fine, pupil, dark, STEEPEST_PUPIL) / STEEPEST_PUPIL
                + iris_step / STEEPEST_LIMBUS;
            Some(Boundaries { pupil, iris, pupil_step: weak_step(&fine, pupil), iris_step, clarity })
        })
        .max_by(|a, b| a.clarity.total_cmp(&b.clarity));
    Ok(best)
}

/// A step beyond which an edge does not count for more, in grey levels.
const STEEPEST_PUPIL: f32 = 40.0;
const STEEPEST_LIMBUS: f32 = 18.0;

/// The brightness below which the darkest hundredth of an image lies.
fn darkest(image: &Plane) -> f32 {
    quantile(image, 100)
}

fn quantile(image: &Plane, part: usize) -> f32 {
    let mut counts = [0_usize; 256];
    image.pixels().iter().for_each(|&v| counts[usize::from(v)] += 1);
    let wanted = image.pixels().len() / part;
    let below = counts.iter().scan(0, |below, count| {
        *below += count;
        Some(*below)
    });
    below.take_while(|&below| below <= wanted).count() as f32
}

/// The clearest dark discs in the coarse image, best first.
fn pupils(image: &Plane, dark: f32) -> Vec<Circle> {
    let median = quantile(image, 2);
    let darkest = dark + (median - dark) * 0.4;
    let radii: Vec<f32> = (0..18).map(|i| 4.0 * 1.135_f32.powi(i)).collect(); // 4 to 34 pixels
    let score = |c: Circle| pupil_score(image, c, dark, STEEPEST_PUPIL);
    let mut found = Vec::new();
    for y in (4..image.height().saturating_sub(4)).step_by(2) {
        for x in (4..image.width() - 4).step_by(2) {
            if f32::from(image.row(y)[x]) > darkest {
                continue;
            }
            let scores: Vec<(Circle, f32)> = radii
                .iter()
                .map(|&r| Circle { x: x as f32, y: y as f32, r })
                .map(|c| (c, score(c)))
                .collect();
            // A pupil and the iris around it are two peaks over one centre: both are kept.
            let peaks = scores.windows(3).filter(|w| w[1].1 >= w[0].1 && w[1].1 > w[2].1 && w[1].1 > 5.0);
            found.extend(peaks.map(|w| w[1]));
        }
    }
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut kept: Vec<(Circle, f32)> = Vec::new();
    for (circle, step) in found {
        let near = |(k, _): &(Circle, f32)| {
            let (less, more) = (k.r.min(circle.r), k.r.max(circle.r));
            (k.x - circle.x).hypot(k.y - circle.y) < 0.5 * more && more < 1.35 * less
        };
        if !kept.iter().any(near) {
            kept.push((circle, step));
            if kept.len() == CANDIDATES {
                break;
            }
        }
    }
    kept.into_iter().map(|(c, _)| refined(c, 1.0, score)).collect()
}

/// The limbus around a pupil, in the coarse image.
fn limbus(image: &Plane, pupil: Circle) -> Option<Circle> {
    let width = image.width() as f32;
    let (least, most) = ((pupil.r * 1.4).max(width * 0.12), (pupil.r * 6.0).min(width * 0.45));
    let mut best: Option<(Circle, f32)> = None;
    let mut r = least;
    while r <= most {
        for dy in -2..=2 {
            for dx in -2..=2 {
                let reach = 0.05 * r; // ±10 % of the radius
                let circle = Circle { x: pupil.x + dx as f32 * reach, y: pupil.y + dy as f32 * reach, r };
                let step = limbus_step(image, circle, pupil, STEEPEST_LIMBUS);
                if best.is_none_or(|(_, best)| step > best) {
                    best = Some((circle, step));
                }
            }
        }
        r *= 1.05;
    }
    best.filter(|(_, step)| *step > 0.0).map(|(circle, _)| circle)
}

/// How much a circle looks like the edge of a pupil, in grey levels: the mean step across it, each direction clamped to
/// `steepest`, less what the inside is brighter than the `dark`est of the image.
fn pupil_score(image: &Plane, circle: Circle, dark: f32, steepest: f32) -> f32 {
    let d = (circle.r * 0.1).max(1.0);
    let (mut step, mut bright, mut seen) = (0.0, 0.0, 0);
    for &(cos, sin) in directions() {
        let sample = |r: f32| image.sample(circle.x + r * cos, circle.y + r * sin);
        if let (Some(inside), Some(outside)) = (sample(circle.r - d), sample(circle.r + d)) {
            step += (outside - inside).clamp(-10.0, steepest);
            bright += (inside - dark).clamp(0.0, steepest);
            seen += 1;
        }
    }
    if seen * 4 < DIRECTIONS * 3 { f32::MIN } else { (step - 0.5 * bright) / seen as f32 }
}

/// Mean step across a circle's left and right arcs, each direction clamped to `steepest`, in grey levels; of the two,
/// nearer to the weaker one. Circles far from concentric pay for it: the arcs alone say little about the height.
fn limbus_step(image: &Plane, circle: Circle, pupil: Circle, steepest: f32) -> f32 {
    let apart = (circle.x - pupil.x).hypot(circle.y - pupil.y) / circle.r;
    if apart > 0.2 || circle.r * (1.0 - apart) < pupil.r * 1.3 {
        return f32::MIN;
    }
    match (arc_step(image, circle, 1.0, steepest), arc_step(image, circle, -1.0, steepest)) {
        (Some(right), Some(left)) => {
            0.75 * right.min(left) + 0.25 * right.max(left) - STEEPEST_LIMBUS * 12.0 * apart * apart
        }
        _ => f32::MIN,
    }
}

/// Mean clamped step across the right (`side` 1) or left (−1) arc.
fn arc_step(image: &Plane, circle: Circle, side: f32, steepest: f32) -> Option<f32> {
    let d = (circle.r * 0.04).max(1.0);
    let (mut sum, mut seen) = (0.0, 0);
    for &(cos, sin) in arc() {
        let cos = cos * side;
        let sample = |r: f32| image.sample(circle.x + r * cos, circle.y + r * sin);
        let inside = (sample(circle.r - d), sample(circle.r - 2.0 * d));
        let outside = (sample(circle.r + d), sample(circle.r + 2.0 * d));
        if let ((Some(a), Some(b)), (Some(c), Some(e))) = (inside, outside) {
            sum += ((c + e - a - b) / 2.0).clamp(-10.0, steepest);
            seen += 1;
        }
    }
    (seen * 2 >= ARC).then(|| sum / seen as f32)
}

/// The step across a circle that three quarters of all directions exceed.
fn weak_step(image: &Plane, circle: Circle) -> f32 {
    let d = (circle.r * 0.1).max(1.0);
    let mut steps = directions().map(|(cos, sin)| {
        let sample = |r: f32| image.sample(circle.x + r * cos, circle.y + r * sin);
        sample(circle.r + d).zip(sample(circle.r - d)).map_or(0.0, |(outside, inside)| outside - inside)
    });
    steps.sort_unstable_by(f32::total_cmp);
    steps[DIRECTIONS / 4]
}

/// Unit vectors all around.
fn directions() -> &'static [(f32, f32); DIRECTIONS] {
    static ALL: OnceLock<[(f32, f32); DIRECTIONS]> = OnceLock::new();
    ALL.get_or_init(|| {
        std::array::from_fn(|i| {
            let (sin, cos) = (TAU * i as f32 / DIRECTIONS as f32).sin_cos();
            (cos, sin)
        })
    })
}

/// Unit vectors of the right arc, from 35° above the horizontal to 45° below it: upper lids hang lower.
fn arc() -> &'static [(f32, f32); ARC] {
    static ALL: OnceLock<[(f32, f32); ARC]> = OnceLock::new();
    ALL.get_or_init(|| {
        std::array::from_fn(|i| {
            let (sin, cos) = (-35.0 + 80.0 * i as f32 / (ARC - 1) as f32).to_radians().sin_cos();
            (cos, sin)
        })
    })
}

/// Climbs from `start` to the nearest maximum of `score`, in steps from `step` pixels down to an eighth of that.
fn refined(start: Circle, step: f32, score: impl Fn(Circle) -> f32) -> Circle {
    let (mut best, mut best_score) = (start, score(start));
    let mut step = step;
    let last = step / 8.0;
    while step >= last {
        let Circle { x, y, r } = best;
        let moves = [
            (step, 0.0, 0.0),
            (-step, 0.0, 0.0),
            (0.0, step, 0.0),
            (0.0, -step, 0.0),
            (0.0, 0.0, step),
            (0.0, 0.0, -step),
            (step, 0.0, step),
            (-step, 0.0, step),
            (step, 0.0, -step),
            (-step, 0.0, -step),
            (0.0, step, step),
            (0.0, -step, step),
            (0.0, step, -step),
            (0.0, -step, -step),
        ];
        let next = moves
            .map(|(dx, dy, dr)| Circle { x: x + dx, y: y + dy, r: r + dr })
            .map(|circle| (circle, score(circle)))
            .into_iter()
            .max_by(|a, b| a.1.total_cmp(&b.1));
        match next {
            Some((circle, score)) if score > best_score => (best, best_score) = (circle, score),
            _ => step /= 2.0,
        }
    }
    best
}
