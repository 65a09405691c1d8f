//! Things that hang from the head and swing after it: a damped pendulum a piece.
//!
//! Each step is the exact solution for a root that moves evenly, so it is stable for any time between two pictures
//! and the same however a time is divided. A jump that no head makes is a cut, after which everything hangs still.

use super::manifest;

/// Picture pixels a second beyond which the head did not move but the scene changed.
const CUT: f32 = 225.0;
/// Most that anything swings, in picture pixels.
const MOST: f32 = 12.0;

#[derive(Clone, Debug)]
pub struct Pendulum {
    omega: f32,
    damping: f32,
    /// Where the root was, and where the lower end is; none before the first picture.
    at: Option<(f32, f32)>,
    speed: f32,
}

impl Pendulum {
    pub fn new(spring: manifest::Spring) -> Self {
        // Beyond critical damping the solution has another form, which looks the same.
        let damping = spring.damping.min(0.99);
        Self { omega: std::f32::consts::TAU * spring.hz, damping, at: None, speed: 0.0 }
    }

    /// It hangs still from `root`.
    pub fn settle(&mut self, root: f32) {
        (self.at, self.speed) = (Some((root, root)), 0.0);
    }

    /// `seconds` later the root is at `root`. Returns how far the lower end lies to its right.
    pub fn advance(&mut self, root: f32, seconds: f32) -> f32 {
        let (before, end) = self.at.unwrap_or((root, root));
        let root_speed = (root - before) / seconds.max(1e-3);
        if root_speed.abs() > CUT {
            self.settle(root);
            return 0.0;
        }
        let Self { omega, damping, .. } = *self;
        // Behind an even motion the end lags evenly; about that place it swings and comes to rest.
        let lag = 2.0 * damping * root_speed / omega;
        let swing = omega * (1.0 - damping * damping).sqrt();
        let (off, speed) = (end - before + lag, self.speed - root_speed);
        let (sin, cos) = (swing * seconds).sin_cos();
        let fade = (-damping * omega * seconds).exp();
        let across = (speed + damping * omega * off) / swing;
        let now = fade * (off * cos + across * sin);
        self.speed = root_speed - damping * omega * now + fade * swing * (across * cos - off * sin);
        let hangs = (now - lag).clamp(-MOST, MOST);
        self.at = Some((root, root + hangs));
        hangs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pendulum() -> Pendulum {
        Pendulum::new(manifest::Spring { hz: 2.0, damping: 0.15 })
    }

    #[test]
    fn the_same_motion_comes_out_however_a_time_is_divided() {
        let (mut one, mut many) = (pendulum(), pendulum());
        let (mut at_once, mut in_parts) = (one.advance(0.0, 0.04), many.advance(0.0, 0.04));
        for second in 0..20_u8 {
            let root = |t: f32| 3.0 * (f32::from(second) * 0.2 + t);
            at_once = one.advance(root(0.2), 0.2);
            for part in 1..=5_u8 {
                in_parts = many.advance(root(f32::from(part) * 0.04), 0.04);
            }
            assert!((at_once - in_parts).abs() < 2e-3, "{second}: {at_once} {in_parts}");
        }
        assert!(at_once < -0.05 && in_parts < -0.05, "it lags behind what moves on");
    }

    #[test]
    fn any_gap_is_survived_and_a_jump_is_a_cut() {
        let mut hung = pendulum();
        for (root, seconds) in [(0.0, 0.04), (5.0, 0.04), (-5.0, 3600.0), (5.0, 0.0), (1e6, 0.04), (1e6, 1e-9)] {
            let hangs = hung.advance(root, seconds);
            assert!(hangs.is_finite() && hangs.abs() <= MOST, "{root} after {seconds}: {hangs}");
        }
        assert_eq!(hung.advance(1e6, 0.04), 0.0);
    }
}
