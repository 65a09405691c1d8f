//! What goes into the log, which is the error output: a filter that can be changed while the server runs.

use std::io::IsTerminal;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt, reload};

use crate::config::LogSettings;

/// Changes the filter.
pub struct LogFilter(Option<Box<dyn Fn(EnvFilter) + Send + Sync>>);

/// Starts the log of this process.
pub fn start(settings: &LogSettings) -> LogFilter {
    let environment = EnvFilter::try_from_default_env().ok();
    let is_set = environment.is_some();
    let filter = environment.unwrap_or_else(|| EnvFilter::new(&settings.filter));
    let (filter, handle) = reload::Layer::new(filter);
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let log = tracing_subscriber::registry().with(filter);
    if settings.json {
        log.with(lines.json()).init()
    } else {
        log.with(lines).init()
    }
    LogFilter((!is_set).then(|| {
        Box::new(move |filter| {
            // It fails only without a log.
            let _ = handle.reload(filter);
        }) as _
    }))
}

impl LogFilter {
    /// `RUST_LOG` goes before the settings.
    pub fn is_set(&self) -> bool {
        self.0.is_none()
    }

    /// A filter that is not valid, or one after `RUST_LOG`, changes nothing.
    pub fn set(&self, filter: &str) {
        if let (Some(set), Ok(filter)) = (&self.0, EnvFilter::try_new(filter)) {
            set(filter);
        }
    }
}
