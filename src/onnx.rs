//! ONNX Runtime: the shared library, loaded once by path, and the sessions that run models in it.
//!
//! Only this file and the engine files that run a session know the crate `ort`. Sessions are set up to be
//! small and polite rather than fastest: no spinning workers, because the same cores send media, and no memory
//! pattern, which would plan for every length of input anew. The arena stays: it keeps what the longest run took,
//! which is less than what a general allocator peaks at; so bound the length of a run.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ort::ep::CPU;
use ort::logging::LogLevel;
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};

/// What can go wrong with the library or a model file.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    #[error("cannot load ONNX Runtime from {}: {reason}; `visavis models pull` fetches it", .path.display())]
    Library { path: PathBuf, reason: String },
    #[error("the model file {} is missing; `visavis models pull` fetches it", .path.display())]
    Missing { path: PathBuf },
    #[error(
        "the model file {} cannot be used: {reason}; `visavis models verify` checks it, `visavis models pull` fetches it again",
        .path.display()
    )]
    Damaged { path: PathBuf, reason: String },
    #[error("the model {model} failed: {reason}")]
    Run { model: String, reason: String },
}

impl OnnxError {
    /// A failure while `model` was running.
    pub fn run(model: &str, error: impl std::fmt::Display) -> Self {
        Self::Run { model: model.to_owned(), reason: error.to_string() }
    }
}

/// ONNX Runtime allows one environment in a process; it lives until the process ends.
static LOADED: Mutex<Option<Runtime>> = Mutex::new(None);

/// The loaded library. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Runtime {
    environment: ort::environment::Environment,
}

impl Runtime {
    /// Loads `library` (libonnxruntime.so, 1.20 or later); a later call returns what the first one loaded.
    pub fn load(library: &Path) -> Result<Self, OnnxError> {
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = loaded.as_ref() {
            return Ok(runtime.clone());
        }
        let failed = |reason: String| OnnxError::Library { path: library.to_owned(), reason };
        // dlopen searches the system's folders for a bare name; a path is what the store gives.
        let path = std::path::absolute(library).map_err(|error| failed(error.to_string()))?;
        if !path.is_file() {
            return Err(failed("no such file".to_owned()));
        }
        let environment = ort::init_from(&path)
            .map_err(|error| failed(error.to_string()))?
            .with_name("visavis")
            .with_telemetry(false)
            .with_logger(Arc::new(log))
            .build()
            .map_err(|error| failed(error.to_string()))?;
        let runtime = Self { environment };
        *loaded = Some(runtime.clone());
        Ok(runtime)
    }

    /// Opens the model file at `model` with `threads` threads for its inner loops.
    ///
    /// One of them is the thread that runs the session; the others start here and inherit the priority of the
    /// calling thread, so load a model on the thread that will run it.
    pub fn session(&self, model: &Path, threads: usize) -> Result<Session, OnnxError> {
        if !model.is_file() {
            return Err(OnnxError::Missing { path: model.to_owned() });
        }
        let damaged = |error: ort::Error| OnnxError::Damaged { path: model.to_owned(), reason: error.to_string() };
        self.builder(threads).map_err(damaged)?.commit_from_file(model).map_err(damaged)
    }

    /// As [`Runtime::session`], for a model that was read and changed in memory; `model` names it in errors.
    pub fn session_from_bytes(&self, bytes: &[u8], model: &Path, threads: usize) -> Result<Session, OnnxError> {
        let damaged = |error: ort::Error| OnnxError::Damaged { path: model.to_owned(), reason: error.to_string() };
        self.builder(threads).map_err(damaged)?.commit_from_memory(bytes).map_err(damaged)
    }

    fn builder(&self, threads: usize) -> ort::Result<SessionBuilder> {
        Ok(Session::builder(&self.environment)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(threads.max(1))?
            .with_inter_threads(1)?
            .with_intra_op_spinning(false)?
            .with_memory_pattern(false)?
            .with_execution_providers([CPU::default().with_arena_allocator(true).build()])?)
    }
}

/// ONNX Runtime's own log lines: about its inside, so never above debug unless it failed.
fn log(level: LogLevel, category: &str, _id: &str, location: &str, message: &str) {
    match level {
        LogLevel::Verbose | LogLevel::Info => tracing::trace!(category, location, "{message}"),
        LogLevel::Warning | LogLevel::Error | LogLevel::Fatal => tracing::debug!(category, location, "{message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::weight;

    #[test]
    fn a_library_that_is_not_there_is_named() {
        let error = Runtime::load(Path::new("/nowhere/libonnxruntime.so"));
        // Another test may have loaded the real library before: then the first one stays.
        if let Err(error) = error {
            assert!(error.to_string().contains("/nowhere/libonnxruntime.so"), "{error}");
        }
    }

    #[test]
    fn a_missing_or_damaged_model_is_named_with_what_mends_it() -> Result<(), Box<dyn std::error::Error>> {
        let runtime = Runtime::load(&weight("onnxruntime"))?;
        let Err(missing) = runtime.session(Path::new("/nowhere/model.onnx"), 1) else { return Err("opened".into()) };
        assert!(missing.to_string().contains("/nowhere/model.onnx is missing"), "{missing}");

        let whole = std::fs::read(weight("silero-vad"))?;
        let cut = runtime.session_from_bytes(&whole[..whole.len() / 2], Path::new("cut.onnx"), 1);
        let Err(damaged) = cut else { return Err("opened".into()) };
        assert!(damaged.to_string().contains("cut.onnx"), "{damaged}");
        assert!(damaged.to_string().contains("visavis models pull"), "{damaged}");
        Ok(())
    }
}
