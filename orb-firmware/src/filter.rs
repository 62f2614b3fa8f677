//! From the sheet to code and mask: two complex Gabor filters, the signs of their responses, and which signs to trust.
//!
//! A bit is the sign of the real or imaginary response (Daugman 2004, eq. 1), at 16 radii × 256 angles. It is trusted
//! where enough of the iris is visible under the kernel, the response is strong enough to be texture rather than
//! noise, and its phase is not so close to the axis that noise would turn the sign (fragile bits: Hollingsworth,
//! Bowyer and Flynn 2009, "The best bits in an iris code").
//!
//! Kernel sizes, widths and wavelengths are those of the design. Everything from the sheet on is integer arithmetic
//! with taps in fixed point, so that a sheet gives the same code on every machine. Knows nothing about images.

use std::f64::consts::TAU;
use std::sync::OnceLock;

use unum_iris::{COLUMNS, ROWS, Template};
use zeroize::Zeroizing;

use crate::plane::Plane;
use crate::sheet::{ANGLES, RADII, Sheet};

/// Taps along the radius, of both filters.
const KERNEL_RADII: usize = 21;

/// Fixed point of the taps along the radius and along the angle, and of what the first pass hands to the second: a row
/// of unit norm over pixels of 255 is at most 255 · √21 · 2^4 < 2^15, and the sum of the second pass below 2^31.
const ACROSS_BITS: u32 = 12;
const BETWEEN_BITS: u32 = 4;
const ALONG_BITS: u32 = 13;
/// Fixed point of a response.
const RESPONSE_BITS: u32 = BETWEEN_BITS + ALONG_BITS;

/// Least visible share under a kernel, in hundredths: the design's 0.93.
const MIN_VISIBLE_PERCENT: u32 = 93;

/// The shape of one filter.
struct Shape {
    /// Taps along the angle.
    angles: usize,
    /// Standard deviations of the envelope along the angle and the radius.
    sigma: (f64, f64),
    /// Of the carrier, along the angle.
    wavelength: f64,
}

const SHAPES: [Shape; 2] = [
    Shape { angles: 41, sigma: (7.0, 6.13), wavelength: 28.0 },
    Shape { angles: 17, sigma: (2.0, 5.86), wavelength: 8.0 },
];

/// The taps of one filter: a Gaussian along the radius times a carrier under a Gaussian along the angle.
struct Kernel {
    across: Vec<i16>,
    real: Vec<i16>,
    imaginary: Vec<i16>,
}

/// What the filters say about one eye.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) template: Template,
    /// Median strength of the coarse filter's response where the iris is visible, in hundredths of a grey level.
    pub(crate) contrast: u32,
    /// Median strength of the fine filter's response, in thousandths of the coarse one's: blur takes fine detail first,
    /// whatever the contrast.
    pub(crate) sharpness: u32,
}

/// Which responses are too weak or too close to an axis to be trusted.
#[derive(Debug, Clone, Copy)]
pub struct Fragility {
    /// Weakest response of each filter that counts, in hundredths of a grey level.
    pub min_strength: [u32; 2],
    /// Smallest sine of the angle between response and axis for each filter, in thousandths.
    pub min_sine: [u32; 2],
}

impl Default for Fragility {
    fn default() -> Self {
        Self { min_strength: [0, 0], min_sine: [180, 180] }
    }
}

/// Filters a sheet.
pub(crate) fn encode(sheet: &Sheet, fragility: Fragility) -> Encoded {
    let mut code = Zeroizing::new([0_u64; COLUMNS]);
    let mut mask = Zeroizing::new([0_u64; COLUMNS]);
    let visible = VisibleCount::new(&sheet.visible);
    let mut strengths = [(); 2].map(|()| Zeroizing::new(Vec::with_capacity(ROWS * COLUMNS)));
    for (filter, kernel) in kernels().iter().enumerate() {
        let rows = Rows::of(&sheet.texture, &kernel.across);
        for row in 0..ROWS {
            for column in 0..COLUMNS {
                if !visible.enough(centre(row), 2 * column, kernel.angles()) {
                    continue;
                }
                let response = kernel.response(&rows, row, 2 * column);
                strengths[filter].push(response.squared());
                for (part, trusted) in response.trusted(fragility, filter).into_iter().enumerate() {
                    let bit = (2 * filter + part) * ROWS + row;
                    code[column] |= u64::from(response.parts[part] >= 0) << bit;
                    mask[column] |= u64::from(trusted) << bit;
                }
            }
        }
    }
    let [coarse, fine] = strengths.each_mut().map(|squares| median_strength(squares));
    Encoded {
        template: Template::from_columns(&code, &mask),
        contrast: coarse,
        sharpness: fine * 1000 / coarse.max(1),
    }
}

/// The sheet's row in the middle of a code row: 16 rows spread so that every kernel lies inside the sheet.
const fn centre(row: usize) -> usize {
    let margin = KERNEL_RADII / 2;
    margin + row * (RADII - 1 - 2 * margin) / (ROWS - 1)
}

/// A complex response in fixed point: 2^17 is one grey level.
struct Response {
    parts: [i32; 2],
}

impl Response {
    fn squared(&self) -> u64 {
        let square = |part: i32| (i64::from(part) * i64::from(part)) as u64;
        square(self.parts[0]) + square(self.parts[1])
    }

    /// Whether the signs of the real and the imaginary part can be trusted.
    fn trusted(&self, fragility: Fragility, filter: usize) -> [bool; 2] {
        let squared = self.squared();
        let weakest = (u64::from(fragility.min_strength[filter]) << RESPONSE_BITS) / 100;
        let strong = squared > 0 && squared >= weakest * weakest;
        let sine = u64::from(fragility.min_sine[filter]);
        self.parts.map(|part| {
            let part = u64::from(part.unsigned_abs());
            // |part| / |response| ≥ sine / 1000, squared. At most (2^31)² · 10^6: fits in 128 bits.
            strong && u128::from(part * part) * 1_000_000 >= u128::from(squared) * u128::from(sine * sine)
        })
    }
}

fn median_strength(squares: &mut [u64]) -> u32 {
    if squares.is_empty() {
        return 0;
    }
    let middle = squares.len() / 2;
    let (_, median, _) = squares.select_nth_unstable(middle);
    ((median.isqrt() * 100) >> RESPONSE_BITS) as u32
}

/// One row for each of the code's, smoothed along the radius and continued around the circle, so that no kernel meets an
/// edge.
struct Rows {
    values: Zeroizing<Vec<i16>>,
}

const PAD: usize = 20; // half of the widest kernel
const STRIDE: usize = ANGLES + 2 * PAD;

impl Rows {
    fn of(texture: &Plane, across: &[i16]) -> Self {
        let mut values = Zeroizing::new(Vec::with_capacity(STRIDE * ROWS));
        for row in 0..ROWS {
            let mut sums = Zeroizing::new([1_i32 << (ACROSS_BITS - BETWEEN_BITS - 1); ANGLES]); // rounds
            for (radius, &tap) in (centre(row) - KERNEL_RADII / 2..).zip(across) {
                for (sum, &pixel) in sums.iter_mut().zip(texture.row(radius)) {
                    *sum += i32::from(pixel) * i32::from(tap);
                }
            }
            let around = sums[ANGLES - PAD..].iter().chain(&sums[..]).chain(&sums[..PAD]);
            values.extend(around.map(|sum| (sum >> (ACROSS_BITS - BETWEEN_BITS)) as i16));
        }
        Self { values }
    }

    /// `length` values of a row, centred on `angle`.
    fn around(&self, row: usize, angle: usize, length: usize) -> &[i16] {
        &self.values[row * STRIDE + PAD + angle - length / 2..][..length]
    }
}

/// How much of the iris is visible under a kernel, from sums over rectangles.
struct VisibleCount {
    sums: Vec<u32>, // sums[r][a]: visible pixels above and left of (r, a), padded around the circle
}

impl VisibleCount {
    fn new(visible: &Plane) -> Self {
        let width = STRIDE + 1;
        let mut sums = vec![0; width * (RADII + 1)];
        for radius in 0..RADII {
            let mut in_row = 0;
            for place in 0..STRIDE {
                in_row += u32::from(visible.row(radius)[(place + ANGLES - PAD) % ANGLES] != 0);
                sums[(radius + 1) * width + place + 1] = sums[radius * width + place + 1] + in_row;
            }
        }
        Self { sums }
    }

    fn enough(&self, radius: usize, angle: usize, angles: usize) -> bool {
        let width = STRIDE + 1;
        let (top, left) = (radius - KERNEL_RADII / 2, PAD + angle - angles / 2);
        let corner = |r: usize, a: usize| self.sums[r * width + a];
        let (bottom, right) = (top + KERNEL_RADII, left + angles);
        let seen = corner(bottom, right) + corner(top, left) - corner(top, right) - corner(bottom, left);
        seen * 100 >= (KERNEL_RADII * angles) as u32 * MIN_VISIBLE_PERCENT
    }
}

impl Kernel {
    /// Taps along the angle.
    fn angles(&self) -> usize {
        self.real.len()
    }

    fn response(&self, rows: &Rows, row: usize, angle: usize) -> Response {
        let values = rows.around(row, angle, self.angles());
        Response { parts: [dot(values, &self.real), dot(values, &self.imaginary)] }
    }

    fn new(shape: &Shape) -> Self {
        let gauss = |at: f64, sigma: f64| (-at * at / (2.0 * sigma * sigma)).exp();
        let middle = |taps: usize| (taps / 2) as f64;
        let across: Vec<f64> = (0..KERNEL_RADII)
            .map(|radius| gauss(radius as f64 - middle(KERNEL_RADII), shape.sigma.1))
            .collect();
        let part = |carrier: fn(f64) -> f64| {
            let along = (0..shape.angles).map(|angle| {
                let angle = angle as f64 - middle(shape.angles);
                gauss(angle, shape.sigma.0) * carrier(TAU * angle / shape.wavelength)
            });
            let along: Vec<f64> = along.collect();
            let mean = along.iter().sum::<f64>() / shape.angles as f64;
            blind(fixed_point(along.iter().map(|tap| tap - mean), ALONG_BITS))
        };
        let (real, imaginary) = (part(f64::cos), part(f64::sin));
        Self { across: fixed_point(across.into_iter(), ACROSS_BITS), real, imaginary }
    }
}

/// Taps of unit norm in fixed point.
fn fixed_point(taps: impl Iterator<Item = f64> + Clone, bits: u32) -> Vec<i16> {
    let norm = taps.clone().map(|tap| tap * tap).sum::<f64>().sqrt();
    taps.map(|tap| (tap / norm * f64::from(1_u32 << bits)).round() as i16).collect()
}

/// What rounding leaves of the sum goes into the middle tap, so that even brightness gives exactly nothing.
fn blind(mut taps: Vec<i16>) -> Vec<i16> {
    let rest: i16 = taps.iter().sum();
    let middle = taps.len() / 2;
    taps[middle] -= rest;
    taps
}

fn dot(values: &[i16], taps: &[i16]) -> i32 {
    values.iter().zip(taps).map(|(&value, &tap)| i32::from(value) * i32::from(tap)).sum()
}

fn kernels() -> &'static [Kernel; 2] {
    static KERNELS: OnceLock<[Kernel; 2]> = OnceLock::new();
    KERNELS.get_or_init(|| [Kernel::new(&SHAPES[0]), Kernel::new(&SHAPES[1])])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FNV-1a, 64 bits (Fowler, Noll and Vo): enough to see a difference, and four lines.
    fn hash(bytes: impl IntoIterator<Item = u8>) -> u64 {
        bytes.into_iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
        })
    }

    /// A sheet of integer noise, smoothed along the angle, with a hidden block. No floating point, no randomness.
    fn synthetic(turned: usize) -> Sheet {
        let mut texture = Plane::filled(ANGLES, RADII, 0);
        let mut visible = Plane::filled(ANGLES, RADII, 255);
        let noise = |radius: usize, angle: usize| {
            let mixed = (radius / 8 * ANGLES + angle % ANGLES) as u64 + 1;
            let mixed = mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            ((mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 56) as u32
        };
        for radius in 0..RADII {
            for angle in 0..ANGLES {
                let at = (angle + ANGLES - turned) % ANGLES;
                texture.row_mut(radius)[angle] =
                    ((0..6).map(|i| noise(radius, at + i)).sum::<u32>() / 6) as u8;
                if (300..360).contains(&at) && radius > 40 {
                    visible.row_mut(radius)[angle] = 0;
                }
            }
        }
        Sheet { texture, visible }
    }

    #[test]
    fn taps_and_code_are_the_same_on_every_machine() {
        let parts = kernels()
            .iter()
            .flat_map(|kernel| kernel.across.iter().chain(&kernel.real).chain(&kernel.imaginary));
        let taps = hash(parts.flat_map(|tap| tap.to_le_bytes()));
        let Encoded { template, contrast, sharpness } = encode(&synthetic(0), Fragility::default());
        let code = hash(template.to_bytes().iter().copied());
        // Of x86-64; a machine that gives others makes other codes.
        assert_eq!((taps, code), (11_616_307_925_836_397_220, 6_311_101_338_053_485_411));
        assert_eq!((contrast, sharpness), (21_461, 494));
    }

    #[test]
    fn kernels_are_of_unit_norm_and_blind_to_even_brightness() {
        for (kernel, shape) in kernels().iter().zip(&SHAPES) {
            let norm = |taps: &[i16]| taps.iter().map(|&t| f64::from(t).powi(2)).sum::<f64>().sqrt();
            assert!((norm(&kernel.across) / f64::from(1 << ACROSS_BITS) - 1.0).abs() < 2e-3);
            for part in [&kernel.real, &kernel.imaginary] {
                assert_eq!(part.len(), shape.angles);
                assert_eq!(part.iter().map(|&t| i32::from(t)).sum::<i32>(), 0);
                assert!((norm(part) / f64::from(1 << ALONG_BITS) - 1.0).abs() < 2e-3);
                // The largest sum that white pixels under the positive taps could give.
                let positive: i64 = part.iter().map(|&t| i64::from(t.max(0))).sum();
                let across: i64 = kernel.across.iter().map(|&t| i64::from(t)).sum();
                let between = (255 * across) >> (ACROSS_BITS - BETWEEN_BITS);
                assert!(between <= i64::from(i16::MAX) && between * positive <= i64::from(i32::MAX));
            }
        }
    }

    #[test]
    fn even_rows_give_no_trusted_bit() {
        let mut sheet = synthetic(0);
        for radius in 0..RADII {
            sheet.texture.row_mut(radius).fill(radius as u8);
        }
        assert_eq!(encode(&sheet, Fragility::default()).template.usable_bits(), 0);
    }

    #[test]
    fn two_angles_of_the_sheet_are_one_column() {
        let upright = encode(&synthetic(0), Fragility::default()).template;
        assert_eq!(encode(&synthetic(14), Fragility::default()).template, upright.rotated(7));
    }

    #[test]
    fn a_mirrored_sheet_gives_the_mirrored_template() {
        let sheet = synthetic(0);
        let mirror = |plane: &Plane| {
            let mut mirrored = Plane::filled(ANGLES, RADII, 0);
            for radius in 0..RADII {
                for angle in 0..ANGLES {
                    mirrored.row_mut(radius)[(ANGLES + ANGLES / 2 - angle) % ANGLES] =
                        plane.row(radius)[angle];
                }
            }
            mirrored
        };
        let mirrored = Sheet { texture: mirror(&sheet.texture), visible: mirror(&sheet.visible) };
        let (from, to) =
            (encode(&sheet, Fragility::default()).template, encode(&mirrored, Fragility::default()).template);
        assert_eq!(to, from.mirrored());
    }

    #[test]
    fn hidden_parts_are_masked_and_only_near_them() {
        let template = encode(&synthetic(0), Fragility { min_strength: [0; 2], min_sine: [0; 2] }).template;
        let row = 10; // radius 82, in the middle of the hidden block's
        for (column, mask) in template.mask().iter().enumerate() {
            let seen = mask >> row & 1 == 1;
            let hidden = (300..360).contains(&(2 * column));
            let far = !(300 - 20..360 + 20).contains(&(2 * column));
            assert!(!(hidden && seen) && (!far || seen), "column {column}");
        }
    }
}
