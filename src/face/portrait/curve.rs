//! Small curves that motions are made of.

/// From 0 at 0 to 1 at 1, level at both ends.
pub fn smooth(x: f32) -> f32 {
    let x = x.clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

/// 1 at 0, falling to 0 over about twice `width` on either side.
pub fn bell(x: f32, width: f32) -> f32 {
    let x = x / width;
    (-x * x).exp()
}
