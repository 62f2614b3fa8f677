//! Six panels of one inspection: image and overlay, sheet and what is seen of it, code and mask.
//!
//! Knows where panels lie and which colour means what; [`Picture::LEGEND`] says it in words.

use std::f32::consts::TAU;

use unum_iris::{COLUMNS, PLANES, ROWS, Template};
use zeroize::Zeroizing;

use super::canvas::{Panel, Picture, Rgb, mixed};
use super::{Found, Inspection};
use crate::boundary::Boundaries;
use crate::plane::Plane;
use crate::sheet::{ANGLES, RADII};

/// Pixels a row of every panel: three for each of the code's 256 columns.
const WIDTH: usize = 3 * COLUMNS;
/// Rows of the panels of sheet and code: three for each of the 64 bits of a column.
const STRIP: usize = 3 * ROWS * PLANES;
const GAP: usize = 24;

const PAPER: Rgb = [0x14, 0x18, 0x1D];
/// Where a stage gave nothing.
const NOTHING: Rgb = [0x22, 0x28, 0x30];
const PUPIL: Rgb = [0x4C, 0xB3, 0xFF];
const IRIS: Rgb = [0xFF, 0xD2, 0x3F];
const HIDDEN: Rgb = [0xE8, 0x3A, 0x4E];
const ZERO: Rgb = [0x2A, 0x32, 0x3B];
const ONE: Rgb = [0xE9, 0xEE, 0xF2];

pub(super) fn draw(inspection: &Inspection) -> Picture {
    let image = &inspection.image;
    let height = (WIDTH * image.height() / image.width()).clamp(WIDTH / 8, 2 * WIDTH);
    let mut picture = Picture::filled(2 * WIDTH + 3 * GAP, height + 2 * STRIP + 4 * GAP, PAPER);
    let row = |top, height| [GAP, WIDTH + 2 * GAP].map(|left| Panel { left, top, width: WIDTH, height });
    let [plain, marked] = row(GAP, height);
    let [sheet, seen] = row(height + 2 * GAP, STRIP);
    let [code, mask] = row(height + STRIP + 3 * GAP, STRIP);
    picture.paint(plain, |x, y| grey(scaled(image, plain, x, y)));
    let Some(found) = &inspection.found else {
        picture.paint(marked, |x, y| grey(scaled(image, marked, x, y)));
        for panel in [sheet, seen, code, mask] {
            picture.paint(panel, |_, _| NOTHING);
        }
        return picture;
    };
    mark(&mut picture, marked, image, found);
    let (texture, visible) = (&found.sheet.texture, &found.sheet.visible);
    picture.paint(sheet, |x, y| grey(scaled(texture, sheet, x, y)));
    picture.paint(seen, |x, y| {
        let under = grey(scaled(texture, seen, x, y));
        if nearest(visible, seen, x, y) == 0 { mixed(under, HIDDEN, 0.55) } else { under }
    });
    picture.paint(code, |x, y| match bit(&found.template, x / 3, y / 3) {
        (_, false) => mixed(PAPER, HIDDEN, 0.45),
        (false, true) => ZERO,
        (true, true) => ONE,
    });
    picture.paint(mask, |x, y| if bit(&found.template, x / 3, y / 3).1 { ONE } else { ZERO });
    picture
}

/// The image with what was found on it.
fn mark(picture: &mut Picture, panel: Panel, image: &Plane, found: &Found) {
    let hidden = hidden(panel, image, found);
    picture.paint(panel, |x, y| {
        let under = grey(scaled(image, panel, x, y));
        if hidden[y * panel.width + x] { mixed(under, HIDDEN, 0.45) } else { under }
    });
    let Boundaries { pupil, iris, .. } = &found.boundaries;
    outline(picture, panel, image, |theta| pupil.at(theta), PUPIL);
    outline(picture, panel, image, |theta| iris.at(theta), IRIS);
}

/// Which pixels of a panel show a hidden part of the iris: the sheet rolled up again, densely enough to leave no hole.
fn hidden(panel: Panel, image: &Plane, found: &Found) -> Zeroizing<Vec<bool>> {
    const FINER: usize = 6; // the rim is at most some 1,300 pixels long in a panel, the sheet has 512 angles
    let mut hidden = Zeroizing::new(vec![false; panel.width * panel.height]);
    for angle in 0..ANGLES * FINER {
        let theta = TAU * angle as f32 / (ANGLES * FINER) as f32;
        let (inner, outer) = (found.boundaries.pupil.at(theta), found.boundaries.iris.at(theta));
        for radius in 0..RADII * FINER {
            if found.sheet.visible.row(radius / FINER)[(angle + FINER / 2) / FINER % ANGLES] == 0 {
                let share = (radius as f32 + 0.5) / (RADII * FINER) as f32;
                let between = |inner: f32, outer: f32| inner + (outer - inner) * share;
                let [x, y] = shown(panel, image, (between(inner.0, outer.0), between(inner.1, outer.1)));
                let (x, y) = (x.round(), y.round());
                if x >= 0.0 && y >= 0.0 && x < panel.width as f32 && y < panel.height as f32 {
                    hidden[y as usize * panel.width + x as usize] = true;
                }
            }
        }
    }
    hidden
}

fn outline(
    picture: &mut Picture,
    panel: Panel,
    image: &Plane,
    edge: impl Fn(f32) -> (f32, f32),
    colour: Rgb,
) {
    const DOTS: usize = 5000; // less than a pixel apart on every edge that lies inside a panel
    for dot in 0..DOTS {
        let at = edge(TAU * dot as f32 / DOTS as f32);
        picture.dot(panel, shown(panel, image, at), 1.2, colour);
    }
}

/// Where a point of an image is shown in a panel.
fn shown(panel: Panel, image: &Plane, (x, y): (f32, f32)) -> [f32; 2] {
    let middle = |at: f32, of: usize, length: usize| (at + 0.5) * length as f32 / of as f32 - 0.5;
    [middle(x, image.width(), panel.width), middle(y, image.height(), panel.height)]
}

/// Where a panel's pixel lies in the image that it shows.
fn place(image: &Plane, panel: Panel, x: usize, y: usize) -> [f32; 2] {
    let middle = |at: usize, of: usize, length: usize| (at as f32 + 0.5) * of as f32 / length as f32 - 0.5;
    [middle(x, image.width(), panel.width), middle(y, image.height(), panel.height)]
}

fn scaled(image: &Plane, panel: Panel, x: usize, y: usize) -> u8 {
    let [right, down] = place(image, panel, x, y);
    let between = image.sample(right, down).map(|value| (value + 0.5) as u8);
    between.unwrap_or_else(|| nearest(image, panel, x, y))
}

fn nearest(image: &Plane, panel: Panel, x: usize, y: usize) -> u8 {
    image.row(y * image.height() / panel.height)[x * image.width() / panel.width]
}

fn grey(value: u8) -> Rgb {
    [value; 3]
}

/// A code bit and whether it can be trusted.
fn bit(template: &Template, column: usize, bit: usize) -> (bool, bool) {
    let of = |columns: &[u64; COLUMNS]| columns[column] >> bit & 1 == 1;
    (of(template.code()), of(template.mask()))
}
