//! From a scene to grey levels: what each place looks like, then the optics and the sensor.

use super::anatomy::Anatomy;
use super::conditions::Conditions;
use super::hair;
use super::noise::Noise;
use super::scene::Scene;
use super::shape::{Point, bell, lerp, ramp};
use super::texture::Texture;
use super::{HEIGHT, WIDTH};

/// Half-widths of edges in pixels. The rim is soft because the sclera is translucent; the pupil's is sharp.
const LID_EDGE: f32 = 1.5;
const PUPIL_EDGE: f32 = 1.2;
const RIM_EDGE: f32 = 5.0;
/// Brightness of a lamp's reflection: far over white, so that its core stays saturated when blurred.
const LAMP: f32 = 700.0;

/// Everything that one picture is painted from.
pub(super) struct Painter<'a> {
    pub(super) anatomy: &'a Anatomy,
    pub(super) conditions: &'a Conditions,
    pub(super) texture: &'a Texture,
    pub(super) scene: &'a Scene,
    pub(super) glints: &'a [Glint],
}

/// A lamp mirrored by the cornea, in picture coordinates.
#[derive(Debug, Clone, Copy)]
pub(super) struct Glint {
    centre: Point,
    radius: f32,
}

impl Glint {
    /// The reflections of a picture: lamps beside and over the lens, near the pupil, steady while the iris turns.
    pub(super) fn all(scene: &Scene, conditions: &Conditions) -> Vec<Self> {
        let [x, y] = scene.iris_centre();
        let [right, up] = conditions.gaze;
        // The reflection stays on the line to the lamp: it lags behind the iris by about half of the gaze's shift.
        let lag = 0.016 * scene.radius; // iris radii a degree
        let lamps = [[-0.17, -0.10, 0.042], [0.19, -0.08, 0.042], [0.02, 0.24, 0.026]];
        let glint = |[dx, dy, size]: [f32; 3]| Self {
            centre: [x + dx * scene.radius - lag * right, y + dy * scene.radius + lag * up],
            radius: size * scene.radius,
        };
        lamps.into_iter().take(conditions.glints as usize).map(glint).collect()
    }

    /// Whether the lamp outshines what lies under it here.
    pub(super) fn covers(&self, [x, y]: Point) -> bool {
        (x - self.centre[0]).hypot(y - self.centre[1]) < self.radius + 1.0
    }

    fn light(&self, [x, y]: Point) -> f32 {
        let distance = (x - self.centre[0]).hypot(y - self.centre[1]);
        LAMP * ramp(self.radius - distance, 1.0)
    }
}

impl Painter<'_> {
    /// The finished picture, row-major. `shot` is the stream of the sensor's noise.
    pub(super) fn paint(&self, shot: Noise) -> Vec<u8> {
        let hair = hair::layer(self.anatomy, self.conditions, self.scene);
        let mut light = vec![0.0; WIDTH * HEIGHT];
        for (index, (value, hair)) in light.iter_mut().zip(&hair).enumerate() {
            let place = [(index % WIDTH) as f32, (index / WIDTH) as f32];
            *value = lerp(self.place(place), self.anatomy.shades.hair, *hair) * self.lamp_light(place);
        }
        for glint in self.glints {
            add_glint(&mut light, glint);
        }
        blur(&mut light, self.conditions.blur);
        light.iter().zip(0..).map(|(value, index)| self.sensor(*value, shot.gaussian(index))).collect()
    }

    /// What the lamps give to a place: brighter on one side, dimmer towards the corners of the picture.
    fn lamp_light(&self, [x, y]: Point) -> f32 {
        let (u, v) = (x / WIDTH as f32 * 2.0 - 1.0, y / HEIGHT as f32 * 2.0 - 1.0);
        let [across, down] = self.conditions.gradient;
        self.conditions.exposure * (1.0 + across * u + down * v - 0.06 * (u * u + v * v))
    }

    /// Grey level, with read noise and shot noise in equal parts at mid brightness.
    fn sensor(&self, light: f32, noise: f32) -> u8 {
        let sigma = self.conditions.noise * (0.5 + 0.5 * light.max(0.0) / 128.0).sqrt();
        (light + sigma * noise).round().clamp(0.0, 255.0) as u8
    }

    fn place(&self, picture: Point) -> f32 {
        let head = self.scene.to_head(picture);
        let open = ramp(self.scene.lids.depth(head), LID_EDGE);
        let mut value = 0.0;
        if open > 0.0 {
            value += open * self.eyeball(head);
        }
        if open < 1.0 {
            value += (1.0 - open) * self.skin(head);
        }
        value
    }

    /// Sclera, iris or pupil, in the shadow of the upper lid.
    fn eyeball(&self, head: Point) -> f32 {
        let rim = ramp(self.scene.inside_rim(head), RIM_EDGE);
        let mut value = 0.0;
        if rim < 1.0 {
            value += (1.0 - rim) * self.sclera(head);
        }
        if rim > 0.0 {
            let polar = self.scene.polar(head);
            let pupil = ramp(-polar.radius * self.scene.width(), PUPIL_EDGE);
            value += rim * lerp(self.iris(polar.angle, polar.radius), self.anatomy.shades.pupil, pupil);
        }
        let under_lid = (head[1] - self.scene.lids.upper.at(head[0])).max(0.0) / self.scene.radius;
        value * (1.0 - 0.22 * bell(under_lid / 0.10))
    }

    fn iris(&self, angle: f32, radius: f32) -> f32 {
        let shades = &self.anatomy.shades;
        let wobble = 0.03 * (3.0 * angle).sin() + 0.02 * (7.0 * angle + 1.0).sin();
        let collarette = 9.0 * bell((radius - self.anatomy.collarette - wobble) / 0.06);
        let dark_rim = 1.0 - 0.20 * ramp(radius - 0.92, 0.10);
        let furrows = 2.5 * (radius * 31.0 + 1.5 * (2.0 * angle).sin()).sin() * ramp(radius - 0.55, 0.15);
        let pattern = shades.contrast * self.texture.at(angle, radius);
        (shades.iris + collarette + furrows + pattern) * dark_rim
    }

    /// White of the eye: a ball that darkens towards the corners, a little mottled.
    fn sclera(&self, [x, y]: Point) -> f32 {
        let (u, v) = (x / self.scene.lids.half_width, y / self.scene.radius);
        let ball = 1.0 - 0.22 * u * u - 0.03 * v * v;
        let [.., mottles] = self.anatomy.surfaces;
        let caruncle = 0.12 * bell((u * self.anatomy.nasal - 1.0) / 0.12);
        self.anatomy.shades.sclera * (ball + 0.02 * mottles.surface(u * 9.0 + v * 1.5, v * 5.0) - caruncle)
    }

    /// Lids, crease and pores.
    fn skin(&self, head: Point) -> f32 {
        let [x, y] = head;
        let lids = &self.scene.lids;
        let (over, under) = (lids.upper.at(x) - y, y - lids.lower.at(x));
        let unit = self.scene.radius;
        let (u, v) = (x / unit, y / unit);
        let [folds, grain, pores, _] = self.anatomy.surfaces;
        let relief = 0.05 * folds.surface(u * 2.2, v * 2.8)
            + 0.025 * grain.surface(u * 9.0, v * 13.0)
            + 0.022 * pores.surface(u * 34.0, v * 40.0);
        let mut shade = 1.0 + relief - 0.05 * u * self.anatomy.nasal;
        if over > under {
            let fold = over / unit - self.anatomy.crease * (1.0 - 0.25 * (x / lids.half_width).powi(2));
            shade -= 0.22 * bell(fold / 0.035) + 0.10 * bell((fold - 0.09) / 0.12);
            shade -= 0.30 * bell((over - 1.0) / 3.5); // roots of the lashes
            shade += 0.06 * bell((over / unit - 0.2) / 0.12); // the lid's bulge
        } else {
            shade += 0.10 * bell((under - 3.0) / 2.5); // tear film on the lower edge
            shade -= 0.10 * bell((under - 9.0) / 4.0) + 0.07 * bell((under / unit - 0.55) / 0.12);
        }
        self.anatomy.shades.skin * shade
    }
}

fn add_glint(light: &mut [f32], glint: &Glint) {
    let reach = glint.radius + 2.0;
    let [x, y] = glint.centre;
    for row in (y - reach).max(0.0) as usize..((y + reach).max(0.0) as usize).min(HEIGHT) {
        for column in (x - reach).max(0.0) as usize..((x + reach).max(0.0) as usize).min(WIDTH) {
            light[row * WIDTH + column] += glint.light([column as f32, row as f32]);
        }
    }
}

/// Gaussian blur in two passes, edges repeated. Less than a quarter of a pixel is no blur.
fn blur(light: &mut [f32], sigma: f32) {
    if sigma < 0.25 {
        return;
    }
    let reach = (3.0 * sigma).ceil() as usize;
    let bells: Vec<f32> = (0..=reach).map(|i| bell(i as f32 / sigma)).collect();
    let total = bells[0] + 2.0 * bells[1..].iter().sum::<f32>();
    let kernel: Vec<f32> = bells.iter().map(|b| b / total).collect();

    let mut padded = vec![0.0; WIDTH + 2 * reach];
    for line in light.chunks_exact_mut(WIDTH) {
        padded[..reach].fill(line[0]);
        padded[reach..reach + WIDTH].copy_from_slice(line);
        padded[reach + WIDTH..].fill(line[WIDTH - 1]);
        line.fill(0.0);
        for offset in 0..=2 * reach {
            let weight = kernel[offset.abs_diff(reach)];
            line.iter_mut().zip(&padded[offset..]).for_each(|(out, value)| *out += weight * value);
        }
    }
    let source = light.to_vec();
    for (row, line) in light.chunks_exact_mut(WIDTH).enumerate() {
        line.fill(0.0);
        for offset in 0..=2 * reach {
            let from = (row + offset).saturating_sub(reach).min(HEIGHT - 1);
            let weight = kernel[offset.abs_diff(reach)];
            line.iter_mut().zip(&source[from * WIDTH..]).for_each(|(out, value)| *out += weight * value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blur_keeps_the_light_and_spreads_it_as_far_as_it_says() {
        let mut light = vec![0.0; WIDTH * HEIGHT];
        light[240 * WIDTH + 320] = 1.0;
        blur(&mut light, 2.0);
        let total: f32 = light.iter().sum();
        assert!((total - 1.0).abs() < 1e-4, "total {total}");
        let spread: f32 =
            light.iter().enumerate().map(|(i, v)| v * ((i % WIDTH) as f32 - 320.0).powi(2)).sum();
        assert!((spread.sqrt() - 2.0).abs() < 0.05, "spread {}", spread.sqrt()); // the kernel ends at 3 sigma
    }
}
