//! Whether an image is good enough to make a code from: every refusal names the value and the limit.
//!
//! Limits are configuration. The defaults lie where the images of three public sets and rendered eyes put them: see each
//! field. Knows how to judge measures, not how they are made.

use serde::Serialize;

use crate::boundary::{Boundaries, Circle};
use crate::filter::Encoded;
use crate::plane::Plane;
use crate::sheet::Sheet;

/// What was measured on one image. Those that ISO/IEC 29794-6 names carry its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Quality {
    /// Mean brightness, 0 to 255.
    pub brightness: u32,
    /// Grey scale utilisation: entropy of the image's histogram in hundredths of a bit, 0 to 800. An image of few greys
    /// was clipped or stretched.
    pub grey_scale_utilisation: u32,
    /// Iris-pupil contrast: step across the pupil's edge where it is weak, in tenths of a grey level.
    pub pupil_step: u32,
    /// Iris-sclera contrast: step across the limbus, in tenths of a grey level.
    pub iris_step: u32,
    /// Iris-pupil ratio: pupil radius in percent of the iris radius.
    pub pupil_percent: u32,
    /// Iris-pupil concentricity: 100 where the centres coincide, 0 where they are an iris radius apart.
    pub concentricity: u32,
    /// Pupil boundary circularity: smallest radius of the pupil in percent of its largest.
    pub circularity: u32,
    /// How far the halves of the pupil's edge disagree about its centre, in percent of its radius.
    pub pupil_disagreement: u32,
    /// Iris size: its radius in pixels.
    pub iris_radius: u32,
    /// Margin adequacy: 100 where 0.6 radii of the image lie left and right of the iris and 0.2 above and below it, 0 where
    /// the iris touches the image's edge.
    pub margin: u32,
    /// Part of the iris inside the image, in percent.
    pub inside_percent: u32,
    /// Usable iris area: part of the iris that is seen, in percent of the unrolled iris.
    pub visible_percent: u32,
    /// Code bits that can be trusted, of 16,384.
    pub usable_bits: u32,
    /// Strength of coarse texture, in hundredths of a grey level.
    pub contrast: u32,
    /// Sharpness: strength of fine texture, in thousandths of that of coarse texture.
    pub sharpness: u32,
}

impl Quality {
    /// What can be said before the iris is unrolled; the rest is 0.
    pub(crate) fn of(image: &Plane, found: &Boundaries) -> Self {
        let (pupil, iris) = (found.pupil.circle, found.iris.circle);
        let apart = (pupil.x - iris.x).hypot(pupil.y - iris.y) / iris.r;
        Self {
            brightness: brightness(image),
            grey_scale_utilisation: (100.0 * entropy(image)) as u32,
            pupil_step: tenths(found.pupil_step),
            iris_step: tenths(found.iris_step),
            pupil_percent: (100.0 * pupil.r / iris.r) as u32,
            concentricity: (100.0 * (1.0 - apart)).max(0.0) as u32,
            circularity: (100.0 * found.pupil.circularity()) as u32,
            pupil_disagreement: (100.0 * found.pupil_disagreement).round() as u32,
            iris_radius: iris.r as u32,
            margin: margin(iris, image.width() as f32, image.height() as f32),
            inside_percent: iris.inside_percent(image.width(), image.height()),
            visible_percent: 0,
            usable_bits: 0,
            contrast: 0,
            sharpness: 0,
        }
    }

    /// With what the unrolled iris and its code add.
    pub(crate) fn with_code(self, sheet: &Sheet, encoded: &Encoded) -> Self {
        Self {
            visible_percent: (100.0 * sheet.visible_share()) as u32,
            usable_bits: encoded.template.usable_bits(),
            contrast: encoded.contrast,
            sharpness: encoded.sharpness,
            ..self
        }
    }
}

fn tenths(step: f32) -> u32 {
    (step * 10.0).max(0.0) as u32
}

fn brightness(image: &Plane) -> u32 {
    let sum: u64 = image.pixels().iter().map(|&v| u64::from(v)).sum();
    (sum / image.pixels().len() as u64) as u32
}

/// Of the histogram, in bits.
fn entropy(image: &Plane) -> f64 {
    let mut counts = [0_u32; 256];
    image.pixels().iter().for_each(|&v| counts[usize::from(v)] += 1);
    let share = |count: u32| f64::from(count) / image.pixels().len() as f64;
    counts.into_iter().filter(|&count| count > 0).map(|count| -share(count) * share(count).log2()).sum()
}

fn margin(iris: Circle, width: f32, height: f32) -> u32 {
    let beside = (iris.x - iris.r).min(width - 1.0 - iris.x - iris.r) / (0.6 * iris.r);
    let above = (iris.y - iris.r).min(height - 1.0 - iris.y - iris.r) / (0.2 * iris.r);
    (100.0 * beside.min(above).clamp(0.0, 1.0)).round() as u32
}

/// What an image must have.
///
/// The defaults lie between what the images of three public sets of living eyes have (CASIA-Iris-Interval's development
/// third, CASIA1 and MMU1, 2,035 images: 22 are refused, 13 of them by the self-check) and what rendered eyes have that are
/// closed, half-covered or out of focus by 5 pixels (40 of each: all are refused). Own measurement, 2026-11.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Mean brightness, least and most: outside of it most pixels are clipped.
    pub brightness: (u32, u32),
    /// Least step across the pupil's edge where it is weak, in tenths of a grey level. Living eyes have 161 at least,
    /// closed and half-covered ones 102 at most.
    pub pupil_step: u32,
    /// Least step across the limbus, in tenths of a grey level. Living eyes have 81 at least, closed ones 49 in the
    /// median.
    pub iris_step: u32,
    /// Pupil radius in percent of the iris radius, least and most. Living eyes have 24 to 61.
    pub pupil_percent: (u32, u32),
    /// Most that the halves of the pupil's edge may disagree about its centre, in percent of its radius: the
    /// self-check. Living eyes have 5 in the median, well rendered ones 5 at most, half-covered ones 33 in the median.
    pub pupil_disagreement: u32,
    /// Smallest iris radius in pixels. The smallest of the living eyes has 45.
    pub iris_radius: u32,
    /// Least part of the iris inside the image, in percent. Living eyes have 84 at least.
    pub inside_percent: u32,
    /// Least part of the iris that is seen, in percent. Living eyes have 56 at least.
    pub visible_percent: u32,
    /// Fewest code bits that can be trusted in one frame; an eye needs more, which frames have together (see
    /// [`acquisition::Config`](crate::acquisition::Config)). Living eyes have 5,991 at least.
    pub usable_bits: u32,
    /// Least strength of coarse texture, in hundredths of a grey level. Living eyes have 3,089 at least.
    pub contrast: u32,
    /// Least strength of fine texture, in thousandths of that of coarse texture. Living eyes have 203 at least, eyes out of
    /// focus by 5 pixels 200 at most.
    pub sharpness: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            brightness: (20, 235),
            pupil_step: 120,
            iris_step: 75,
            pupil_percent: (15, 75),
            pupil_disagreement: 14,
            iris_radius: 40,
            inside_percent: 75,
            visible_percent: 50,
            usable_bits: 5900,
            contrast: 2500,
            sharpness: 203,
        }
    }
}

/// Why an image gives no code. Each asks the person or the operator for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// More light.
    #[error("brightness {value}, needs {needed}")]
    TooDark {
        /// What the image has.
        value: u32,
        /// What it needs.
        needed: u32,
    },
    /// Less light.
    #[error("brightness {value}, allowed {allowed}")]
    TooBright {
        /// What the image has.
        value: u32,
        /// What is allowed.
        allowed: u32,
    },
    /// Open the eye and look into the camera.
    #[error("no eye found: pupil edge {value}, needs {needed}")]
    NoEye {
        /// What the image has.
        value: u32,
        /// What it needs.
        needed: u32,
    },
    /// Look straight into the camera.
    #[error("edge of the iris {value}, needs {needed}")]
    NoIris {
        /// What the image has.
        value: u32,
        /// What it needs.
        needed: u32,
    },
    /// Come closer.
    #[error("iris radius {value} pixels, needs {needed}")]
    TooFar {
        /// What the image has.
        value: u32,
        /// What it needs.
        needed: u32,
    },
    /// Move so that the whole iris is in the picture.
    #[error("{value} % of the iris inside the image, needs {needed} %")]
    CutOff {
        /// What the image has.
        value: u32,
        /// What it needs.
        needed: u32,
    },
    /// Change the light on the eye, which opens or narrows the pupil.
    #[error("pupil {value} % of the iris, allowed {least} to {most} %")]
    PupilSize {
        /// What the image has.
        value: u32,
        /// Smallest allowed.
        least: u32,
        /// Largest allowed.
        most: u32,
    },
    /// Open the eye wide and look straight into the camera: what was found is not believed.
    #[error("halves of the pupil's edge disagree by {value} % of its radius, allowed {allowed} %")]
    Doubtful {
        /// What the image has.
        value: u32,
        /// What is allowed.
        allowed: u32,
    },
    /// Open the eye wider, move hair and glasses away.
    #[error("{value} % of the iris visible, needs {needed} %")]
    Covered {
        /// What the image has.
        value: u32,
        /// What it needs.
        needed: u32,
    },
    /// The same, seen in the code.
    #[error("{value} usable bits, needs {needed}")]
    TooFewBits {
        /// What the image has.
        value: u32,
        /// What it needs.
        needed: u32,
    },
    /// Less stray light.
    #[error("contrast of the iris {value}, needs {needed}")]
    Faint {
        /// What the image has.
        value: u32,
        /// What it needs.
        needed: u32,
    },
    /// Hold still.
    #[error("sharpness {value}, needs {needed}")]
    Blurred {
        /// What the image has.
        value: u32,
        /// What it needs.
        needed: u32,
    },
}

impl Limits {
    /// Before anything is looked for: outside of these most pixels are clipped.
    pub(crate) fn exposure(&self, image: &Plane) -> Result<(), Refusal> {
        let value = brightness(image);
        let (needed, allowed) = self.brightness;
        if value < needed {
            return Err(Refusal::TooDark { value, needed });
        }
        if value > allowed {
            return Err(Refusal::TooBright { value, allowed });
        }
        Ok(())
    }

    /// Before the iris is unrolled: whether this is an eye, large and straight enough.
    pub(crate) fn geometry(&self, found: &Quality) -> Result<(), Refusal> {
        let too_small = |value, needed| (value < needed).then_some((value, needed));
        if let Some((value, needed)) = too_small(found.pupil_step, self.pupil_step) {
            return Err(Refusal::NoEye { value, needed });
        }
        if let Some((value, needed)) = too_small(found.iris_step, self.iris_step) {
            return Err(Refusal::NoIris { value, needed });
        }
        if let Some((value, needed)) = too_small(found.iris_radius, self.iris_radius) {
            return Err(Refusal::TooFar { value, needed });
        }
        let (value, (least, most)) = (found.pupil_percent, self.pupil_percent);
        if value < least || value > most {
            return Err(Refusal::PupilSize { value, least, most });
        }
        if let Some((value, needed)) = too_small(found.inside_percent, self.inside_percent) {
            return Err(Refusal::CutOff { value, needed });
        }
        let (value, allowed) = (found.pupil_disagreement, self.pupil_disagreement);
        if value > allowed {
            return Err(Refusal::Doubtful { value, allowed });
        }
        Ok(())
    }

    /// Whether enough of the iris is seen, sharp and with texture.
    pub(crate) fn code(&self, found: &Quality) -> Result<(), Refusal> {
        let too_small = |value, needed| (value < needed).then_some((value, needed));
        if let Some((value, needed)) = too_small(found.visible_percent, self.visible_percent) {
            return Err(Refusal::Covered { value, needed });
        }
        if let Some((value, needed)) = too_small(found.contrast, self.contrast) {
            return Err(Refusal::Faint { value, needed });
        }
        if let Some((value, needed)) = too_small(found.sharpness, self.sharpness) {
            return Err(Refusal::Blurred { value, needed });
        }
        if let Some((value, needed)) = too_small(found.usable_bits, self.usable_bits) {
            return Err(Refusal::TooFewBits { value, needed });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greys_are_counted_in_bits() {
        let mut plane = Plane::filled(16, 16, 7);
        assert!(entropy(&plane).abs() < 1e-12);
        for y in 0..16 {
            plane.row_mut(y).iter_mut().enumerate().for_each(|(x, v)| *v = (16 * y + x) as u8);
        }
        assert!((entropy(&plane) - 8.0).abs() < 1e-12, "every grey once");
    }

    #[test]
    fn margins_are_those_of_the_tightest_side() {
        let iris = |x, y| Circle { x, y, r: 50.0 };
        assert_eq!(margin(iris(160.0, 120.0), 320.0, 240.0), 100);
        assert_eq!(margin(iris(65.0, 120.0), 320.0, 240.0), 50, "15 of 30 pixels");
        assert_eq!(margin(iris(160.0, 184.0), 320.0, 240.0), 50, "5 of 10 pixels");
        assert_eq!(margin(iris(40.0, 120.0), 320.0, 240.0), 0);
    }
}
