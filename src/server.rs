//! The server as a whole: weights, engines, HTTP, and an orderly end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use signaling::SignalingSettings;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::clock;
use crate::config::{Config, SettingsFile};
use crate::engines::Engines;
use crate::log::LogFilter;
use crate::memory::Shelf;
use crate::metrics::{self, Metrics};
use crate::models::Store;
use crate::page;
use crate::session::Host;

/// Runs until SIGTERM or SIGINT; SIGHUP reads the settings again. `file`: where they came from.
pub async fn serve(config: Config, file: SettingsFile, log: LogFilter) -> Result<()> {
    // Before anything else: one that comes while models are loaded ends nothing.
    let mut hangup = signal(SignalKind::hangup())?;
    // Bound first: a port in use is told at once, not after the models are loaded.
    let listener = TcpListener::bind(&config.server.listen)
        .await
        .map_err(|error| anyhow!("cannot listen on {}: {error}; choose another with --listen", config.server.listen))?;
    let address = listener.local_addr().context("the address that the server listens on")?;
    let started = clock::now();
    let folder = &config.models.folder;
    let store = Store::open((!folder.as_os_str().is_empty()).then_some(folder))?;
    let metrics = Arc::new(Metrics::new());
    let (engines, local) = Engines::load(&config, &store, metrics.clone()).await?;
    let memory = engines.memory.clone();
    let shutdown = Duration::from_secs(config.server.shutdown_seconds);
    let settings = signaling_settings(&config)?;
    let pages = page::routes(settings.origins.clone());
    let key = AdminKey::of(&config);
    let host = Arc::new(Host::new(config, file, log, settings.origins.clone(), Arc::new(engines)));
    let admin = signaling::admin_router(host.clone(), settings.clone(), key.key().to_owned());
    let counted = axum::middleware::from_fn_with_state(metrics, metrics::http::count);
    let router = signaling::router(host.clone(), settings).merge(admin).merge(pages).layer(counted);
    tracing::info!(seconds = (clock::now() - started).as_secs_f32(), "all engines are loaded");
    if let AdminKey::Random(key) = &key {
        println!("monitor: http://{address}/monitor#{key}");
    }
    println!("visavis is listening on http://{address}");
    let registry = host.registry().clone();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let end = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("shutting down");
        if tokio::time::timeout(shutdown, registry.end_all()).await.is_err() {
            tracing::warn!("some calls did not end in time");
        }
    };
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(listener, service).with_graceful_shutdown(end);
    let ended = tokio::select! {
        ended = served => ended,
        () = forget_the_old(memory) => Ok(()),
        () = reload(&host, &mut hangup) => Ok(()),
        // Connections that are kept open must not hold the end up.
        () = after_shutdown(host.registry().shutdown.clone(), shutdown) => Ok(()),
    };
    drop(host);
    if let Some(local) = local {
        local.stop().await;
    }
    ended.context("the HTTP server")
}

/// Deletes conversations that are over the age limit, at the start and every hour; never ends.
async fn forget_the_old(memory: Option<Arc<Shelf>>) {
    let Some(memory) = memory else { return std::future::pending().await };
    let mut hours = tokio::time::interval(Duration::from_secs(3600));
    loop {
        hours.tick().await;
        match memory.expire(clock::unix_seconds()).await {
            Ok(0) => {}
            Ok(deleted) => tracing::info!(deleted, "conversations that nobody went on with"),
            Err(error) => tracing::warn!(%error, "old conversations could not be deleted; tried again in an hour"),
        }
    }
}

/// Reads the settings again whenever somebody asks; never ends.
async fn reload(host: &Host, asked: &mut Signal) {
    while asked.recv().await.is_some() {
        host.reload().await;
    }
    std::future::pending().await
}

/// What opens the monitor and the interface for admins.
enum AdminKey {
    /// Of the environment; not ours to show.
    Given(String),
    /// Made for this run of the server.
    Random(String),
}

impl AdminKey {
    fn of(config: &Config) -> Self {
        let variable = &config.server.admin_key_env;
        let given = (!variable.is_empty()).then(|| std::env::var(variable).ok()).flatten();
        match given.map(|key| key.trim().to_owned()).filter(|key| !key.is_empty()) {
            Some(key) => Self::Given(key),
            None => Self::Random(signaling::ids::admin_key()),
        }
    }

    fn key(&self) -> &str {
        let (Self::Given(key) | Self::Random(key)) = self;
        key
    }
}

async fn after_shutdown(shutdown: tokio_util::sync::CancellationToken, patience: Duration) {
    shutdown.cancelled().await;
    tokio::time::sleep(patience + Duration::from_secs(1)).await;
}

fn signaling_settings(config: &Config) -> Result<SignalingSettings> {
    let mut settings = SignalingSettings::new(Arc::new(clock::unix_seconds));
    settings.origins = config.server.origins().map_err(anyhow::Error::msg)?.into();
    if !config.server.api_keys_env.is_empty() {
        let keys = std::env::var(&config.server.api_keys_env).unwrap_or_default();
        settings.api_keys = keys.split(',').map(str::trim).filter(|key| !key.is_empty()).map(str::to_owned).collect();
    }
    Ok(settings)
}
