//! Fourier transforms of real sound, of a fixed length.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use realfft::num_complex::Complex32;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

/// Plans are the same for all calls and take a millisecond to make.
static PLANNER: LazyLock<Mutex<RealFftPlanner<f32>>> = LazyLock::new(Mutex::default);

/// Transforms of `len` samples to `len / 2 + 1` bins and back.
pub struct Fft {
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    scratch: Vec<Complex32>,
}

impl Fft {
    pub fn new(len: usize) -> Self {
        let mut planner = PLANNER.lock().unwrap_or_else(PoisonError::into_inner);
        let (forward, inverse) = (planner.plan_fft_forward(len), planner.plan_fft_inverse(len));
        let scratch = forward.get_scratch_len().max(inverse.get_scratch_len());
        Self { forward, inverse, scratch: vec![Complex32::default(); scratch] }
    }

    /// `time` is used up. Both must have the lengths of this transform.
    pub fn forward(&mut self, time: &mut [f32], spectrum: &mut [Complex32]) {
        let done = self.forward.process_with_scratch(time, spectrum, &mut self.scratch);
        debug_assert!(done.is_ok(), "{done:?}");
    }

    /// The inverse of [`Fft::forward`]; `spectrum` is used up.
    pub fn inverse(&mut self, spectrum: &mut [Complex32], time: &mut [f32]) {
        // Rounding may leave something there, which a real signal cannot have.
        for edge in [0, spectrum.len() - 1] {
            spectrum[edge].im = 0.0;
        }
        let done = self.inverse.process_with_scratch(spectrum, time, &mut self.scratch);
        debug_assert!(done.is_ok(), "{done:?}");
        let scale = 1.0 / time.len() as f32;
        time.iter_mut().for_each(|sample| *sample *= scale);
    }
}

/// A Hann window, which a sum of halves overlapping frames turns into a constant.
pub fn hann(len: usize) -> Vec<f32> {
    let turn = std::f32::consts::TAU / len as f32;
    (0..len).map(|n| 0.5 - 0.5 * ((n as f32 + 0.5) * turn).cos()).collect()
}
