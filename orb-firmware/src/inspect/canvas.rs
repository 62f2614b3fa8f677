//! A colour picture that panels are drawn on. Wiped when dropped: it shows an eye.

use std::fmt;

use zeroize::Zeroizing;

/// A finished picture: RGB, 8 bits each, row-major.
pub struct Picture {
    width: usize,
    height: usize,
    rgb: Zeroizing<Vec<u8>>,
}

/// A colour.
pub(super) type Rgb = [u8; 3];

/// A part of a picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Panel {
    pub(super) left: usize,
    pub(super) top: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Picture {
    /// What is where and which colour means what.
    pub const LEGEND: &'static str = "\
above   the image; the same with the pupil's edge (blue), the rim of the iris (yellow), and what is hidden (red)
middle  the iris unrolled, pupil above, from 3 o'clock towards 6 o'clock; the same with what is hidden (red)
below   the code, coarse filter above the fine one, real above imaginary (untrusted bits red); its mask";

    pub(super) fn filled(width: usize, height: usize, colour: Rgb) -> Self {
        Self { width, height, rgb: Zeroizing::new(colour.repeat(width * height)) }
    }

    /// Pixels a row.
    pub fn width(&self) -> u32 {
        self.width as u32
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height as u32
    }

    /// All pixels, three bytes each.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// Colours every pixel of a panel by its place in it.
    pub(super) fn paint(&mut self, panel: Panel, colour: impl Fn(usize, usize) -> Rgb) {
        for y in 0..panel.height {
            for x in 0..panel.width {
                self.put(panel.left + x, panel.top + y, colour(x, y), 1.0);
            }
        }
    }

    /// A soft dot of `radius` pixels in a panel; what lies outside the panel is cut off.
    pub(super) fn dot(&mut self, panel: Panel, [x, y]: [f32; 2], radius: f32, colour: Rgb) {
        let reach = radius.ceil() as i32 + 1;
        for dy in -reach..=reach {
            for dx in -reach..=reach {
                let (column, row) = (x.round() as i32 + dx, y.round() as i32 + dy);
                let inside =
                    (0..panel.width as i32).contains(&column) && (0..panel.height as i32).contains(&row);
                let apart = (column as f32 - x).hypot(row as f32 - y);
                let share = (radius + 0.5 - apart).clamp(0.0, 1.0);
                if inside && share > 0.0 {
                    self.put(panel.left + column as usize, panel.top + row as usize, colour, share);
                }
            }
        }
    }

    fn put(&mut self, x: usize, y: usize, colour: Rgb, share: f32) {
        let at = (y * self.width + x) * 3;
        let pixel = self.rgb[at..].first_chunk_mut().expect("panels lie inside the picture");
        *pixel = mixed(*pixel, colour, share);
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Picture")
    }
}

/// `share` of one colour over another.
pub(super) fn mixed(under: Rgb, over: Rgb, share: f32) -> Rgb {
    std::array::from_fn(|i| {
        (f32::from(under[i]) + (f32::from(over[i]) - f32::from(under[i])) * share).round() as u8
    })
}
