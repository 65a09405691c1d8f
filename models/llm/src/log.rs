//! The log: everything goes to stderr, because stdout carries only the line that says that the server is ready.
//! llama.cpp talks through the same log; its last complaint is remembered, because its functions return only "failed".

use std::fmt;
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt as format};

/// The target under which the crate llama-cpp-2 logs what llama.cpp says.
const LLAMA_TARGET: &str = "llama-cpp-2";
/// Our own log; llama.cpp's chatter only if `RUST_LOG` asks for it.
const DEFAULT_FILTER: &str = "info,llama-cpp-2=off";

/// The first error that llama.cpp reported since it was last asked: later ones only repeat it in general words.
#[derive(Clone, Debug, Default)]
pub struct LlamaErrors(Arc<Mutex<Option<String>>>);

impl LlamaErrors {
    /// Takes the error.
    pub fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Starts logging to stderr, filtered by `RUST_LOG` if that is set.
pub fn start() -> LlamaErrors {
    let errors = LlamaErrors::default();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let lines =
        format::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal()).with_filter(filter);
    tracing_subscriber::registry().with(lines).with(errors.clone()).init();
    llama_cpp_2::send_logs_to_tracing(llama_cpp_2::LogOptions::default());
    errors
}

impl<S: Subscriber> Layer<S> for LlamaErrors {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if metadata.target() != LLAMA_TARGET || *metadata.level() != Level::ERROR {
            return;
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| message.0.split_whitespace().collect::<Vec<_>>().join(" "));
    }
}

/// The text of an event.
struct Message(String);

impl Visit for Message {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.0);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}
