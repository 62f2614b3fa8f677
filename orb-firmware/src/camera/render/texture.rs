//! The pattern of an iris, in polar space.
//!
//! A sheet of [`ANGLES`] × [`RADII`] values, angle by radius, mean 0 and variance 1. Each radial node carries a random
//! Fourier series from 4 to 80 cycles around the iris: the band that the Gabor filters look at (18 and 64
//! cycles), with room on both sides. Between nodes the series is interpolated by cubic B-splines, so that the number
//! of nodes sets how far a structure reaches from pupil to rim. Two families are summed: fibres, which run far, and
//! stroma, which does not. Crypts (dark lozenges) are cut into a person's sheet.

use std::f32::consts::TAU;

use super::noise::Noise;

/// Samples around the iris: 12 for the shortest wave.
const ANGLES: usize = 1024;
/// Samples from the pupil (0) to the rim (1).
const RADII: usize = 64;
/// Fewest and most cycles around the iris. Below 4 it is shading, above 80 an iris of 100 pixels cannot show it.
const CYCLES: std::ops::RangeInclusive<usize> = 4..=80;
/// Amplitude falls as `cycles^-0.6`, between white noise and the `1/f` of natural scenes (Field 1987): steeper, the long
/// waves that survive defocus would hide from a measure of sharpness that the fine ones are gone.
const FALL: f32 = -0.6;
/// Fibres change over a quarter of the way from pupil to rim, stroma over a tenth; their shares of the variance.
const FAMILIES: [(usize, f32); 2] = [(4, 0.6), (10, 0.4)];

/// One sheet.
#[derive(Debug, Clone)]
pub(super) struct Texture {
    samples: Vec<f32>,
}

impl Texture {
    /// The sheet of one eye.
    pub(super) fn new(noise: Noise) -> Self {
        let mut sheet = Self::waves(noise.named("waves"));
        sheet.cut_crypts(noise.named("crypts"));
        sheet
    }

    /// Waves without anatomy: what light, relief and focus add to a sheet on one day.
    pub(super) fn waves(noise: Noise) -> Self {
        let mut samples = vec![0.0; ANGLES * RADII];
        for (family, &(nodes, variance)) in (0..).zip(&FAMILIES) {
            add_family(&mut samples, noise.branch(family), nodes, variance);
        }
        Self { samples }
    }

    /// `self` and `other` mixed so that their correlation with `self` is `√(1 − share²)` and the variance stays.
    pub(super) fn mixed(&self, other: &Self, share: f32) -> Self {
        let keep = (1.0 - share * share).sqrt();
        let samples = self.samples.iter().zip(&other.samples).map(|(a, b)| keep * a + share * b).collect();
        Self { samples }
    }

    /// The value at `angle` (radians, any) and `radius` (0 at the pupil, 1 at the rim), bilinear.
    pub(super) fn at(&self, angle: f32, radius: f32) -> f32 {
        let across = (angle / TAU).rem_euclid(1.0) * ANGLES as f32;
        let along = radius.clamp(0.0, 1.0) * (RADII - 1) as f32;
        let (column, row) = (across as usize, (along as usize).min(RADII - 2));
        let (u, v) = (across - column as f32, along - row as f32);
        let (left, right) = (column % ANGLES, (column + 1) % ANGLES);
        let line = |row: usize| {
            let line = &self.samples[row * ANGLES..][..ANGLES];
            line[left] + (line[right] - line[left]) * u
        };
        let (inner, outer) = (line(row), line(row + 1));
        inner + (outer - inner) * v
    }

    /// A dozen dark lozenges with a bright rim, mostly around the collarette, each its own size.
    fn cut_crypts(&mut self, noise: Noise) {
        let count = 8 + noise.bits(0) % 9;
        for crypt in 1..=count {
            let noise = noise.branch(crypt);
            let (angle, radius) = (noise.uniform(0), 0.38 + 0.14 * noise.gaussian(1));
            // Half-widths: 2.5° to 7° around, 6 % to 14 % of the way outwards.
            let (wide, tall) = (noise.between(2, 2.5, 7.0) / 360.0, noise.between(3, 0.06, 0.14));
            let depth = noise.between(4, 1.0, 2.4);
            for row in 0..RADII {
                let v = (row as f32 / (RADII - 1) as f32 - radius) / tall;
                for column in 0..ANGLES {
                    let around = column as f32 / ANGLES as f32 - angle;
                    let u = (around - around.round()) / wide;
                    let reach = u.abs() + v.abs(); // the lozenge's norm
                    if reach < 1.6 {
                        self.samples[row * ANGLES + column] -= depth * profile(reach);
                    }
                }
            }
        }
    }
}

/// A crypt's depth over its norm: 1 inside, a rim of −0.35 around 1.2, nothing beyond 1.6.
fn profile(reach: f32) -> f32 {
    let inside = ((1.0 - reach) * 3.0).clamp(0.0, 1.0);
    let rim = (1.0 - (reach - 1.2).abs() / 0.4).max(0.0);
    inside - 0.35 * rim
}

/// Adds one family of waves with the given `variance`, interpolated between `nodes` nodes.
fn add_family(samples: &mut [f32], noise: Noise, nodes: usize, variance: f32) {
    // A cubic B-spline needs one node before the first interval and two after it.
    let rows: Vec<Vec<f32>> = (0..nodes as u64 + 3).map(|node| series(noise.branch(node))).collect();
    let mut family = vec![0.0; samples.len()];
    for (row, line) in family.chunks_exact_mut(ANGLES).enumerate() {
        let along = row as f32 / RADII as f32 * nodes as f32;
        let weights = spline(along.fract());
        for (node, weight) in rows[along as usize..].iter().zip(weights) {
            line.iter_mut().zip(node).for_each(|(sample, value)| *sample += weight * value);
        }
    }
    // Scaled by what was drawn, so that every eye has the same contrast before its own is applied.
    let power = family.iter().map(|v| v * v).sum::<f32>() / family.len() as f32;
    let gain = (variance / power).sqrt();
    samples.iter_mut().zip(&family).for_each(|(sample, value)| *sample += gain * value);
}

/// One random Fourier series around the iris.
fn series(noise: Noise) -> Vec<f32> {
    let wave: Vec<f32> = (0..ANGLES).map(|i| (TAU * i as f32 / ANGLES as f32).cos()).collect();
    let mut line = vec![0.0; ANGLES];
    for cycles in CYCLES {
        let amplitude = (cycles as f32).powf(FALL);
        let index = 2 * cycles as u64;
        let (a, b) = (amplitude * noise.gaussian(index), amplitude * noise.gaussian(index + 1));
        for (i, sample) in line.iter_mut().enumerate() {
            let phase = cycles * i;
            // sin(x) = cos(x − ¼ turn)
            *sample += a * wave[phase % ANGLES] + b * wave[(phase + ANGLES - ANGLES / 4) % ANGLES];
        }
    }
    line
}

/// Weights of the uniform cubic B-spline at `t` in `[0, 1)`.
fn spline(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [
        (1.0 - t).powi(3) / 6.0,
        (3.0 * t3 - 6.0 * t2 + 4.0) / 6.0,
        (-3.0 * t3 + 3.0 * t2 + 3.0 * t + 1.0) / 6.0,
        t3 / 6.0,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn correlation(a: &Texture, b: &Texture) -> f32 {
        let dot =
            |a: &Texture, b: &Texture| a.samples.iter().zip(&b.samples).map(|(a, b)| a * b).sum::<f32>();
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    }

    #[test]
    fn waves_have_variance_one_and_eyes_are_uncorrelated() {
        let eyes: Vec<Texture> = (0..16).map(|seed| Texture::waves(Noise::new(seed))).collect();
        let mut found = Vec::new();
        for (i, a) in eyes.iter().enumerate() {
            let power = a.samples.iter().map(|v| v * v).sum::<f32>() / a.samples.len() as f32;
            assert!((power - 1.0).abs() < 0.3, "variance {power}");
            found.extend(eyes[..i].iter().map(|b| correlation(a, b)));
        }
        let count = found.len() as f32;
        let mean = found.iter().sum::<f32>() / count;
        let spread = (found.iter().map(|c| c * c).sum::<f32>() / count).sqrt();
        // Some 150 free values, most of the variance being in long waves: each pair spreads by 1/√150 = 0.08.
        assert!(spread < 0.12, "spread {spread}");
        assert!(mean.abs() < 4.0 * 0.12 / count.sqrt(), "mean {mean}");
    }

    #[test]
    fn a_mix_keeps_the_promised_correlation() {
        let (a, b) = (Texture::waves(Noise::new(1)), Texture::waves(Noise::new(2)));
        let found = correlation(&a, &a.mixed(&b, 0.4));
        assert!((found - (1.0_f32 - 0.16).sqrt()).abs() < 0.08, "correlation {found}");
    }

    #[test]
    fn the_sheet_closes_around_the_iris() {
        let sheet = Texture::new(Noise::new(3));
        assert!((sheet.at(1e-4, 0.5) - sheet.at(TAU - 1e-4, 0.5)).abs() < 0.05);
    }
}
