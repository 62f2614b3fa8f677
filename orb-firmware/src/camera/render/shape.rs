//! Small geometry: points, ramps, rotations.

/// A point or a vector: `[x, y]`, `x` to the right, `y` downwards, in pixels unless said otherwise.
pub(super) type Point = [f32; 2];

/// The number a share `t` of the way from `a` to `b`.
pub(super) fn lerp(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// 0 below `-half_width`, 1 above `half_width`, a straight line between: the coverage of a pixel by an edge.
pub(super) fn ramp(distance: f32, half_width: f32) -> f32 {
    (0.5 + 0.5 * distance / half_width).clamp(0.0, 1.0)
}

/// A bell of height 1 and standard deviation 1; nothing beyond 4, where it is below a thousandth.
pub(super) fn bell(x: f32) -> f32 {
    if x.abs() > 4.0 { 0.0 } else { (-0.5 * x * x).exp() }
}

/// A rotation, as the cosine and sine of its angle; positive turns `x` towards `y` (clockwise on a screen).
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    cos: f32,
    sin: f32,
}

impl Turn {
    pub(super) fn new(radians: f32) -> Self {
        Self { cos: radians.cos(), sin: radians.sin() }
    }

    pub(super) fn apply(self, [x, y]: Point) -> Point {
        [self.cos * x - self.sin * y, self.sin * x + self.cos * y]
    }

    pub(super) fn undo(self, [x, y]: Point) -> Point {
        [self.cos * x + self.sin * y, -self.sin * x + self.cos * y]
    }
}
