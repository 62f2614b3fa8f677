//! Eyes that nobody has: a renderer of near-infrared pictures, with ground truth.
//!
//! ```text
//! person, eye ─► anatomy, texture (polar) ─┐
//! session ─────► conditions, relief ───────┼─► scene ─► paint ─► blur ─► sensor ─► Frame
//! shot ────────► small movements, noise ───┘       └─► Truth
//! ```
//!
//! Deterministic: the same three numbers and eye give the same bytes on the same machine (another machine's
//! floating-point functions may differ in the last bit). The texture is a property of (person, eye): the
//! same for every visit, independent between people and between a person's two eyes.
//!
//! **Simulated**: band-limited texture with crypts and collarette through the inverse rubber sheet, pupil not concentric
//! and not quite round, dilation, head tilt, gaze (shift and foreshortening), lids, crease, lashes, lamp
//! reflections, uneven light, defocus, read and shot noise, and a share of texture that changes with every visit, which
//! sets the distance between two visits of one person.
//!
//! **Not simulated**: refraction by the cornea, the folding of tissue as the pupil moves (its effect is part of the
//! visit's share), motion blur, rolling shutter, glasses, contact lenses, make-up, disease, age, and the
//! statistics of any population. Error rates on these pictures say that the pipeline works, never how well it
//! works on people.
//!
//! Knows nothing about the pipeline.

mod anatomy;
mod conditions;
mod hair;
pub(crate) mod noise;
mod paint;
mod scene;
mod shape;
mod texture;
mod truth;

use zeroize::Zeroizing;

use self::anatomy::Anatomy;
use self::noise::Noise;
use self::paint::{Glint, Painter};
use self::scene::Scene;
use self::texture::Texture;
use super::{Camera, CameraError, Eye};
use crate::frame::Frame;

pub use self::conditions::Conditions;
pub use self::truth::{Ellipse, Mask, Truth};

/// Pixels a row of every rendered frame.
pub const WIDTH: usize = 640;
/// Rows of every rendered frame.
pub const HEIGHT: usize = 480;

/// One eye of one person who does not exist: what stays the same from visit to visit.
#[derive(Debug, Clone)]
pub struct Subject {
    anatomy: Anatomy,
    texture: Texture,
    noise: Noise,
}

/// One eye at one visit to a device.
#[derive(Debug, Clone)]
pub struct Visit {
    anatomy: Anatomy,
    texture: Texture,
    conditions: Conditions,
    /// Whether nothing moves between the shots.
    still: bool,
    noise: Noise,
}

/// A picture with what is true about it.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// What the camera sees.
    pub frame: Frame,
    /// What is there.
    pub truth: Truth,
}

impl Subject {
    /// The eye of the person that the number `person` stands for.
    pub fn new(person: u64, eye: Eye) -> Self {
        let person = Noise::new(person).named("person");
        let noise = person.named(if eye == Eye::Left { "left" } else { "right" });
        Self {
            anatomy: Anatomy::new(person.named("anatomy"), noise.named("anatomy"), eye),
            texture: Texture::new(noise.named("texture")),
            noise,
        }
    }

    /// A visit under conditions drawn from the number `session`; shots differ by small movements.
    pub fn visit(&self, session: u64) -> Visit {
        let conditions = Conditions::of_visit(self.noise.named("conditions").branch(session));
        Visit { still: false, ..self.visit_under(session, conditions) }
    }

    /// A visit under conditions drawn far wider: what a device sees of people who do not hold still.
    pub fn hard_visit(&self, session: u64) -> Visit {
        let conditions = Conditions::of_hard_visit(self.noise.named("hard conditions").branch(session));
        Visit { still: false, ..self.visit_under(session, conditions) }
    }

    /// A visit under exactly these conditions; shots differ only by sensor noise.
    pub fn visit_under(&self, session: u64, conditions: Conditions) -> Visit {
        let noise = self.noise.named("visit").branch(session);
        let relief = Texture::waves(noise.named("relief"));
        let texture = self.texture.mixed(&relief, conditions.relief.clamp(0.0, 1.0));
        Visit { anatomy: self.anatomy.clone(), texture, conditions, still: true, noise }
    }
}

impl Visit {
    /// The picture with the number `shot`.
    pub fn shot(&self, shot: u64) -> Rendered {
        let noise = self.noise.named("shot").branch(shot);
        let conditions = if self.still {
            self.conditions.clone()
        } else {
            self.conditions.moment_later(noise.named("movement"))
        };
        let scene = Scene::new(&self.anatomy, &conditions);
        let glints = Glint::all(&scene, &conditions);
        let painter = Painter {
            anatomy: &self.anatomy,
            conditions: &conditions,
            texture: &self.texture,
            scene: &scene,
            glints: &glints,
        };
        let pixels = Zeroizing::new(painter.paint(noise.named("sensor")));
        let frame = Frame::new(WIDTH as u32, HEIGHT as u32, pixels)
            .expect("the picture's size is constant and allowed");
        Rendered { frame, truth: Truth::new(scene, (self.anatomy.clone(), conditions, glints)) }
    }
}

/// A camera in front of a rendered person: never runs out of frames.
#[derive(Debug, Clone)]
pub struct Renderer {
    left: Option<Visit>,
    right: Option<Visit>,
    next_shot: u64,
}

impl Renderer {
    /// Both eyes of `person` at the visit `session`.
    pub fn new(person: u64, session: u64) -> Self {
        let visit = |eye| Some(Subject::new(person, eye).visit(session));
        Self::showing(visit(Eye::Left), visit(Eye::Right))
    }

    /// Whatever the two visits show; an eye may be missing, or another person's.
    pub fn showing(left: Option<Visit>, right: Option<Visit>) -> Self {
        Self { left, right, next_shot: 0 }
    }
}

impl Camera for Renderer {
    fn next_frame(&mut self, eye: Eye) -> Result<Option<Frame>, CameraError> {
        let visit = match eye {
            Eye::Left => &self.left,
            Eye::Right => &self.right,
        };
        let shot = self.next_shot;
        self.next_shot += 1;
        Ok(visit.as_ref().map(|visit| visit.shot(shot).frame))
    }
}

#[cfg(test)]
mod tests;
