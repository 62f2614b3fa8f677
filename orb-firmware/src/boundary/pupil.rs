//! Where a pupil could be: dark discs in the coarse image.

use std::f32::consts::TAU;
use std::sync::OnceLock;

use super::{Circle, DIRECTIONS, STEEPEST_PUPIL};
use crate::plane::Plane;

/// Pupils kept until their limbus is known.
const CANDIDATES: usize = 6;

/// Radii that are tried, in pixels of the coarse image: 4 to 34.
const RADII: usize = 18;
const SMALLEST: f32 = 4.0;
const GROWTH: f32 = 1.135;

/// Points just inside and just outside a circle of one radius, relative to its centre, in whole pixels.
struct Ring {
    r: f32,
    reach: usize,
    pairs: [[(i16, i16); 2]; DIRECTIONS],
}

/// The clearest dark discs with their scores, best first. `dark` is the brightness of the darkest hundredth.
pub(super) fn candidates(image: &Plane, dark: f32, median: f32) -> Vec<(Circle, f32)> {
    let darkest = dark + (median - dark) * 0.4;
    let (width, height) = (image.width(), image.height());
    let mut found = Vec::new();
    for y in (4..height.saturating_sub(4)).step_by(2) {
        for x in (4..width - 4).step_by(2) {
            if f32::from(image.row(y)[x]) > darkest {
                continue;
            }
            let scores: [f32; RADII] =
                std::array::from_fn(|i| score(image, &rings()[i], (x, y), dark as i32));
            // A pupil and the iris around it are two peaks over one centre: both are kept.
            let peaks = (1..RADII - 1)
                .filter(|&i| scores[i] >= scores[i - 1] && scores[i] > scores[i + 1] && scores[i] > 5.0);
            found.extend(peaks.map(|i| (Circle { x: x as f32, y: y as f32, r: rings()[i].r }, scores[i])));
        }
    }
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut kept: Vec<(Circle, f32)> = Vec::new();
    for (circle, score) in found {
        let near = |(k, _): &(Circle, f32)| {
            let (less, more) = (k.r.min(circle.r), k.r.max(circle.r));
            (k.x - circle.x).hypot(k.y - circle.y) < less * 0.5 && more < less * 1.5
        };
        if !kept.iter().any(near) {
            kept.push((circle, score));
        }
        if kept.len() == CANDIDATES {
            break;
        }
    }
    kept
}

/// As [`super::pupil_score`], at whole pixels.
fn score(image: &Plane, ring: &Ring, (x, y): (usize, usize), dark: i32) -> f32 {
    const STEEPEST: i32 = STEEPEST_PUPIL as i32;
    let (width, height) = (image.width(), image.height());
    let (mut step, mut bright, mut seen) = (0, 0, 0);
    let whole = x >= ring.reach && y >= ring.reach && x + ring.reach < width && y + ring.reach < height;
    let mut count = |inside: u8, outside: u8| {
        step += (i32::from(outside) - i32::from(inside)).clamp(-10, STEEPEST);
        bright += (i32::from(inside) - dark).clamp(0, STEEPEST);
        seen += 1;
    };
    for pair in &ring.pairs {
        let [inside, outside] =
            pair.map(|(dx, dy)| (x.wrapping_add_signed(dx.into()), y.wrapping_add_signed(dy.into())));
        if whole || (outside.0 < width && outside.1 < height && inside.0 < width && inside.1 < height) {
            count(image.row(inside.1)[inside.0], image.row(outside.1)[outside.0]);
        }
    }
    if seen * 4 < DIRECTIONS * 3 { f32::MIN } else { (step as f32 - 0.5 * bright as f32) / seen as f32 }
}

fn rings() -> &'static [Ring; RADII] {
    static ALL: OnceLock<[Ring; RADII]> = OnceLock::new();
    ALL.get_or_init(|| {
        std::array::from_fn(|i| {
            let r = SMALLEST * GROWTH.powi(i as i32);
            let d = (r * 0.1).max(1.0);
            let pairs = std::array::from_fn(|i| {
                let (sin, cos) = (TAU * i as f32 / DIRECTIONS as f32).sin_cos();
                [r - d, r + d].map(|r| ((r * cos).round() as i16, (r * sin).round() as i16))
            });
            Ring { r, reach: (r + d).ceil() as usize, pairs }
        })
    })
}
