//! One image, stage by stage: what [`crate::pipeline`] does, with everything kept that it drops on the way.
//!
//! Goes on after a refusal as far as the stages can, so that a person sees what the check saw; the verdict is that of the
//! first check that refuses, as in the pipeline (a test holds the two together). What is kept shows an eye: it is wiped
//! when dropped, and written down only where a person asks for the picture.
//!
//! Knows nothing about files and PNG.

mod canvas;
mod picture;

use serde::Serialize;
use unum_iris::Template;

use crate::boundary::{Boundaries, Circle};
use crate::filter;
use crate::frame::Frame;
use crate::gate;
use crate::pipeline::{self, CaptureError, Config};
use crate::plane::Plane;
use crate::quality::{Limits, Quality, Refusal};
use crate::segment::Segmentation;
use crate::sheet::Sheet;

pub use canvas::Picture;

/// Everything that the stages made of one image.
#[derive(Debug)]
pub struct Inspection {
    image: Plane,
    found: Option<Found>,
    /// What was measured, in the order of the stages.
    pub measures: Vec<Measured>,
    /// The first refusal; `None` for a usable image.
    pub refusal: Option<Refusal>,
}

/// What there is once boundaries are found.
#[derive(Debug)]
struct Found {
    boundaries: Boundaries,
    /// How far the eye is turned: the sheet's first angle.
    tilt: f32,
    sheet: Sheet,
    template: Template,
}

/// One measure of an image with its limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Measured {
    /// What is measured.
    pub name: &'static str,
    /// How much of it the image has.
    pub value: u32,
    /// In which unit.
    pub unit: &'static str,
    /// What it needs at least.
    pub least: Option<u32>,
    /// What it may have at most.
    pub most: Option<u32>,
}

/// The figures of an inspection.
#[derive(Debug, Serialize)]
pub struct Figures<'a> {
    /// Whether the pipeline makes a template of the image.
    pub usable: bool,
    /// The check that refused it.
    pub refused_by: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Centre (right, down) and radius of the pupil, in pixels.
    pub pupil: Option<[f32; 3]>,
    /// Centre and radius of the iris, in pixels.
    pub iris: Option<[f32; 3]>,
    /// What was measured.
    pub measures: &'a [Measured],
}

/// Runs all stages on one image.
///
/// # Errors
///
/// [`CaptureError::Imaging`] if an image operation fails: a fault of the installation. An image that is not good enough is
/// no error here.
pub fn inspect(frame: &Frame, config: &Config) -> Result<Inspection, CaptureError> {
    let limits = config.limits;
    let image = Plane::of(frame);
    let mut refusals = Refusals(limits.exposure(&image).err());
    let Some(segmentation) = config.segmenter.segment(&image)? else {
        refusals.note(Err(Refusal::NoEye { value: 0, needed: limits.pupil_step }));
        return Ok(Inspection { image, found: None, measures: Vec::new(), refusal: refusals.0 });
    };
    let Segmentation { boundaries, tilt, .. } = segmentation;
    let quality = Quality::of(&image, &boundaries);
    refusals.note(limits.geometry(&quality));
    let sheet = pipeline::unrolled(&image, &segmentation)?;
    let encoded = filter::encode(&sheet, config.fragility);
    let quality = quality.with_code(&sheet, &encoded);
    refusals.note(limits.code(&quality));
    let found = Some(Found { boundaries, tilt, sheet, template: encoded.template });
    Ok(Inspection { image, found, measures: measures(&quality, &limits), refusal: refusals.0 })
}

fn measures(quality: &Quality, limits: &Limits) -> Vec<Measured> {
    let measured = |name, value, unit, least, most| Measured { name, value, unit, least, most };
    let free = |name, value, unit| measured(name, value, unit, None, None);
    let at_least = |name, value, unit, least| measured(name, value, unit, Some(least), None);
    let at_most = |name, value, unit, most| measured(name, value, unit, None, Some(most));
    let within = |name, value, unit, (least, most)| measured(name, value, unit, Some(least), Some(most));
    let q = quality;
    vec![
        within("brightness", q.brightness, "of 255", limits.brightness),
        free("grey scale utilisation", q.grey_scale_utilisation, "hundredths of a bit"),
        at_least("pupil edge", q.pupil_step, "tenths of a grey level", limits.pupil_step),
        at_least("iris edge", q.iris_step, "tenths of a grey level", limits.iris_step),
        at_least("iris radius", q.iris_radius, "pixels", limits.iris_radius),
        within("pupil in the iris", q.pupil_percent, "% of its radius", limits.pupil_percent),
        free("concentricity", q.concentricity, "%"),
        free("circularity of the pupil", q.circularity, "%"),
        at_most(
            "halves of the pupil's edge disagree by",
            q.pupil_disagreement,
            "% of its radius",
            limits.pupil_disagreement,
        ),
        free("margin", q.margin, "% of what it should be"),
        at_least("inside the image", q.inside_percent, "% of the iris", limits.inside_percent),
        at_least("visible", q.visible_percent, "% of the iris", limits.visible_percent),
        at_least("contrast", q.contrast, "hundredths of a grey level", limits.contrast),
        at_least("sharpness", q.sharpness, "thousandths", limits.sharpness),
        at_least("usable bits", q.usable_bits, "of 16,384", limits.usable_bits),
    ]
}

/// Keeps the first of several refusals.
struct Refusals(Option<Refusal>);

impl Refusals {
    fn note(&mut self, checked: Result<(), Refusal>) {
        self.0 = self.0.or(checked.err());
    }
}

impl Measured {
    /// Whether the value lies within its limits.
    pub fn is_within(&self) -> bool {
        self.least.is_none_or(|least| self.value >= least) && self.most.is_none_or(|most| self.value <= most)
    }
}

impl Inspection {
    /// The figures, to be written down: no pixel and no bit of the eye is in them.
    pub fn figures(&self) -> Figures<'_> {
        let circle = |of: fn(&Boundaries) -> Circle| {
            self.found
                .as_ref()
                .map(|found| of(&found.boundaries))
                .map(|circle| [circle.x, circle.y, circle.r])
        };
        Figures {
            usable: self.refusal.is_none(),
            refused_by: self.refusal.map(|refusal| gate::name(&refusal.into())),
            reason: self.refusal.map(|refusal| refusal.to_string()),
            pupil: circle(|boundaries| boundaries.pupil.circle),
            iris: circle(|boundaries| boundaries.iris.circle),
            measures: &self.measures,
        }
    }

    /// Image, boundaries and mask, sheet, code: see [`Picture::LEGEND`].
    pub fn picture(&self) -> Picture {
        picture::draw(self)
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::camera::Eye;
    use crate::camera::render::{Conditions, Subject};

    fn frames() -> Vec<Frame> {
        let even = |value| Frame::new(200, 150, Zeroizing::new(vec![value; 200 * 150])).unwrap();
        let conditions = [
            Conditions::good(),
            Conditions::closed(),
            Conditions::half_covered(),
            Conditions::blurred(6.0),
            Conditions { exposure: 0.08, ..Conditions::good() },
            Conditions { offset: [230.0, 0.0], ..Conditions::good() },
        ];
        let rendered =
            conditions.map(|conditions| Subject::new(3, Eye::Right).visit_under(1, conditions).shot(0).frame);
        rendered.into_iter().chain([even(3), even(120), even(250)]).collect()
    }

    #[test]
    fn the_verdict_and_the_code_are_the_pipeline_s() {
        let config = Config::default();
        let mut refused = 0;
        for frame in frames() {
            let inspection = inspect(&frame, &config).unwrap();
            match pipeline::template(&frame, &config) {
                Ok(made) => {
                    assert_eq!(inspection.refusal, None);
                    let found = inspection.found.as_ref().unwrap();
                    assert!(found.template == made.template);
                    assert_eq!(found.boundaries, made.boundaries);
                    assert!(inspection.measures.iter().all(Measured::is_within), "{:?}", inspection.measures);
                    for value in [made.quality.brightness, made.quality.sharpness, made.quality.usable_bits] {
                        assert!(inspection.measures.iter().any(|measured| measured.value == value));
                    }
                }
                Err(error) => {
                    refused += 1;
                    let figures = inspection.figures();
                    assert!(!figures.usable);
                    assert_eq!(figures.refused_by, Some(gate::name(&error)));
                    assert_eq!(figures.reason, Some(error.to_string()));
                    let seen =
                        inspection.found.is_none() || inspection.measures.iter().any(|m| !m.is_within());
                    assert!(seen, "the measure behind {error} is among the figures");
                }
            }
        }
        assert!((6..9).contains(&refused), "{refused} refused");
    }

    #[test]
    fn every_image_has_a_picture() {
        for frame in frames() {
            let picture = inspect(&frame, &Config::default()).unwrap().picture();
            let size = picture.width() as usize * picture.height() as usize * 3;
            assert_eq!(picture.rgb().len(), size);
        }
    }

    #[test]
    fn debug_shows_no_pixel() {
        let shown = format!("{:?}", inspect(&frames()[0], &Config::default()).unwrap());
        assert!(shown.contains("image: Plane,") && shown.contains("template: Template"), "{shown}");
    }
}
