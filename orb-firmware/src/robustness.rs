//! Every stage under arbitrary pixels, sizes and boundaries: refused or not, never a panic, and never more than it may say.

use std::sync::OnceLock;

use proptest::prelude::*;
use unum_iris::{BITS, COLUMNS, Template};
use zeroize::Zeroizing;

use crate::boundary::{self, Boundaries, Circle};
use crate::camera::Eye;
use crate::camera::render::{Conditions, Subject};
use crate::filter::{self, Fragility};
use crate::frame::Frame;
use crate::fusion;
use crate::inspect::inspect;
use crate::pipeline::{self, CaptureError, Config};
use crate::plane::Plane;
use crate::sheet::{ANGLES, RADII, Sheet};
use crate::visibility;

/// Kinds of pictures that are no eye, or hardly one.
#[derive(Debug, Clone)]
enum Content {
    Even(u8),
    Noise(u64),
    Stripes {
        period: u32,
        slant: u32,
    },
    /// Discs of brightness `grey` on noise: centre, radius in pixels.
    Discs {
        seed: u64,
        discs: Vec<(u32, u32, u32, u8)>,
    },
}

fn content() -> impl Strategy<Value = Content> {
    let disc = (0_u32..400, 0_u32..400, 0_u32..260, any::<u8>());
    prop_oneof![
        any::<u8>().prop_map(Content::Even),
        any::<u64>().prop_map(Content::Noise),
        (1_u32..90, 0_u32..5).prop_map(|(period, slant)| Content::Stripes { period, slant }),
        (any::<u64>(), prop::collection::vec(disc, 1..6))
            .prop_map(|(seed, discs)| Content::Discs { seed, discs }),
    ]
}

/// From the smallest frame on, also far from square.
fn size() -> impl Strategy<Value = (u32, u32)> {
    prop_oneof![
        (Frame::MIN_SIDE..420, Frame::MIN_SIDE..420),
        (Frame::MIN_SIDE..130, 700_u32..1200),
        (700_u32..1200, Frame::MIN_SIDE..130),
    ]
}

fn frame() -> impl Strategy<Value = Frame> {
    (size(), content()).prop_map(|((width, height), content)| {
        let pixel = |index: u32| content.pixel(index % width, index / width);
        Frame::new(width, height, Zeroizing::new((0..width * height).map(pixel).collect())).unwrap()
    })
}

/// A pixel's noise: the finaliser of `SplitMix64`.
fn noise(seed: u64, x: u32, y: u32) -> u8 {
    let mixed = (seed ^ u64::from(x) << 32 ^ u64::from(y)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 56) as u8
}

impl Content {
    fn pixel(&self, x: u32, y: u32) -> u8 {
        match self {
            Self::Even(value) => *value,
            Self::Noise(seed) => noise(*seed, x, y),
            Self::Stripes { period, slant } => {
                if ((x + slant * y) / period).is_multiple_of(2) {
                    0
                } else {
                    255
                }
            }
            Self::Discs { seed, discs } => {
                let inside = |&&(cx, cy, r, _): &&(u32, u32, u32, u8)| {
                    x.abs_diff(cx).pow(2) + y.abs_diff(cy).pow(2) < r * r
                };
                discs.iter().rev().find(inside).map_or_else(|| noise(*seed, x, y) / 2, |disc| disc.3)
            }
        }
    }
}

fn circle() -> impl Strategy<Value = Circle> {
    (-500.0_f32..1500.0, -500.0_f32..1500.0, 0.5_f32..800.0).prop_map(|(x, y, r)| Circle { x, y, r })
}

/// Boundaries with these circles, however little sense they make.
fn boundaries(pupil: Circle, iris: Circle) -> Boundaries {
    static REAL: OnceLock<Boundaries> = OnceLock::new();
    let real = REAL.get_or_init(|| {
        let shot = Subject::new(1, Eye::Left).visit_under(1, Conditions::good()).shot(0);
        boundary::find(&Plane::of(&shot.frame)).unwrap().unwrap()
    });
    let mut changed = *real;
    (changed.pupil, changed.iris) = (pupil.into(), iris.into());
    changed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn an_image_is_refused_or_gives_a_template(frame in frame()) {
        let config = Config::default();
        let inspection = inspect(&frame, &config).unwrap();
        match pipeline::template(&frame, &config) {
            Ok(made) => {
                prop_assert!(inspection.refusal.is_none());
                prop_assert!(made.template.usable_bits() >= config.limits.usable_bits);
            }
            Err(CaptureError::Refused(refusal)) => prop_assert_eq!(inspection.refusal, Some(refusal)),
            Err(error) => prop_assert!(false, "{error}"),
        }
        let picture = inspection.picture();
        prop_assert_eq!(picture.rgb().len(), (picture.width() * picture.height() * 3) as usize);
    }

    #[test]
    fn boundaries_are_numbers(frame in frame()) {
        if let Some(found) = boundary::find(&Plane::of(&frame)).unwrap() {
            for Circle { x, y, r } in [found.pupil.circle, found.iris.circle] {
                prop_assert!(x.is_finite() && y.is_finite() && r.is_finite() && r > 0.0, "{found:?}");
            }
            prop_assert!(found.pupil_step.is_finite() && found.iris_step.is_finite(), "{found:?}");
        }
    }

    #[test]
    fn any_boundaries_can_be_unrolled(frame in frame(), pupil in circle(), iris in circle()) {
        let (image, boundaries) = (Plane::of(&frame), boundaries(pupil, iris));
        prop_assert!(boundaries.iris.circle.inside_percent(image.width(), image.height()) <= 100);
        let hidden = visibility::lids(&image, &boundaries).unwrap();
        prop_assert_eq!((hidden.width(), hidden.height()), (image.width(), image.height()));
        let mut sheet = Sheet::unroll(&image, &hidden, &boundaries);
        visibility::hide_spots(&mut sheet, &boundaries).unwrap();
        sheet.fill_hidden();
        prop_assert!((0.0..=1.0).contains(&sheet.visible_share()));
        let encoded = filter::encode(&sheet, Fragility::default());
        prop_assert!(encoded.template.usable_bits() <= BITS);
    }

    #[test]
    fn any_sheet_can_be_filtered(texture in content(), visible in content(), sine in 0_u32..2000, strength: u32) {
        let plane = |content: &Content| {
            let mut plane = Plane::filled(ANGLES, RADII, 0);
            for radius in 0..RADII {
                for (angle, pixel) in plane.row_mut(radius).iter_mut().enumerate() {
                    *pixel = content.pixel(angle as u32, radius as u32);
                }
            }
            plane
        };
        let sheet = Sheet { texture: plane(&texture), visible: plane(&visible) };
        let open = Fragility { min_strength: [0; 2], min_sine: [0; 2] };
        let strict = Fragility { min_strength: [strength >> 12; 2], min_sine: [sine; 2] };
        let [open, strict] = [open, strict].map(|fragility| filter::encode(&sheet, fragility).template);
        for (open, strict) in open.mask().iter().zip(strict.mask()) {
            prop_assert_eq!(strict & !open, 0, "stricter limits trust no more");
        }
    }

    #[test]
    fn any_templates_are_fused_or_refused(
        columns in prop::collection::vec((any::<u64>(), any::<u64>()), 0..6), least in 0_usize..5,
    ) {
        let frames: Vec<Template> = columns
            .iter()
            .map(|(code, mask)| Template::from_columns(&[*code; COLUMNS], &[*mask; COLUMNS]))
            .collect();
        if let Ok(fused) = fusion::fuse(&frames, least) {
            prop_assert!(frames.len() >= least.max(1));
            let seen = frames.iter().fold(0, |seen, frame| seen | frame.mask()[0]);
            prop_assert!(fused.mask().iter().all(|mask| mask & !seen == 0), "nothing is seen that no frame saw");
        }
    }
}
