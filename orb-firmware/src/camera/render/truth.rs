//! What the renderer knows about a picture and a pipeline has to find out.

use super::hair;
use super::paint::Glint;
use super::scene::Scene;
use super::{HEIGHT, WIDTH};

/// An ellipse in the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ellipse {
    /// Right, down, in pixels; the centre of the upper left pixel is the origin.
    pub centre: [f32; 2],
    /// The longer and the shorter semi-axis, in pixels.
    pub semi_axes: [f32; 2],
    /// Direction of the longer one, in radians in `[0, π)`, from the right, clockwise.
    pub angle: f32,
}

/// Ground truth of one picture.
#[derive(Debug, Clone)]
pub struct Truth {
    /// The pupil's edge, without an ellipticity of its own of at most 2.5 % of its radius.
    pub pupil: Ellipse,
    /// The rim of the iris.
    pub iris: Ellipse,
    /// Head tilt in degrees, clockwise in the picture.
    pub rotation: f32,
    /// Points along the upper lid's edge, in picture coordinates, one every 8 pixels; some may lie outside of it.
    pub upper_lid: Vec<[f32; 2]>,
    /// The same along the lower lid's.
    pub lower_lid: Vec<[f32; 2]>,
    scene: Scene,
    lashes: Lashes,
}

/// What it takes to draw the lashes again.
type Lashes = (super::anatomy::Anatomy, super::Conditions, Vec<Glint>);

/// One yes or no a pixel, row-major, of the frame's size.
#[derive(Debug, Clone)]
pub struct Mask {
    pixels: Vec<bool>,
}

impl Mask {
    /// The pixels, given by place and index, for which `keep` holds.
    fn where_true(keep: impl Fn([f32; 2], usize) -> bool) -> Mask {
        let place = |index: usize| [(index % WIDTH) as f32, (index / WIDTH) as f32];
        Self { pixels: (0..WIDTH * HEIGHT).map(|index| keep(place(index), index)).collect() }
    }

    /// Whether the pixel is in the mask. `x` and `y` lie inside the frame.
    pub fn at(&self, x: u32, y: u32) -> bool {
        self.pixels[y as usize * WIDTH + x as usize]
    }

    /// All pixels, row-major.
    pub fn pixels(&self) -> &[bool] {
        &self.pixels
    }

    /// Number of pixels in the mask.
    pub fn count(&self) -> usize {
        self.pixels.iter().filter(|&&set| set).count()
    }
}

impl Truth {
    pub(super) fn new(scene: Scene, lashes: Lashes) -> Self {
        let sampled = |edge: super::scene::Arc| {
            let half = scene.lids.half_width as i32 / 8;
            (-half..=half).map(|step| 8.0 * step as f32).map(|x| scene.to_picture([x, edge.at(x)])).collect()
        };
        Self {
            pupil: scene.pupil_ellipse(),
            iris: scene.iris_ellipse(),
            rotation: lashes.1.rotation,
            upper_lid: sampled(scene.lids.upper),
            lower_lid: sampled(scene.lids.lower),
            scene,
            lashes,
        }
    }

    /// Every pixel of the iris ring that no lid, lash or glint covers. Computed on each call, in a few milliseconds.
    pub fn visible_iris(&self) -> Mask {
        let (ring, unhidden) = (self.whole_iris(), self.unhidden());
        Mask { pixels: ring.pixels.iter().zip(&unhidden.pixels).map(|(&ring, &seen)| ring && seen).collect() }
    }

    /// Every pixel, of the iris or not, that no lid, lash or glint covers.
    pub fn unhidden(&self) -> Mask {
        let (anatomy, conditions, glints) = &self.lashes;
        let hair = hair::layer(anatomy, conditions, &self.scene);
        Mask::where_true(|place, index| {
            let open = self.scene.lids.depth(self.scene.to_head(place)) > 0.0;
            open && hair[index] < 0.5 && glints.iter().all(|glint| !glint.covers(place))
        })
    }

    /// Every pixel of the iris ring, seen or hidden.
    pub fn whole_iris(&self) -> Mask {
        Mask::where_true(|place, _| (0.0..=1.0).contains(&self.scene.polar(self.scene.to_head(place)).radius))
    }

    /// Visible share of the iris ring, 0 to 1.
    pub fn visible_share(&self) -> f32 {
        self.visible_iris().count() as f32 / self.whole_iris().count() as f32
    }
}
