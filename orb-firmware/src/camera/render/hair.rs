//! Lashes: curved dark strokes rooted in the lids, painted into a layer of coverage.

use super::anatomy::Anatomy;
use super::conditions::Conditions;
use super::noise::Noise;
use super::scene::{Arc, Scene};
use super::shape::{Point, lerp, ramp};
use super::{HEIGHT, WIDTH};

/// Distance between two stamps along a stroke, in pixels: less than the thinnest stroke is wide.
const STEP: f32 = 0.7;

/// One lash: a quadratic Bézier curve in the head frame, thick at the root.
struct Lash {
    points: [Point; 3],
    width: f32,
}

/// Share of each pixel that lashes cover, row-major.
pub(super) fn layer(anatomy: &Anatomy, conditions: &Conditions, scene: &Scene) -> Vec<f32> {
    let mut layer = vec![0.0; WIDTH * HEIGHT];
    for index in 0..anatomy.lashes {
        let own = anatomy.hair.branch(index);
        if own.uniform(0) < conditions.lashes {
            let across = (index as f32 + own.uniform(1)) / anatomy.lashes as f32 * 2.0 - 1.0;
            stroke(&mut layer, scene, &upper(scene, own, across, conditions.openness));
            if index % 3 == 0 {
                stroke(&mut layer, scene, &lower(scene, own.branch(1), across));
            }
        }
    }
    layer
}

/// A lash of the upper lid. From the front most lashes point up over the lid and some hang over the eye; the lower the
/// lid, the more of them hang.
fn upper(scene: &Scene, own: Noise, across: f32, openness: f32) -> Lash {
    let length = scene.radius * own.between(2, 0.30, 0.62);
    let hangs = own.uniform(4) > 0.15 + 0.55 * openness;
    let rise = if hangs { 0.75 } else { -own.between(5, 0.45, 0.9) };
    let fan = across * 0.7 + 0.16 * own.gaussian(3);
    let root = root(scene.lids.upper, scene.lids.half_width * across * 0.93, own);
    let bend = [root[0] + 0.45 * length * fan, root[1] + length * (0.5 * rise + 0.30)];
    let tip = [root[0] + length * fan, root[1] + length * rise];
    Lash { points: [root, bend, tip], width: own.between(6, 1.8, 3.0) }
}

/// A lash of the lower lid: shorter, thinner, over the cheek.
fn lower(scene: &Scene, own: Noise, across: f32) -> Lash {
    let length = scene.radius * own.between(2, 0.12, 0.24);
    let fan = across * 0.7 + 0.2 * own.gaussian(3);
    let root = root(scene.lids.lower, scene.lids.half_width * across * 0.85, own);
    let bend = [root[0] + 0.5 * length * fan, root[1] + 0.5 * length];
    let tip = [root[0] + 1.2 * length * fan, root[1] + length];
    Lash { points: [root, bend, tip], width: own.between(6, 1.0, 1.7) }
}

/// Roots stand in two or three irregular rows.
fn root(edge: Arc, x: f32, own: Noise) -> Point {
    [x, edge.at(x) + own.between(7, -3.0, 1.0)]
}

fn stroke(layer: &mut [f32], scene: &Scene, lash: &Lash) {
    let [root, bend, tip] = lash.points.map(|point| scene.to_picture(point));
    let length = (bend[0] - root[0]).hypot(bend[1] - root[1]) + (tip[0] - bend[0]).hypot(tip[1] - bend[1]);
    let stamps = (length / STEP).ceil().max(1.0);
    for stamp in 0..=stamps as u32 {
        let t = stamp as f32 / stamps;
        let at = |axis: usize| lerp(lerp(root[axis], bend[axis], t), lerp(bend[axis], tip[axis], t), t);
        disc(layer, [at(0), at(1)], 0.5 * lash.width * (1.0 - 0.75 * t));
    }
}

/// Covers a small disc, keeping the larger of old and new coverage so that a stroke does not darken itself.
fn disc(layer: &mut [f32], [x, y]: Point, radius: f32) {
    let reach = radius + 1.0;
    let rows = (y - reach).max(0.0) as usize..((y + reach).max(0.0) as usize + 1).min(HEIGHT);
    for row in rows {
        let columns = (x - reach).max(0.0) as usize..((x + reach).max(0.0) as usize + 1).min(WIDTH);
        for column in columns {
            let distance = (column as f32 - x).hypot(row as f32 - y);
            let covered = &mut layer[row * WIDTH + column];
            *covered = covered.max(ramp(radius - distance, 0.7) * (2.0 * radius).min(1.0));
        }
    }
}
