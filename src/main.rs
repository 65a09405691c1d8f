//! The command line: arguments, logging, and which part of visavis starts.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use visavis::avatars::AvatarCommand;
use visavis::call::CallArgs;
use visavis::config::{LogSettings, SettingsFile, reference};
use visavis::log;
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
    /// Print every setting with its default and what it does (docs/settings.md).
    Settings,
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
            let mut file = SettingsFile { path: config, listen, log_is_set: false };
            let config = file.load()?;
            let log = log::start(&config.log);
            file.log_is_set = log.is_set();
            runtime()?.block_on(visavis::server::serve(config, file, log))
        }
        Command::Settings => {
            // Whoever reads it may close it early, like `head`.
            let _ = std::io::stdout().write_all(reference::page().as_bytes());
            Ok(())
        }
        Command::Models(command) => {
            log::start(&LogSettings { filter: "warn".into(), json: false });
            command.run()
        }
        Command::Avatar(command) => {
            log::start(&LogSettings { filter: "warn,ort=error".into(), json: false });
            runtime()?.block_on(command.run())
        }
        Command::Call(arguments) => {
            log::start(&LogSettings { filter: "warn,webrtc=error,rtc=error".into(), json: false });
            runtime()?.block_on(visavis::call::main(arguments))
        }
        Command::Say(arguments) => {
            log::start(&LogSettings { filter: "warn,ort=error".into(), json: false });
            runtime()?.block_on(visavis::say::main(arguments))
        }
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
