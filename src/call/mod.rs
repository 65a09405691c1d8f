//! `visavis call`: a headless caller that speaks recordings or types into a call and measures what comes back. It is
//! a client like a browser, over HTTP and WebRTC; it shares no state with a server. Tests and benchmarks use [`run`].

mod conversation;
mod gaps;
mod microphone;
mod output;
mod over;
mod pictures;
mod report;
mod room;
mod script;
mod signaling;
mod sound;
mod turn;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::time::Instant;

pub use microphone::Recording;
pub use over::{OverOutcome, OverReport};
pub use pictures::VideoReport;
pub use report::{BargeIn, CallReport};
pub use room::EchoPath;
pub use sound::AudioReport;
pub use turn::TurnReport;

use crate::peer::PeerSettings;
use crate::peer::caller::{Caller, Wish};
use conversation::converse;
use output::Output;

/// What to say, in order: each is said when the answer to the one before was played.
#[derive(Clone, Debug)]
pub enum Utterance {
    Spoken(PathBuf),
    Typed(String),
    /// Spoken over the answer to what was said before this, when that has sounded for so long; left out if the
    /// answer is shorter.
    Over {
        recording: PathBuf,
        after: Duration,
    },
    /// The answer to what was said before this is cleared when it has sounded for so long, or so long after the end
    /// of what was spoken over it.
    Enough {
        after: Duration,
    },
}

/// One call.
#[derive(Clone, Debug)]
pub struct CallOptions {
    /// Address of the server, e.g. `http://127.0.0.1:8080`.
    pub url: String,
    /// Bearer token, if the server wants one.
    pub token: Option<String>,
    pub utterances: Vec<Utterance>,
    /// Spoken over the first answer, as an [`Utterance::Over`].
    pub talk_over: Option<PathBuf>,
    /// For how long the first answer sounds before it is spoken over.
    pub over_after: Duration,
    /// The microphone hears the received sound.
    pub echo: Option<EchoPath>,
    /// Noise of the room: its RMS against full scale.
    pub noise_floor_db: Option<f64>,
    /// Folder for what was received.
    pub out: Option<PathBuf>,
    /// Longest wait for an answer's end after the last voiced sample.
    pub answer_timeout: Duration,
    /// Hang up as soon as the last answer begins to be heard, instead of when it was played.
    pub hang_up_at_first_sound: bool,
    pub video: bool,
    /// Stay this long after the last answer.
    pub linger: Duration,
    pub network: PeerSettings,
}

impl Default for CallOptions {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:8080".into(),
            token: None,
            utterances: vec![],
            talk_over: None,
            over_after: Duration::from_secs(1),
            echo: None,
            noise_floor_db: None,
            out: None,
            answer_timeout: Duration::from_secs(30),
            hang_up_at_first_sound: false,
            video: true,
            linger: Duration::ZERO,
            network: PeerSettings::default(),
        }
    }
}

/// Arguments of `visavis call`.
#[derive(Clone, Debug, clap::Args)]
pub struct CallArgs {
    /// Recording to speak; several are spoken one after the other, each when the answer before has ended.
    #[arg(long, value_name = "FILE")]
    wav: Vec<PathBuf>,
    /// Text to type, after the recordings.
    #[arg(long, value_name = "TEXT")]
    text: Vec<String>,
    /// Address of the server.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// Bearer token.
    #[arg(long, env = "VISAVIS_TOKEN")]
    token: Option<String>,
    /// Recording that is spoken over the first answer: words, or a cough.
    #[arg(long, value_name = "FILE")]
    talk_over: Option<PathBuf>,
    /// When it is spoken: so many milliseconds after the answer is first heard.
    #[arg(long, value_name = "MS", default_value_t = 1000)]
    over_after: u64,
    /// Let the microphone hear the answer, so much louder or (negative) fainter than it was received.
    #[arg(long, value_name = "DB", allow_negative_numbers = true)]
    echo: Option<f64>,
    /// How long the answer takes from its arrival to the microphone.
    #[arg(long, value_name = "MS", default_value_t = 120, requires = "echo")]
    echo_delay: u64,
    /// Noise of the room, against full scale (-65: a quiet room); without it the microphone is silent between words.
    #[arg(long, value_name = "DB", allow_negative_numbers = true)]
    noise_floor: Option<f64>,
    /// Folder for the received sound, video and events.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Seconds to wait for an answer.
    #[arg(long, default_value_t = 30)]
    answer_timeout: u64,
    /// Hang up at the first sound of the last answer.
    #[arg(long)]
    hangup_after_answer: bool,
    /// Stay this many seconds after the last answer (or in the call, when nothing is said).
    #[arg(long, default_value_t = 0)]
    linger: u64,
    /// Offer no video.
    #[arg(long)]
    audio_only: bool,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

impl From<&CallArgs> for CallOptions {
    fn from(args: &CallArgs) -> Self {
        let spoken = args.wav.iter().cloned().map(Utterance::Spoken);
        Self {
            url: args.url.clone(),
            token: args.token.clone(),
            utterances: spoken.chain(args.text.iter().cloned().map(Utterance::Typed)).collect(),
            talk_over: args.talk_over.clone(),
            over_after: Duration::from_millis(args.over_after),
            echo: args.echo.map(|gain_db| EchoPath { gain_db, delay: Duration::from_millis(args.echo_delay) }),
            noise_floor_db: args.noise_floor,
            out: args.out.clone(),
            answer_timeout: Duration::from_secs(args.answer_timeout),
            hang_up_at_first_sound: args.hangup_after_answer,
            video: !args.audio_only,
            linger: Duration::from_secs(args.linger),
            network: PeerSettings::default(),
        }
    }
}

/// Runs the call and prints its report. An error if an answer was missing.
pub async fn main(args: CallArgs) -> anyhow::Result<()> {
    let report = run(CallOptions::from(&args)).await?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    if !report.is_complete() {
        bail!("the call is not complete");
    }
    Ok(())
}

/// Places one call, says everything, waits for the answers and hangs up.
pub async fn run(options: CallOptions) -> anyhow::Result<CallReport> {
    let server: reqwest::Url = options.url.parse().with_context(|| format!("--url {}", options.url))?;
    let scripted = script::read(&options)?;
    let mut output = Output::new(options.out.as_deref())?;
    let http = reqwest::Client::builder().no_proxy().build().context("the HTTP client")?;
    let wish = Wish { video: options.video, event_channel: true };
    let (mut caller, offer) = Caller::offer(&options.network, wish).await?;
    let start = Instant::now();
    let placed = match signaling::place(&http, &server, options.token.as_deref(), offer).await {
        Ok(placed) => placed,
        Err(error) => {
            caller.close().await;
            return Err(error);
        }
    };
    let mut report = CallReport { url: options.url.clone(), call_id: placed.call_id(), ..Default::default() };
    report.answered_ms = since(start);
    let outcome = match caller.accept(&placed.answer).await {
        Ok(()) => converse(&options, scripted, start, &mut caller, &mut output, &mut report).await,
        Err(error) => Err(error.into()),
    };
    let hung_up = signaling::hang_up(&http, &placed, options.token.as_deref()).await;
    caller.close().await;
    report.ended_ms = since(start);
    let pcm = outcome?;
    output.finish(&pcm, &report)?;
    if report.ended_by_server.is_none() {
        hung_up?;
    }
    Ok(report)
}

fn since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1000.0
}
