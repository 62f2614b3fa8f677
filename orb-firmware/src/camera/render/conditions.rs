//! How one picture is taken: everything that changes from visit to visit while the eye stays the same.

use super::noise::Noise;

/// The circumstances of a picture. [`Conditions::good`] is the middle of the range, without noise of any kind drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Conditions {
    /// Pupil radius over iris radius; living eyes in infrared show 0.2 to 0.6.
    pub dilation: f32,
    /// Head tilt in degrees; positive turns the picture clockwise.
    pub rotation: f32,
    /// Where the eye looks, off the camera's axis, in degrees: right in the picture, up.
    pub gaze: [f32; 2],
    /// Where the eye sits, off the picture's centre, in pixels: right, down.
    pub offset: [f32; 2],
    /// Size of everything relative to the nominal distance.
    pub scale: f32,
    /// 1: the person opens the eye for the camera; 0: closed.
    pub openness: f32,
    /// Defocus: standard deviation of the blur, in pixels.
    pub blur: f32,
    /// Sensor noise: standard deviation in grey levels at mid brightness.
    pub noise: f32,
    /// Relative brightness gained from the centre to the right edge and to the lower edge.
    pub gradient: [f32; 2],
    /// Exposure: 1 is nominal.
    pub exposure: f32,
    /// Reflections of the lamps on the cornea, 0 to 3.
    pub glints: u32,
    /// Share of the lashes that stand in the picture, 0 to 1.
    pub lashes: f32,
    /// Share of the texture's amplitude that belongs to the day and not to the eye, 0 to below 1: relief lit from
    /// another side, tissue folded by another dilation, tear film. The lever on the distance between two visits.
    pub relief: f32,
}

impl Conditions {
    /// A still, sharp, frontal picture.
    pub fn good() -> Self {
        Self {
            dilation: 0.38,
            rotation: 0.0,
            gaze: [0.0; 2],
            offset: [0.0; 2],
            scale: 1.0,
            openness: 0.95,
            blur: 0.8,
            noise: 2.0,
            gradient: [0.0; 2],
            exposure: 1.0,
            glints: 2,
            lashes: 0.8,
            relief: 0.40,
        }
    }

    /// The lids are shut: no iris in the picture.
    pub fn closed() -> Self {
        Self { openness: 0.0, ..Self::good() }
    }

    /// Out of focus by `sigma` pixels; from about 5 the texture is gone.
    pub fn blurred(sigma: f32) -> Self {
        Self { blur: sigma, ..Self::good() }
    }

    /// The upper lid hangs to the pupil: about half of the iris can be seen.
    pub fn half_covered() -> Self {
        Self { openness: 0.45, ..Self::good() }
    }

    /// Drawn for one visit of a cooperative person at an enrollment device. Spreads are our choice: wide enough that a
    /// pipeline tuned to one setting fails, narrow enough that a person would accept the picture.
    pub(super) fn of_visit(noise: Noise) -> Self {
        let about = |index, mean: f32, spread: f32, limit: f32| {
            mean + (spread * noise.gaussian(index)).clamp(-limit, limit)
        };
        Self {
            dilation: about(0, 0.40, 0.05, 0.12),
            rotation: about(1, 0.0, 3.0, 9.0), // the matcher covers ±21°
            gaze: [about(2, 0.0, 1.5, 4.0), about(3, 0.0, 1.5, 4.0)],
            offset: [about(4, 0.0, 10.0, 30.0), about(5, 0.0, 8.0, 24.0)],
            scale: about(6, 1.0, 0.03, 0.08),
            openness: about(7, 0.94, 0.05, 0.12),
            blur: about(8, 0.9, 0.15, 0.4),
            noise: about(9, 2.2, 0.4, 1.0),
            gradient: [about(10, 0.0, 0.06, 0.15), about(11, 0.0, 0.05, 0.12)],
            exposure: about(12, 1.0, 0.05, 0.12),
            glints: 1 + (noise.bits(13) % 3) as u32,
            lashes: noise.between(14, 0.5, 1.0),
            relief: about(15, 0.40, 0.05, 0.12),
        }
    }

    /// Drawn for a visit at which nobody helps: evenly over the whole range in which there is an iris to be seen, and a
    /// little beyond. The ranges are our choice.
    pub(super) fn of_hard_visit(noise: Noise) -> Self {
        let between = |index, low, high| noise.between(index, low, high);
        Self {
            dilation: between(0, 0.18, 0.68),
            rotation: between(1, -20.0, 20.0),
            gaze: [between(2, -18.0, 18.0), between(3, -12.0, 12.0)],
            offset: [between(4, -140.0, 140.0), between(5, -90.0, 90.0)],
            scale: between(6, 0.7, 1.15),
            openness: between(7, 0.45, 1.05),
            blur: between(8, 0.6, 4.0),
            noise: between(9, 1.0, 10.0),
            gradient: [between(10, -0.3, 0.3), between(11, -0.25, 0.25)],
            exposure: between(12, 0.5, 1.35),
            glints: (noise.bits(13) % 4) as u32,
            lashes: between(14, 0.0, 1.0),
            relief: between(15, 0.3, 0.55),
        }
    }

    /// The same visit a moment later: hand and head move a little. The relief stays, and so do the lamps.
    #[must_use]
    pub(super) fn moment_later(&self, noise: Noise) -> Self {
        let moved = |index, value: f32, spread: f32| value + spread * noise.gaussian(index);
        Self {
            dilation: moved(0, self.dilation, 0.006),
            rotation: moved(1, self.rotation, 0.4),
            gaze: [moved(2, self.gaze[0], 0.4), moved(3, self.gaze[1], 0.4)],
            offset: [moved(4, self.offset[0], 2.0), moved(5, self.offset[1], 2.0)],
            scale: moved(6, self.scale, 0.004),
            openness: moved(7, self.openness, 0.015),
            blur: self.blur * noise.between(8, 0.9, 1.25),
            ..self.clone()
        }
    }
}
