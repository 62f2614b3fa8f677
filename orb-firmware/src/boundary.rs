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
}

/// The two edges of an iris, and how clear they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Boundaries {
    /// Between pupil and iris.
    pub pupil: Circle,
    /// Between iris and white.
    pub iris: Circle,
    /// Mean step in brightness across the pupil's edge, in grey levels.
    pub pupil_step: f32,
    /// Mean step in brightness across the limbus, in grey levels, of the weaker of both sides.
    pub iris_step: f32,
}

/// Width of the image that is searched coarsely. A pupil of the smallest iris that is of use (radius 50 of 320 pixels) then
/// still measures 8 pixels across.
const COARSE_WIDTH: usize = 160;

/// Pupils kept until their limbus is known.
const CANDIDATES: usize = 6;

/// The boundaries of the likeliest eye in the image, or `None` if nothing in it looks like one.
pub(crate) fn find(image: &Plane) -> opencv::Result<Option<Boundaries>> {
    let scale = image.width() as f32 / COARSE_WIDTH as f32;
    let height = (image.height() as f32 / scale).round().max(1.0) as usize;
    let coarse = image.resized(COARSE_WIDTH, height)?.opened(7)?.blurred(0.8)?;
    let fine = image.blurred(f64::from(scale) * 0.5)?;
    let soft = image.blurred(f64::from(scale) * 1.0)?;

    let best = pupils(&coarse)
        .into_iter()
        .filter_map(|(pupil, _)| {
            let (iris, _) = limbus(&coarse, pupil)?;
            let pupil = refined(pupil.scaled(scale), scale, |c| pupil_step(&fine, c));
            let iris = refined(iris.scaled(scale), scale, |c| limbus_step(&soft, c, pupil));
            let found = Boundaries {
                pupil,
                iris,
                pupil_step: pupil_step(&fine, pupil),
                iris_step: limbus_step(&soft, iris, pupil),
            };
            Some(found)
        })
        .max_by(|a, b| a.clarity().total_cmp(&b.clarity()));
    Ok(best)
}

impl Boundaries {
    /// How much this looks like an eye: both steps, each as a share of a clear one.
    fn clarity(&self) -> f32 {
        self.pupil_step / STEEPEST_PUPIL + self.iris_step / STEEPEST_LIMBUS
    }
}

/// A step beyond which an edge does not count for more, in grey levels.
const STEEPEST_PUPIL: f32 = 40.0;
const STEEPEST_LIMBUS: f32 = 25.0;

/// The clearest dark discs in the coarse image, best first, with their steps.
fn pupils(image: &Plane) -> Vec<(Circle, f32)> {
    let mut sorted = image.pixels().to_vec();
    sorted.sort_unstable();
    let dark = f32::from(sorted[sorted.len() / 100]);
    let median = f32::from(sorted[sorted.len() / 2]);
    zeroize::Zeroize::zeroize(&mut sorted);
    let darkest = dark + (median - dark) * 0.4;
    let radii: Vec<f32> = (0..18).map(|i| 4.0 * 1.135_f32.powi(i)).collect(); // 4 to 34 pixels
    let mut found = Vec::new();
    for y in (4..image.height().saturating_sub(4)).step_by(2) {
        for x in (4..image.width() - 4).step_by(2) {
            if f32::from(image.row(y)[x]) > darkest {
                continue;
            }
            let at = |r| Circle { x: x as f32, y: y as f32, r };
            let best =
                radii.iter().map(|&r| (at(r), pupil_step(image, at(r)))).max_by(|a, b| a.1.total_cmp(&b.1));
            found.extend(best.filter(|(_, step)| *step > 5.0));
        }
    }
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut kept: Vec<(Circle, f32)> = Vec::new();
    for (circle, step) in found {
        let near = |(k, _): &(Circle, f32)| (k.x - circle.x).hypot(k.y - circle.y) < 0.5 * k.r.max(circle.r);
        if !kept.iter().any(near) {
            kept.push((circle, step));
            if kept.len() == CANDIDATES {
                break;
            }
        }
    }
    kept.into_iter()
        .map(|(c, _)| refined(c, 1.0, |c| pupil_step(image, c)))
        .map(|c| (c, pupil_step(image, c)))
        .collect()
}

/// The limbus around a pupil, in the coarse image.
fn limbus(image: &Plane, pupil: Circle) -> Option<(Circle, f32)> {
    let width = image.width() as f32;
    let (least, most) = ((pupil.r * 1.4).max(width * 0.12), (pupil.r * 6.0).min(width * 0.45));
    let mut best: Option<(Circle, f32)> = None;
    let mut r = least;
    while r <= most {
        for dy in -3..=3 {
            for dx in -3..=3 {
                let reach = 0.05 * r; // ±15 % of the radius
                let circle = Circle { x: pupil.x + dx as f32 * reach, y: pupil.y + dy as f32 * reach, r };
                let step = limbus_step(image, circle, pupil);
                if best.is_none_or(|(_, best)| step > best) {
                    best = Some((circle, step));
                }
            }
        }
        r *= 1.04;
    }
    best.filter(|(_, step)| *step > 0.0)
}

/// Mean step across a circle, in grey levels, for a dark disc: all around, each direction clamped.
fn pupil_step(image: &Plane, circle: Circle) -> f32 {
    const DIRECTIONS: usize = 32;
    let d = (circle.r * 0.1).max(1.0);
    let (mut sum, mut seen) = (0.0, 0);
    for (cos, sin) in directions::<DIRECTIONS>() {
        let sample = |r: f32| image.sample(circle.x + r * cos, circle.y + r * sin);
        if let (Some(inside), Some(outside)) = (sample(circle.r - d), sample(circle.r + d)) {
            sum += (outside - inside).clamp(-10.0, STEEPEST_PUPIL);
            seen += 1;
        }
    }
    if seen * 4 < DIRECTIONS * 3 { f32::MIN } else { sum / seen as f32 }
}

/// Mean step across a circle's left and right arcs, in grey levels; of the two, nearer to the weaker one.
fn limbus_step(image: &Plane, circle: Circle, pupil: Circle) -> f32 {
    let apart = (circle.x - pupil.x).hypot(circle.y - pupil.y);
    if apart > 0.2 * circle.r || circle.r < pupil.r * 1.3 + apart {
        return f32::MIN;
    }
    let (right, left) = (arc_step(image, circle, 1.0), arc_step(image, circle, -1.0));
    match (right, left) {
        (Some(right), Some(left)) => 0.75 * right.min(left) + 0.25 * right.max(left),
        _ => f32::MIN,
    }
}

/// Mean clamped step across one arc, from 35° above the horizontal to 50° below it: upper lids hang lower.
fn arc_step(image: &Plane, circle: Circle, side: f32) -> Option<f32> {
    const DIRECTIONS: usize = 18;
    let d = (circle.r * 0.04).max(1.0);
    let (mut sum, mut seen) = (0.0, 0);
    for i in 0..DIRECTIONS {
        let theta = (-35.0 + 85.0 * i as f32 / (DIRECTIONS - 1) as f32).to_radians();
        let (cos, sin) = (theta.cos() * side, theta.sin());
        let sample = |r: f32| image.sample(circle.x + r * cos, circle.y + r * sin);
        let inside = (sample(circle.r - d), sample(circle.r - 2.0 * d));
        let outside = (sample(circle.r + d), sample(circle.r + 2.0 * d));
        if let ((Some(a), Some(b)), (Some(c), Some(e))) = (inside, outside) {
            sum += ((c + e - a - b) / 2.0).clamp(-10.0, STEEPEST_LIMBUS);
            seen += 1;
        }
    }
    (seen * 2 >= DIRECTIONS).then(|| sum / seen as f32)
}

fn directions<const N: usize>() -> impl Iterator<Item = (f32, f32)> {
    (0..N).map(|i| {
        let theta = TAU * i as f32 / N as f32;
        (theta.cos(), theta.sin())
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
