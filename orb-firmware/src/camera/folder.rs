//! Pictures that lie in files, in place of a camera.
//!
//! Frames come in the order of the paths. Errors do not name the file: names of eye images lead to people.

use std::collections::VecDeque;
use std::path::PathBuf;

use super::{Camera, CameraError, Eye};
use crate::decode;
use crate::frame::Frame;

/// Image files of one person, by eye.
#[derive(Clone)]
pub struct Folder {
    left: VecDeque<PathBuf>,
    right: VecDeque<PathBuf>,
}

impl Folder {
    /// A camera that shows these files once, in their order.
    pub fn new(left: impl IntoIterator<Item = PathBuf>, right: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { left: left.into_iter().collect(), right: right.into_iter().collect() }
    }
}

impl Camera for Folder {
    fn next_frame(&mut self, eye: Eye) -> Result<Option<Frame>, CameraError> {
        let paths = match eye {
            Eye::Left => &mut self.left,
            Eye::Right => &mut self.right,
        };
        Ok(paths.pop_front().map(|path| decode::read(&path)).transpose()?)
    }
}

impl std::fmt::Debug for Folder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Folder")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_file_is_skipped_and_the_end_is_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let (good, bad) = (folder.path().join("good.png"), folder.path().join("someone.png"));
        image::GrayImage::from_pixel(200, 150, image::Luma([7])).save(&good).unwrap();
        std::fs::write(&bad, "no picture").unwrap();
        let mut camera = Folder::new([bad, good], []);
        let error = camera.next_frame(Eye::Left).unwrap_err().to_string();
        assert!(!error.contains("someone"), "{error}");
        assert_eq!(camera.next_frame(Eye::Left).unwrap().unwrap().pixels()[0], 7);
        for eye in [Eye::Left, Eye::Left, Eye::Right] {
            assert!(camera.next_frame(eye).unwrap().is_none());
        }
    }
}
