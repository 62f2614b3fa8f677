//! An attacker with a mirror: the picture flipped, and with it left and right.
//!
//! A person who enrolls again this way must be recognised; this camera is how that is tested.

use super::{Camera, CameraError, Eye};
use crate::frame::Frame;

/// Another camera, seen in a mirror.
#[derive(Debug, Clone)]
pub struct Mirror<C>(pub C);

impl<C: Camera> Camera for Mirror<C> {
    fn next_frame(&mut self, eye: Eye) -> Result<Option<Frame>, CameraError> {
        let other = match eye {
            Eye::Left => Eye::Right,
            Eye::Right => Eye::Left,
        };
        Ok(self.0.next_frame(other)?.map(|frame| frame.mirrored()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::render::Renderer;

    #[test]
    fn the_left_eye_in_the_mirror_is_the_right_eye_flipped() {
        let seen = Mirror(Renderer::new(1, 1)).next_frame(Eye::Left).unwrap().unwrap();
        let real = Renderer::new(1, 1).next_frame(Eye::Right).unwrap().unwrap();
        assert_eq!(seen.mirrored().pixels(), real.pixels());
        assert_ne!(seen.pixels(), real.pixels());
    }
}
