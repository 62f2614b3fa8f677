//! A grey image that a stage works on, and the few image operations that the stages share.
//!
//! Every pixel lies in a buffer of ours that is wiped when dropped: OpenCV reads from and writes into such
//! buffers and allocates no image of its own. (The row buffers inside a running OpenCV call are out of reach.)
//!
//! Coordinates are in pixels; `(0.0, 0.0)` is the middle of the first pixel. Knows nothing about eyes.

use std::fmt;

use opencv::boxed_ref::{BoxedRef, BoxedRefMut};
use opencv::core::{Mat, Size};
use opencv::imgproc;
use zeroize::Zeroizing;

use crate::frame::Frame;

/// A grey image, row-major, 8 bits a pixel.
pub struct Plane {
    width: usize,
    height: usize,
    pixels: Zeroizing<Vec<u8>>,
}

impl Plane {
    /// An image of one brightness.
    pub fn filled(width: usize, height: usize, value: u8) -> Self {
        Self { width, height, pixels: Zeroizing::new(vec![value; width * height]) }
    }

    /// A working copy of a frame.
    pub(crate) fn of(frame: &Frame) -> Self {
        let pixels = Zeroizing::new(frame.pixels().to_vec());
        Self { width: frame.width() as usize, height: frame.height() as usize, pixels }
    }

    /// Pixels a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// All pixels.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The pixels of row `y`, counted from the top.
    pub fn row(&self, y: usize) -> &[u8] {
        &self.pixels[y * self.width..][..self.width]
    }

    /// The same, to be written.
    pub fn row_mut(&mut self, y: usize) -> &mut [u8] {
        &mut self.pixels[y * self.width..][..self.width]
    }

    /// Brightness at a point between pixels, bilinear; `None` outside the image.
    #[inline]
    pub(crate) fn sample(&self, x: f32, y: f32) -> Option<f32> {
        if !(x >= 0.0 && y >= 0.0) {
            return None; // also for NaN
        }
        // Casts cut off the fraction: as good as `floor` here, and much faster without SSE 4.1.
        let (left, top) = (x as u32 as usize, y as u32 as usize);
        if left + 1 >= self.width || top + 1 >= self.height {
            return None;
        }
        let (fx, fy) = (x - left as f32, y - top as f32);
        let at = top * self.width + left;
        let upper = f32::from(self.pixels[at]) * (1.0 - fx) + f32::from(self.pixels[at + 1]) * fx;
        let below = &self.pixels[at + self.width..][..2];
        let lower = f32::from(below[0]) * (1.0 - fx) + f32::from(below[1]) * fx;
        Some(upper * (1.0 - fy) + lower * fy)
    }

    /// Brightness of the nearest pixel; `None` outside the image.
    #[inline]
    pub(crate) fn nearest(&self, x: f32, y: f32) -> Option<u8> {
        let (x, y) = (x + 0.5, y + 0.5);
        let inside = x >= 0.0 && y >= 0.0 && x < self.width as f32 && y < self.height as f32;
        inside.then(|| self.pixels[y as usize * self.width + x as usize])
    }

    /// Scaled to another size, each pixel the mean of the area it covers.
    pub(crate) fn resized(&self, width: usize, height: usize) -> opencv::Result<Self> {
        let size = Size::new(width as i32, height as i32);
        self.mapped(width, height, |from, to| imgproc::resize(from, to, size, 0.0, 0.0, imgproc::INTER_AREA))
    }

    /// Blurred by a Gaussian of the given standard deviation in pixels.
    pub(crate) fn blurred(&self, sigma: f64) -> opencv::Result<Self> {
        let side = (sigma * 6.0).round() as i32 | 1; // three standard deviations either side; OpenCV wants it odd
        self.mapped(self.width, self.height, |from, to| {
            imgproc::gaussian_blur_def(from, to, Size::new(side, side), sigma)
        })
    }

    /// Morphological opening by a disc: everything bright that is narrower than `side` pixels disappears.
    pub(crate) fn opened(&self, side: i32) -> opencv::Result<Self> {
        self.morphed(imgproc::MORPH_OPEN, side, side)
    }

    /// Bright regions grown by an ellipse of `width` × `height` pixels, both odd.
    pub(crate) fn dilated(&self, width: i32, height: i32) -> opencv::Result<Self> {
        self.morphed(imgproc::MORPH_DILATE, width, height)
    }

    fn morphed(&self, operation: i32, width: i32, height: i32) -> opencv::Result<Self> {
        let disc = imgproc::get_structuring_element_def(imgproc::MORPH_ELLIPSE, Size::new(width, height))?;
        self.mapped(self.width, self.height, |from, to| {
            imgproc::morphology_ex_def(from, to, operation, &disc)
        })
    }

    /// Runs an OpenCV operation from this image into a new one of the given size.
    fn mapped(
        &self,
        width: usize,
        height: usize,
        operation: impl FnOnce(&BoxedRef<'_, Mat>, &mut BoxedRefMut<'_, Mat>) -> opencv::Result<()>,
    ) -> opencv::Result<Self> {
        let mut mapped = Self::filled(width, height, 0);
        let from = Mat::new_rows_cols_with_data(self.height as i32, self.width as i32, &self.pixels[..])?;
        let mut to = Mat::new_rows_cols_with_data_mut(height as i32, width as i32, &mut mapped.pixels[..])?;
        operation(&from, &mut to)?;
        drop(to);
        Ok(mapped)
    }
}

impl fmt::Debug for Plane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plane")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp() -> Plane {
        let mut plane = Plane::filled(8, 6, 0);
        for y in 0..6 {
            for x in 0..8 {
                plane.row_mut(y)[x] = (10 * x + y) as u8;
            }
        }
        plane
    }

    #[test]
    fn samples_between_pixels_and_not_outside() {
        let ramp = ramp();
        assert_eq!(ramp.sample(2.5, 3.25), Some(28.25));
        for (x, y) in [(-0.1, 2.0), (2.0, -0.1), (7.0, 2.0), (2.0, 5.0), (f32::NAN, 1.0), (1e30, 1.0)] {
            assert_eq!(ramp.sample(x, y), None, "({x}, {y})");
        }
    }

    #[test]
    fn opencv_writes_into_our_buffer() {
        assert_eq!(ramp().resized(4, 3).unwrap().row(0), [5, 25, 45, 65].map(|v| v + 1)); // mean of 2 × 2, rounded
        assert_eq!(Plane::filled(9, 9, 70).blurred(1.5).unwrap().pixels(), [70; 81]);
    }

    #[test]
    fn opening_removes_a_bright_dot() {
        let mut plane = Plane::filled(9, 9, 10);
        plane.row_mut(4)[4] = 250;
        assert_eq!(plane.opened(3).unwrap().pixels(), [10; 81]);
        assert_eq!(plane.dilated(3, 3).unwrap().row(4)[2..7], [10, 250, 250, 250, 10]);
        assert_eq!(plane.dilated(3, 3).unwrap().row(3)[2..7], [10, 10, 250, 10, 10]);
    }
}
