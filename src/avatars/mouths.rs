//! The network of the avatars that follow the sound by Wav2Lip: one for all calls, loaded when the first of them is seen.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde::{Deserialize, Serialize};

use crate::face::wav2lip::{Engine, MAX_BATCH, Network, Observer, Options, Shown, Wav2LipError};
use crate::metrics::Metrics;
use crate::onnx::Runtime;

/// `[avatar.wav2lip]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wav2LipSettings {
    /// The network, an ONNX file of your own; empty: none.
    pub model: PathBuf,
    pub threads: usize,
    /// Pictures made at once, at most: more cost less each and come later.
    pub batch: usize,
}

impl Default for Wav2LipSettings {
    fn default() -> Self {
        let Options { threads, batch } = Options::default();
        Self { model: PathBuf::new(), threads, batch }
    }
}

impl Wav2LipSettings {
    /// What cannot be used, in words.
    pub fn validate(&self) -> Result<(), String> {
        if self.threads == 0 || !(1..=MAX_BATCH).contains(&self.batch) {
            let Self { threads, batch, .. } = self;
            return Err(format!(
                "avatar.wav2lip.threads must be at least 1 and avatar.wav2lip.batch 1 to {MAX_BATCH}, not {threads} and {batch}"
            ));
        }
        Ok(())
    }
}

/// See the module's text.
pub(super) struct Mouths {
    settings: Wav2LipSettings,
    runtime: Runtime,
    metrics: Arc<Metrics>,
    /// Ends with the last face that it serves.
    engine: Mutex<Weak<Engine>>,
}

impl Mouths {
    pub(super) fn new(settings: Wav2LipSettings, runtime: Runtime, metrics: Arc<Metrics>) -> Self {
        Self { settings, runtime, metrics, engine: Mutex::default() }
    }

    /// The network at work. Takes about a second when it is asked for first; `None` if the settings name none.
    pub(super) fn engine(&self) -> Result<Option<Arc<Engine>>, Wav2LipError> {
        let Wav2LipSettings { model, threads, batch } = self.settings.clone();
        if model.as_os_str().is_empty() {
            return Ok(None);
        }
        let mut engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = engine.upgrade() {
            return Ok(Some(running));
        }
        let (runtime, options) = (self.runtime.clone(), Options { threads, batch });
        let observer = Counting(self.metrics.clone());
        let started = Engine::start(options, observer, move || Network::open(&runtime, &model, threads))?;
        tracing::info!(
            millis_per_picture = started.cost_micros() / 1000.0,
            threads,
            batch,
            "the network of Wav2Lip is ready"
        );
        *engine = Arc::downgrade(&started);
        Ok(Some(started))
    }
}

struct Counting(Arc<Metrics>);

impl Observer for Counting {
    fn shown(&self, how: Option<Shown>) {
        let mouth = match how {
            Some(Shown::Inferred) => "inferred",
            Some(Shown::Interpolated) => "interpolated",
            Some(Shown::Held | Shown::Missing) | None => "late",
            Some(Shown::Rest) => "resting",
        };
        self.0.wav2lip_frames.with_label_values(&[mouth]).inc();
    }

    fn failed(&self, error: &Wav2LipError) {
        self.0.error("wav2lip", error);
    }
}
