//! From a camera to the templates of a person: frames are pulled until enough of them are good and agree.
//!
//! A frame that cannot be read or is refused is dropped and the next one asked for; the last reason is kept, so that
//! whoever stands in front of the camera can be told what to do. Frames are gone when their template is made.
//!
//! Knows nothing about devices and servers.

use unum_identity::envelope::CaptureReport;
use unum_iris::{BITS, EyePair, Template};

use crate::camera::{Camera, CameraError, Eye};
use crate::decode::DecodeError;
use crate::fusion::{self, FusionError};
use crate::pipeline::{self, CaptureError};
use crate::quality::Refusal;

/// How a person is captured.
#[derive(Debug, Clone)]
pub struct Config {
    /// How a frame becomes a template.
    pub pipeline: pipeline::Config,
    /// Good frames that an eye needs.
    pub good_frames: usize,
    /// Code bits that the frames of an eye have to show together, of 16,384: what the server asks for (`min_usable_bits`).
    /// Two eyes that show half of theirs can be compared (`docs/decisions/0009-how-much-must-overlap.md`).
    pub usable_bits: u32,
    /// Frames after which the attempt at an eye ends.
    pub most_frames: usize,
    /// Whether one eye is enough where the other gives nothing.
    pub one_eye: bool,
}

impl Default for Config {
    /// Both eyes, three good frames of at most twelve: some four seconds at three frames a second, after which a person
    /// needs to hear what is wrong.
    fn default() -> Self {
        let pipeline = pipeline::Config::default();
        let (good_frames, usable_bits) = (fusion::MIN_FRAMES, BITS / 2);
        Self { pipeline, good_frames, usable_bits, most_frames: 12, one_eye: false }
    }
}

/// What a capture gave.
#[derive(Debug)]
pub struct Acquired {
    /// The templates.
    pub eyes: EyePair,
    /// How it went, as the device will sign it.
    pub report: CaptureReport,
}

/// Why there is no capture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcquisitionError {
    /// The camera has no picture of this eye at all. Connect it, or name the files.
    #[error("no picture of eye {eye}")]
    NoFrames {
        /// Which eye.
        eye: Eye,
    },
    /// Not enough good frames. Tell the person the reason and capture again.
    #[error("eye {eye}: {good} good frames of {seen}, needs {needed}; last reason: {last}")]
    TooFewGood {
        /// Which eye.
        eye: Eye,
        /// Frames that gave a template.
        good: usize,
        /// Frames looked at.
        seen: usize,
        /// Good ones needed.
        needed: usize,
        /// Why the last one did not do.
        last: Shortcoming,
    },
    /// A fault of the installation, not of the person.
    #[error(transparent)]
    Installation(CaptureError),
}

/// Why a frame did not do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Shortcoming {
    /// No readable picture.
    #[error(transparent)]
    Unreadable(#[from] DecodeError),
    /// Not good enough.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Too few, or they do not show one eye alike.
    #[error(transparent)]
    Fusion(#[from] FusionError),
    /// Lids or lashes hide too much, or the frames disagree about too much.
    #[error("all good frames together show {usable} bits, need {needed}")]
    TooLittleVisible {
        /// Bits that they show.
        usable: u32,
        /// Fewest that count.
        needed: u32,
    },
}

/// One eye.
struct EyeCapture {
    template: Template,
    frames: u16,
    sharpness: u32,
}

/// Captures both eyes, the left one first.
///
/// # Errors
///
/// An [`AcquisitionError`]: with [`Config::one_eye`] only if neither eye gives a template.
pub fn acquire(camera: &mut dyn Camera, config: &Config) -> Result<Acquired, AcquisitionError> {
    let left = one(camera, Eye::Left, config)?;
    let right = one(camera, Eye::Right, config)?;
    let (left, right) = match (left, right) {
        (Err(error), Err(_)) => return Err(error),
        (Err(error), _) | (_, Err(error)) if !config.one_eye => return Err(error),
        (left, right) => (left.ok(), right.ok()),
    };
    let report = report(left.as_ref(), right.as_ref());
    let eyes = EyePair::new(left.map(|eye| eye.template), right.map(|eye| eye.template));
    Ok(Acquired { eyes: eyes.expect("at least one eye was captured"), report })
}

/// What one eye gives; the outer error ends the capture.
fn one(
    camera: &mut dyn Camera,
    eye: Eye,
    config: &Config,
) -> Result<Result<EyeCapture, AcquisitionError>, AcquisitionError> {
    let needed = config.good_frames;
    let (mut good, mut sharpness, mut seen, mut last) = (Vec::new(), 0, 0, None);
    while seen < config.most_frames {
        let frame = match camera.next_frame(eye) {
            Ok(Some(frame)) => frame,
            Ok(None) => break,
            Err(CameraError::Unreadable(error)) => {
                seen += 1;
                last = Some(error.into());
                continue;
            }
        };
        seen += 1;
        match pipeline::template(&frame, &config.pipeline) {
            Ok(made) => {
                sharpness += made.quality.sharpness;
                good.push(made.template);
            }
            Err(CaptureError::Refused(refusal)) => {
                last = Some(refusal.into());
                continue;
            }
            Err(error) => return Err(AcquisitionError::Installation(error)),
        }
        match fusion::fuse(&good, needed) {
            Ok(template) if template.usable_bits() >= config.usable_bits => {
                let frames = good.len();
                let sharpness = sharpness / frames as u32;
                return Ok(Ok(EyeCapture { template, frames: frames as u16, sharpness }));
            }
            Ok(template) => {
                let (usable, needed) = (template.usable_bits(), config.usable_bits);
                last = Some(Shortcoming::TooLittleVisible { usable, needed });
            }
            Err(error) => last = last.or(Some(error.into())),
        }
    }
    let Some(last) = last else { return Ok(Err(AcquisitionError::NoFrames { eye })) };
    Ok(Err(AcquisitionError::TooFewGood { eye, good: good.len(), seen, needed, last }))
}

fn report(left: Option<&EyeCapture>, right: Option<&EyeCapture>) -> CaptureReport {
    let both = [left, right];
    let usable = |eye: &EyeCapture| (eye.template.usable_bits() * 1000 / BITS) as u16;
    CaptureReport {
        frames: both.map(|eye| eye.map_or(0, |eye| eye.frames)),
        usable_per_mille: both.map(|eye| eye.map_or(0, usable)),
        sharpness: both.map(|eye| eye.map_or(0, |eye| eye.sharpness)),
        ..CaptureReport::default() // liveness: not assessed
    }
}

#[cfg(test)]
mod tests {
    use unum_iris::{MIN_COMPARED, Measure, closest_rotation};

    use super::*;
    use crate::camera::render::{Conditions, Renderer, Subject, Visit};

    fn visit(person: u64, eye: Eye, conditions: Conditions) -> Visit {
        Subject::new(person, eye).visit_under(1, conditions)
    }

    fn capture(person: u64, session: u64) -> Acquired {
        acquire(&mut Renderer::new(person, session), &Config::default()).unwrap()
    }

    fn apart(a: &Acquired, b: &Acquired) -> f64 {
        let (a, b) = (a.eyes.left().unwrap(), b.eyes.left().unwrap());
        closest_rotation(a, b, MIN_COMPARED, Measure::Plain).unwrap().fraction()
    }

    #[test]
    fn one_person_is_near_at_two_visits_and_others_are_far() {
        let visits: Vec<[Acquired; 2]> =
            (50..53).map(|person| [capture(person, 1), capture(person, 2)]).collect();
        for (i, [first, second]) in visits.iter().enumerate() {
            assert_eq!(first.report.frames.map(|frames| frames >= 3), [true; 2]);
            let near = apart(first, second);
            assert!((0.02..0.32).contains(&near), "one person at two visits: {near}");
            for [other, _] in &visits[..i] {
                let far = apart(first, other);
                assert!(far > 0.38, "two people: {far}");
            }
        }
    }

    #[test]
    fn a_closed_eye_is_refused_with_its_reason_and_the_other_can_do() {
        let open = visit(50, Eye::Right, Conditions::good());
        let mut camera = Renderer::showing(Some(visit(50, Eye::Left, Conditions::closed())), Some(open));
        let error = acquire(&mut camera, &Config::default()).unwrap_err();
        assert!(matches!(error, AcquisitionError::TooFewGood { eye: Eye::Left, good: 0, .. }), "{error}");
        assert!(error.to_string().contains("needs"), "{error}");

        let acquired = acquire(&mut camera, &Config { one_eye: true, ..Config::default() }).unwrap();
        assert!(acquired.eyes.left().is_none() && acquired.eyes.right().is_some());
        assert_eq!((acquired.report.frames[0], acquired.report.usable_per_mille[0]), (0, 0));
    }

    #[test]
    fn a_blurred_eye_is_refused() {
        let blurred = |eye| Some(visit(50, eye, Conditions::blurred(9.0)));
        let mut camera = Renderer::showing(blurred(Eye::Left), blurred(Eye::Right));
        let error = acquire(&mut camera, &Config { one_eye: true, ..Config::default() }).unwrap_err();
        assert!(matches!(error, AcquisitionError::TooFewGood { eye: Eye::Left, .. }), "{error}");
    }

    #[test]
    fn frames_that_show_too_little_together_are_asked_for_more() {
        let config = Config { usable_bits: BITS, most_frames: 5, ..Config::default() };
        let error = acquire(&mut Renderer::new(50, 1), &config).unwrap_err();
        let AcquisitionError::TooFewGood { seen, last, .. } = error else { panic!("{error}") };
        let Shortcoming::TooLittleVisible { usable, needed: BITS } = last else { panic!("{last}") };
        assert!(seen == 5 && usable < BITS, "{usable} bits of {seen} frames");
    }

    #[test]
    fn no_camera_no_frames() {
        let error = acquire(&mut Renderer::showing(None, None), &Config::default()).unwrap_err();
        assert!(matches!(error, AcquisitionError::NoFrames { eye: Eye::Left }), "{error}");
    }
}
