//! What a network that speaks looks like to [`PhoneticVoice`](super::phonetic::PhoneticVoice): symbols in, then the sound
//! of any stretch of what they say.

use std::ops::Range;

use super::VoiceStyle;
use super::timing::{Symbol, TimedSymbol};
use crate::onnx::OnnxError;

/// What a network is about to say.
#[derive(Debug)]
pub struct Run {
    /// The symbols with their lengths, those that frame them included.
    pub symbols: Vec<TimedSymbol>,
    /// Sound can be made from any hop on; one hop if it comes as a whole.
    pub hops: usize,
    /// Samples of one hop.
    pub hop: usize,
    pub(super) inside: Inside,
}

#[derive(Debug)]
pub(super) enum Inside {
    /// What the sound is made of, channel by channel, a value for each hop.
    Latent(Vec<f32>),
    Sound(Vec<f32>),
}

impl Run {
    /// One that was made sound as a whole.
    pub(super) fn whole(symbols: Vec<TimedSymbol>, pcm: Vec<f32>) -> Self {
        Self { symbols, hops: 1, hop: pcm.len(), inside: Inside::Sound(pcm) }
    }
}

/// The language of a voice, and by whom its text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tongue<'a> {
    /// Language tag.
    pub language: &'a str,
    /// espeak-ng's name of it, or of the language of what is not Chinese.
    pub espeak: &'a str,
    /// The network was taught pinyin: Chinese characters are read by [`chinese`](super::chinese).
    pub pinyin: bool,
}

/// A network with its working memory.
pub trait Network: Send {
    /// For logs and status pages.
    fn name(&self) -> &str;

    /// Samples a second.
    fn rate(&self) -> u32;

    /// How this style's speaker is to be read to.
    fn tongue(&self, style: &VoiceStyle) -> Tongue<'_>;

    /// IPA of this language and punctuation in the network's own alphabet, without what it does not know.
    fn spelt(&self, symbols: Vec<Symbol>, language: &str) -> Vec<Symbol>;

    /// Most symbols of one run: about 10 s of speech, which bounds its memory.
    fn longest_run(&self) -> usize;

    /// Reads what is to be said.
    fn run(&mut self, symbols: &[Symbol], style: &VoiceStyle) -> Result<Run, OnnxError>;

    /// The sound of these hops of a run, in full scale 1.
    fn sound(&mut self, run: &Run, hops: Range<usize>) -> Result<Vec<f32>, OnnxError>;
}
