//! `visavis-llm`: an OpenAI-compatible chat server over llama.cpp, for one GGUF model on a CPU. The media server
//! starts and watches it as a child process; it serves anybody else just as well. This file reads the arguments,
//! starts the parts in order, says when they are ready, and stops them.
//!
//! ```text
//! HTTP -> server (routes) -> model (chat template, tokens) -> engine (queue) -> worker (slots, steps) -> events -> HTTP
//! ```

mod answer;
mod calls;
mod chooser;
mod clock;
mod engine;
mod error;
mod grammar;
mod job;
mod json;
mod log;
mod metrics;
mod model;
mod queue;
mod sampling;
mod schema;
mod server;
mod slots;
mod stop;
mod template;
mod threads;
mod tools;
mod utf8;
mod wire;
mod worker;

use std::convert::Infallible;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::serve::ListenerExt as _;
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::engine::{Engine, Options};
use crate::log::LlamaErrors;
use crate::model::Model;
use crate::server::Server;

/// How long running answers may go on after SIGTERM before they are cut off.
const GRACE: Duration = Duration::from_secs(5);

/// Prompts that are made at the same time: each may be a megabyte of text, with many times that in memory.
const TOKENIZER_THREADS: usize = 2;

/// An OpenAI-compatible chat server over llama.cpp.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// GGUF file with the weights, the vocabulary and the chat template.
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// Where to listen; port 0 takes a free one, which the line on stdout tells.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8091")]
    listen: SocketAddr,
    /// Threads that make the answer, token by token; half of the cores unless given.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=512))]
    threads: Option<u16>,
    /// Threads that process the prompt; as many as there are cores unless given.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=512))]
    threads_batch: Option<u16>,
    /// Tokens in memory, over all slots; one conversation may use them all.
    #[arg(long, default_value_t = 4096, value_parser = clap::value_parser!(u32).range(256..=1_048_576))]
    context: u32,
    /// Conversations whose processed prompt is kept, and that are answered at the same time.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    slots: u8,
    /// Name of the model in answers; the file's name without `.gguf` unless given.
    #[arg(long, value_name = "NAME")]
    alias: Option<String>,
    /// Stop when stdin is closed, so that this process never outlives the one that holds its other end.
    #[arg(long)]
    exit_with_parent: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let llama_errors = log::start();
    if let Err(error) = threads::spin_briefly() {
        tracing::warn!(%error, "cannot start again to set how threads wait: set GOMP_SPINCOUNT by hand");
    }
    match run(arguments, &llama_errors) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("visavis-llm: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments, llama_errors: &LlamaErrors) -> anyhow::Result<()> {
    let parent_gone = arguments.exit_with_parent.then(watch_stdin).transpose()?;
    // Before the model is loaded, so that a port in use is said at once.
    let listener = TcpListener::bind(arguments.listen)
        .with_context(|| format!("cannot listen on {}; choose another address with --listen", arguments.listen))?;
    listener.set_nonblocking(true)?;

    let loading = clock::now();
    let model = Arc::new(Model::load(&arguments.model, || llama_errors.take())?);
    let threads = arguments.threads.unwrap_or_else(|| cores().div_ceil(2));
    let options = Options {
        threads,
        threads_batch: arguments.threads_batch.unwrap_or_else(cores),
        context: arguments.context,
        slots: arguments.slots,
    };
    let (engine, mut inference) = Engine::start(Arc::clone(&model), options)?;
    tracing::info!(?options, millis = loading.elapsed().as_millis(), "model loaded and warm");

    let file_name = || arguments.model.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let alias = arguments.alias.unwrap_or_else(file_name);
    let server = Server { model, engine: engine.clone(), alias, created: clock::unix_seconds() };

    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(TOKENIZER_THREADS).build()?;
    let served = runtime.block_on(serve(listener, server, &mut inference.ended, parent_gone));
    engine.stop();
    drop(runtime);
    anyhow::ensure!(inference.join(), "the inference thread crashed; start the server again");
    served
}

/// Answers requests until told to stop.
async fn serve(
    listener: TcpListener,
    server: Server,
    inference_ended: &mut oneshot::Receiver<Infallible>,
    parent_gone: Option<oneshot::Receiver<()>>,
) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let address = listener.local_addr()?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (stop_listening, stopped_listening) = oneshot::channel::<()>();
    // Without this a token waits for the acknowledgement of the one before.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY not set");
        }
    });
    let serving = axum::serve(listener, server::routes(server))
        .with_graceful_shutdown(async { drop(stopped_listening.await) })
        .into_future();
    tokio::pin!(serving);

    writeln!(io::stdout(), "visavis-llm listening on http://{address}")?;
    io::stdout().flush()?;

    let parent_gone = async {
        match parent_gone {
            Some(gone) => drop(gone.await),
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        ended = &mut serving => return Ok(ended?),
        _ = inference_ended => anyhow::bail!("inference has stopped; start the server again"),
        () = parent_gone => {
            tracing::info!("stdin is closed: stopping at once");
            return Ok(());
        }
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!(grace_seconds = GRACE.as_secs(), "stopping: running answers may end");
    drop(stop_listening);
    match tokio::time::timeout(GRACE, serving).await {
        Ok(ended) => Ok(ended?),
        Err(_) => {
            tracing::warn!("answers were cut off");
            Ok(())
        }
    }
}

/// Resolves when stdin ends. The thread is not joined: it waits in a read that only the other end can finish.
fn watch_stdin() -> anyhow::Result<oneshot::Receiver<()>> {
    let (gone, receiver) = oneshot::channel();
    threads::spawn("stdin", move || {
        let mut ignored = [0; 256];
        while io::stdin().read(&mut ignored).is_ok_and(|read| read > 0) {}
        // Nobody waits if the server is stopping already.
        let _ = gone.send(());
    })
    .context("cannot start the thread that watches stdin")?;
    Ok(receiver)
}

fn cores() -> u16 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    u16::try_from(cores).unwrap_or(u16::MAX)
}
