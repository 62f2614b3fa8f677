//! One frame to one template: quality, segmentation, sheet, filters, in this order.
//!
//! Knows the order of the stages and nothing else.

use std::sync::Arc;

use unum_iris::Template;

use crate::boundary::Boundaries;
use crate::filter::{self, Fragility};
use crate::frame::Frame;
use crate::plane::Plane;
use crate::quality::{Limits, Quality, Refusal};
use crate::segment::{Classical, Segmentation, Segmenter};
use crate::sheet::Sheet;
use crate::visibility;

/// What the stages need to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// How the iris is found.
    pub segmenter: Arc<dyn Segmenter>,
    /// What an image must have.
    pub limits: Limits,
    /// Which code bits are not trusted.
    pub fragility: Fragility,
}

impl Default for Config {
    fn default() -> Self {
        Self { segmenter: Arc::new(Classical), limits: Limits::default(), fragility: Fragility::default() }
    }
}

/// The template of one frame, with what was measured on the way.
#[derive(Debug)]
pub struct EyeTemplate {
    /// The code and its mask.
    pub template: Template,
    /// Where the iris is.
    pub boundaries: Boundaries,
    /// The measures that were judged.
    pub quality: Quality,
}

/// Why a frame gives no template.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// The image is not good enough. Capture again.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// An image operation failed: a fault of the installation, not of the image.
    #[error("image operation failed: {0}")]
    Imaging(#[from] opencv::Error),
    /// The way to find the iris that was configured does not work here: a fault of the installation.
    #[error("finding the iris failed: {0}")]
    Segmenter(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The template of the eye in `frame`.
///
/// # Errors
///
/// [`CaptureError::Refused`] if the image is not good enough.
pub fn template(frame: &Frame, config: &Config) -> Result<EyeTemplate, CaptureError> {
    let limits = config.limits;
    let image = Plane::of(frame);
    limits.exposure(&image)?;
    let nothing = Refusal::NoEye { value: 0, needed: limits.pupil_step };
    let segmentation = config.segmenter.segment(&image)?.ok_or(nothing)?;
    let boundaries = segmentation.boundaries;
    let quality = Quality::of(&image, &boundaries);
    limits.geometry(&quality)?;
    let sheet = unrolled(&image, &segmentation)?;
    let encoded = filter::encode(&sheet, config.fragility);
    let quality = quality.with_code(&sheet, &encoded);
    limits.code(&quality)?;
    Ok(EyeTemplate { template: encoded.template, boundaries, quality })
}

/// The iris as the filters take it: unrolled, and with nothing left of what lies over it.
pub(crate) fn unrolled(image: &Plane, eye: &Segmentation) -> opencv::Result<Sheet> {
    let mut sheet = Sheet::unroll(image, &eye.covered, &eye.boundaries, eye.tilt);
    visibility::hide_spots(&mut sheet, &eye.boundaries)?;
    sheet.fill_hidden();
    Ok(sheet)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unum_iris::{MIN_COMPARED, Measure, closest_rotation};
    use zeroize::Zeroizing;

    use super::*;
    use crate::camera::Eye;
    use crate::camera::render::{Conditions, Subject, Truth};
    use crate::fusion;

    fn of(frame: &Frame) -> Result<EyeTemplate, CaptureError> {
        template(frame, &Config::default())
    }

    fn refusal(frame: &Frame) -> Refusal {
        match of(frame) {
            Err(CaptureError::Refused(refusal)) => refusal,
            other => panic!("not refused: {other:?}"),
        }
    }

    fn apart(a: &Template, b: &Template) -> f64 {
        closest_rotation(a, b, MIN_COMPARED, Measure::Plain).unwrap().fraction()
    }

    /// What a visit of three shots gives.
    fn captured(person: u64, eye: Eye, session: u64) -> Template {
        let visit = Subject::new(person, eye).visit(session);
        let frames: Vec<Template> = (0..8)
            .filter_map(|shot| of(&visit.shot(shot).frame).ok())
            .take(3)
            .map(|made| made.template)
            .collect();
        fusion::fuse(&frames, fusion::MIN_FRAMES).unwrap()
    }

    #[track_caller]
    fn check_boundaries(found: &Boundaries, truth: &Truth) {
        for (found, truth, name) in
            [(found.pupil.circle, truth.pupil, "pupil"), (found.iris.circle, truth.iris, "iris")]
        {
            let off = (found.x - truth.centre[0]).hypot(found.y - truth.centre[1]);
            let mean = f32::midpoint(truth.semi_axes[0], truth.semi_axes[1]);
            assert!(off < 5.0, "{name}'s centre is off by {off} pixels");
            assert!((found.r - mean).abs() < 5.0, "{name}'s radius is {} instead of {mean}", found.r);
        }
    }

    #[test]
    fn boundaries_lie_where_the_truth_says() {
        for person in 0..8 {
            let shot = Subject::new(person, Eye::Left).visit(1).shot(0);
            check_boundaries(&of(&shot.frame).unwrap().boundaries, &shot.truth);
        }
    }

    #[test]
    fn the_same_eye_is_near_and_others_are_far() {
        let seen: Vec<[Template; 2]> = (0..3).map(|p| [1, 2].map(|s| captured(p, Eye::Left, s))).collect();
        for (i, [enrolled, _]) in seen.iter().enumerate() {
            for (j, [_, again]) in seen.iter().enumerate() {
                let distance = apart(enrolled, again);
                assert_eq!(distance < 0.36, i == j, "{i} and {j}: {distance}");
            }
        }
        assert!(apart(&seen[0][0], &captured(0, Eye::Right, 1)) > 0.36, "left and right are two eyes");
    }

    #[test]
    fn a_mirrored_frame_gives_the_mirrored_template() {
        let frame = Subject::new(3, Eye::Right).visit(1).shot(0).frame;
        let (upright, mirrored) = (of(&frame).unwrap().template, of(&frame.mirrored()).unwrap().template);
        let distance = apart(&upright.mirrored(), &mirrored);
        assert!(distance < 0.05, "{distance}");
        assert!(apart(&upright, &mirrored) > 0.36);
    }

    /// What a head gives that is tilted by so many degrees.
    fn tilted(degrees: f32) -> Template {
        let conditions = Conditions { rotation: degrees, ..Conditions::good() };
        of(&Subject::new(4, Eye::Left).visit_under(1, conditions).shot(0).frame).unwrap().template
    }

    #[test]
    fn a_tilted_head_is_a_rotation() {
        let upright = tilted(0.0);
        for degrees in [-17.0, -6.0, 6.0, 17.0] {
            let distance = apart(&upright, &tilted(degrees));
            assert!(distance < 0.25, "{degrees}°: {distance}");
        }
        // Clockwise in the image is towards larger angles: 14.06° are ten columns.
        let by_ten = unum_iris::distance(&upright.rotated(10), &tilted(14.06), MIN_COMPARED).unwrap();
        assert!(by_ten.fraction() < 0.25, "{by_ten:?}");
    }

    #[test]
    fn a_head_turned_beyond_the_rotations_is_recognised() {
        let upright = tilted(0.0);
        for degrees in [-38.0, 38.0] {
            let distance = apart(&upright, &tilted(degrees));
            assert!(distance < 0.3, "{degrees}°: {distance}");
        }
    }

    #[test]
    fn closed_covered_and_blurred_eyes_are_refused() {
        for person in 0..4 {
            let shot = |conditions| Subject::new(person, Eye::Left).visit_under(1, conditions).shot(0).frame;
            assert!(of(&shot(Conditions::good())).is_ok());
            let closed = refusal(&shot(Conditions::closed()));
            assert!(
                matches!(
                    closed,
                    Refusal::NoEye { .. }
                        | Refusal::NoIris { .. }
                        | Refusal::PupilSize { .. }
                        | Refusal::Doubtful { .. }
                        | Refusal::Covered { .. }
                ),
                "{closed}"
            );
            refusal(&shot(Conditions::half_covered()));
            let blurred = refusal(&shot(Conditions::blurred(5.0)));
            assert!(matches!(blurred, Refusal::Blurred { .. }), "{blurred}");
        }
    }

    #[test]
    fn darkness_glare_and_nothing_are_refused() {
        let even = |value| Frame::new(320, 240, Zeroizing::new(vec![value; 320 * 240])).unwrap();
        assert_eq!(refusal(&even(3)), Refusal::TooDark { value: 3, needed: 20 });
        assert_eq!(refusal(&even(250)), Refusal::TooBright { value: 250, allowed: 235 });
        assert!(matches!(refusal(&even(120)), Refusal::NoEye { .. }));
        assert_eq!(refusal(&even(3)).to_string(), "brightness 3, needs 20");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn noise_of_any_size_is_refused_without_a_panic(width in 120_u32..500, height in 120_u32..500, seed: u64) {
            let mut state = seed;
            let pixels = (0..width * height).map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407); // Knuth
                (state >> 56) as u8
            });
            let frame = Frame::new(width, height, Zeroizing::new(pixels.collect())).unwrap();
            prop_assert!(of(&frame).is_err());
        }
    }
}
