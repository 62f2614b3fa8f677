//! Randomness that can be asked for by number.
//!
//! A pure function of (key, index) instead of a generator with a state: a pixel's value does not depend on the
//! order in which pixels are drawn. The mixing function is the finaliser of `SplitMix64` (Steele, Lea and Flood 2014,
//! "Fast splittable pseudorandom number generators", figure 16). Statistically good, cryptographically nothing:
//! it paints pictures and draws resamples, and never makes a key.

use super::shape::lerp;

/// The increment of `SplitMix64`: 2^64 divided by the golden ratio, made odd.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// A stream of numbers chosen by its key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Noise {
    key: u64,
}

impl Noise {
    /// The root stream of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self { key: mix(seed.wrapping_add(GAMMA)) }
    }

    /// An independent stream, chosen by number.
    pub(crate) fn branch(self, number: u64) -> Self {
        Self { key: mix(self.key ^ mix(number.wrapping_add(GAMMA))) }
    }

    /// An independent stream, chosen by name, so that a new one shifts no other.
    pub(crate) fn named(self, name: &str) -> Self {
        name.bytes().fold(self, |noise, byte| noise.branch(u64::from(byte)))
    }

    /// 64 bits.
    pub(crate) fn bits(self, index: u64) -> u64 {
        mix(self.key.wrapping_add(index.wrapping_add(1).wrapping_mul(GAMMA)))
    }

    /// Uniform in `[0, 1)`.
    pub(super) fn uniform(self, index: u64) -> f32 {
        (self.bits(index) >> 40) as f32 / (1 << 24) as f32
    }

    /// Uniform in `[low, high)`.
    pub(crate) fn between(self, index: u64, low: f32, high: f32) -> f32 {
        lerp(low, high, self.uniform(index))
    }

    /// Mean 0, variance 1, never beyond ±3.5: the sum of four uniform numbers (Irwin–Hall), which is cheap and close
    /// enough to a Gaussian for light and skin.
    pub(crate) fn gaussian(self, index: u64) -> f32 {
        let bits = self.bits(index);
        let sum: u64 = (0..4).map(|part| (bits >> (16 * part)) & 0xffff).sum();
        // Four uniforms on [0, 1) have mean 2 and variance 4/12.
        (sum as f32 / 65_536.0 - 2.0) * 3.0_f32.sqrt()
    }

    /// Value noise: a smooth surface through random heights in `[-1, 1)` on the whole-numbered grid.
    pub(super) fn surface(self, x: f32, y: f32) -> f32 {
        let (column, row) = (x.floor(), y.floor());
        let height = |dx: i64, dy: i64| {
            let (column, row) = (column as i64 + dx, row as i64 + dy);
            self.uniform((column as u64 & 0xffff_ffff) | ((row as u64) << 32)) * 2.0 - 1.0
        };
        let (u, v) = (ease(x - column), ease(y - row));
        lerp(lerp(height(0, 0), height(1, 0), u), lerp(height(0, 1), height(1, 1), u), v)
    }
}

/// Hermite ease on `[0, 1]`: no kink at the grid lines.
fn ease(t: f32) -> f32 {
    t * t * (3.0 - 2.0 * t)
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaussian_has_mean_zero_and_variance_one() {
        let noise = Noise::new(1);
        let count = 100_000;
        let mean = (0..count).map(|i| f64::from(noise.gaussian(i))).sum::<f64>() / count as f64;
        let variance = (0..count).map(|i| f64::from(noise.gaussian(i)).powi(2)).sum::<f64>() / count as f64;
        assert!(mean.abs() < 0.02, "mean {mean}"); // 6 standard errors
        assert!((variance - 1.0).abs() < 0.02, "variance {variance}");
    }

    #[test]
    fn branches_are_uncorrelated() {
        let root = Noise::new(7);
        let (a, b) = (root.named("texture"), root.named("relief"));
        let count = 100_000;
        let product =
            (0..count).map(|i| f64::from(a.gaussian(i) * b.gaussian(i))).sum::<f64>() / count as f64;
        assert!(product.abs() < 0.02, "correlation {product}");
    }
}
