//! A value that follows a target with inertia, so that nothing starts or stops at once.

use super::STEP;

#[derive(Clone, Copy, Debug)]
pub struct Spring {
    pub value: f32,
    pub speed: f32,
}

impl Spring {
    pub fn at(value: f32) -> Self {
        Self { value, speed: 0.0 }
    }

    /// One step towards `target` without overshoot; `rate` in radians a second, about 3 / rate seconds to arrive.
    pub fn follow(&mut self, target: f32, rate: f32) {
        self.pull(target, rate, 1.0);
    }

    /// One step of a damped oscillator around `target`; `damping` 1 is critical.
    pub fn pull(&mut self, target: f32, rate: f32, damping: f32) {
        self.speed += (rate * rate * (target - self.value) - 2.0 * damping * rate * self.speed) * STEP;
        self.value += self.speed * STEP;
    }
}
