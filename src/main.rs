//! The command line: arguments, logging, and which part of visavis starts.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;
use visavis::avatars::AvatarCommand;
use visavis::call::CallArgs;
use visavis::config::{Config, LogSettings};
use visavis::models::ModelsCommand;
use visavis::say::SayArgs;

#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the page and take calls.
    Serve {
        /// Address and port of HTTP, over the configuration's.
        #[arg(long, value_name = "ADDR:PORT")]
        listen: Option<String>,
        /// Settings; without it the defaults hold.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// List, fetch and check the weights.
    #[command(subcommand)]
    Models(ModelsCommand),
    /// Look after the faces that can be seen.
    #[command(subcommand)]
    Avatar(AvatarCommand),
    /// Call a server, speak a file to it, and write down what comes back.
    Call(CallArgs),
    /// Let a voice speak a text into a file.
    Say(SayArgs),
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("visavis: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    match arguments.command {
        Command::Serve { listen, config } => {
            let mut config = config.map_or_else(|| Ok(Config::default()), |path| Config::load(&path))?;
            if let Some(listen) = listen {
                config.server.listen = listen;
            }
            log(&config.log);
            runtime()?.block_on(visavis::server::serve(config))
        }
        Command::Models(command) => {
            log(&LogSettings { filter: "warn".into(), json: false });
            command.run()
        }
        Command::Avatar(command) => {
            log(&LogSettings { filter: "warn,ort=error".into(), json: false });
            runtime()?.block_on(command.run())
        }
        Command::Call(arguments) => {
            log(&LogSettings { filter: "warn,webrtc=error,rtc=error".into(), json: false });
            runtime()?.block_on(visavis::call::main(arguments))
        }
        Command::Say(arguments) => {
            log(&LogSettings { filter: "warn,ort=error".into(), json: false });
            runtime()?.block_on(visavis::say::main(arguments))
        }
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

fn log(settings: &LogSettings) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(&settings.filter));
    let logger = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    if settings.json { logger.json().init() } else { logger.init() }
}
