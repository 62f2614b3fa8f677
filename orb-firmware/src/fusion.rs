//! Several templates of one eye to one: align, drop outliers, majority vote.
//!
//! Noise, lashes and small errors of the boundaries differ from frame to frame, the iris does not: a bit that most frames
//! agree on is the eye's, one on which they disagree is masked (Hollingsworth, Bowyer and Flynn 2009, "The best bits in an
//! iris code"). Knows nothing about images.

use unum_iris::{COLUMNS, Distance, Limit, MIN_COMPARED, Measure, ROTATIONS, Template, distance};
use zeroize::Zeroizing;

/// Fewest frames that a template is fused from.
pub const MIN_FRAMES: usize = 3;

/// Farthest that a frame may lie from the reference, in ten-thousandths. Frames of one eye lie near 0.2, those of different
/// eyes at 0.45 ± 0.015: nothing beyond this is a frame of the same eye, well seen.
const FARTHEST: u16 = 3600;

/// Why frames give no template. Capture again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FusionError {
    /// Not enough good frames were captured.
    #[error("{found} frames, needs {needed}")]
    TooFewFrames {
        /// Frames given.
        found: usize,
        /// Fewest that count.
        needed: usize,
    },
    /// The frames do not show one eye alike: somebody moved, or they are of two eyes.
    #[error("{found} frames agree, needs {needed}")]
    TooFewAgree {
        /// Frames near the one that the others are nearest to.
        found: usize,
        /// Fewest that count.
        needed: usize,
    },
}

/// One template from at least `min_frames` templates of one eye, turned like the frame that the others are nearest to.
///
/// # Errors
///
/// [`FusionError::TooFewFrames`] or [`FusionError::TooFewAgree`].
pub fn fuse(frames: &[Template], min_frames: usize) -> Result<Template, FusionError> {
    let needed = min_frames.max(1);
    if frames.len() < needed {
        return Err(FusionError::TooFewFrames { found: frames.len(), needed });
    }
    let limit = Limit::new(FARTHEST).expect("below one half");
    let aligned = (0..frames.len())
        .map(|reference| aligned_to(frames, reference, limit))
        .max_by_key(Vec::len) // of equals the last: any will do
        .unwrap_or_default();
    if aligned.len() < needed {
        return Err(FusionError::TooFewAgree { found: aligned.len(), needed });
    }
    Ok(majority(&aligned))
}

/// The frames within `limit` of the reference (itself among them), each turned as it lies closest.
fn aligned_to(frames: &[Template], reference: usize, limit: Limit) -> Vec<Template> {
    let near = |frame: &Template| {
        let (closest, by) = closest(frame, &frames[reference])?;
        Measure::Plain.admits(limit, closest).then(|| frame.rotated(by))
    };
    frames.iter().filter_map(near).collect()
}

fn closest(frame: &Template, reference: &Template) -> Option<(Distance, i32)> {
    ROTATIONS
        .filter_map(|by| Some((distance(&frame.rotated(by), reference, MIN_COMPARED).ok()?, by)))
        .min_by_key(|(distance, _)| *distance)
}

/// The bit that most frames have, where at least two of three, and at least two, frames see it and agree. Of a single
/// frame its own bits.
fn majority(frames: &[Template]) -> Template {
    let mut code = Zeroizing::new([0_u64; COLUMNS]);
    let mut mask = Zeroizing::new([0_u64; COLUMNS]);
    for column in 0..COLUMNS {
        for bit in 0..u64::BITS {
            let count = |of: fn(&Template) -> &[u64; COLUMNS]| {
                frames.iter().filter(|frame| of(frame)[column] >> bit & 1 == 1).count()
            };
            let (seen, ones) = (count(Template::mask), count(Template::code));
            let agree = ones.max(seen - ones);
            let trusted = agree * 3 >= seen * 2 && agree >= frames.len().min(2);
            mask[column] |= u64::from(trusted) << bit;
            code[column] |= u64::from(ones * 2 > seen) << bit;
        }
    }
    Template::from_columns(&code, &mask)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words() -> impl Strategy<Value = [u64; COLUMNS]> {
        prop::collection::vec(any::<u64>(), COLUMNS).prop_map(|v| v.try_into().expect("256 words"))
    }

    /// One bit of ten.
    fn sparse() -> impl Strategy<Value = [u64; COLUMNS]> {
        (words(), words(), words()).prop_map(|(a, b, c)| std::array::from_fn(|i| a[i] & b[i] & c[i]))
    }

    fn open(code: &[u64; COLUMNS]) -> Template {
        Template::from_columns(code, &[u64::MAX; COLUMNS])
    }

    proptest! {
        #[test]
        fn noise_of_single_frames_is_outvoted_or_masked(
            eye in words(), noise in prop::array::uniform3(sparse()), turns in prop::array::uniform3(-7_i32..=7),
        ) {
            let frames: Vec<Template> = noise
                .iter()
                .zip(turns)
                .map(|(noise, by)| open(&std::array::from_fn(|i| eye[i] ^ noise[i])).rotated(by))
                .collect();
            let fused = fuse(&frames, 3).unwrap();
            let truth = open(&eye);
            let found = unum_iris::closest_rotation(&fused, &truth, MIN_COMPARED, Measure::Plain).unwrap();
            let single = unum_iris::closest_rotation(&frames[0], &truth, MIN_COMPARED, Measure::Plain).unwrap();
            prop_assert!(found < single, "{found:?} after {single:?}");
        }

        #[test]
        fn identical_frames_give_themselves(eye in words()) {
            let frame = open(&eye);
            prop_assert_eq!(fuse(&[frame.clone(), frame.clone(), frame.clone()], 3).unwrap(), frame);
        }

        #[test]
        fn another_eye_is_dropped(eye in words(), other in words()) {
            let frame = open(&eye);
            let frames = [frame.clone(), open(&other), frame.clone(), frame.clone()];
            prop_assert_eq!(fuse(&frames, 3).unwrap(), frame.clone());
            prop_assert_eq!(fuse(&frames[..3], 3), Err(FusionError::TooFewAgree { found: 2, needed: 3 }));
        }
    }

    #[test]
    fn too_few_frames_are_refused() {
        let frame = open(&[7; COLUMNS]);
        let error = fuse(&[frame.clone(), frame], 3).unwrap_err();
        assert_eq!(error.to_string(), "2 frames, needs 3");
        assert!(fuse(&[], 0).is_err());
    }

    #[test]
    fn a_bit_seen_once_is_masked() {
        let mut mask = [u64::MAX; COLUMNS];
        mask[9] = !1;
        let hidden = Template::from_columns(&[0; COLUMNS], &mask);
        let fused = fuse(&[open(&[0; COLUMNS]), hidden.clone(), hidden], 3).unwrap();
        assert_eq!((fused.mask()[9], fused.mask()[8]), (!1, u64::MAX));
    }
}
