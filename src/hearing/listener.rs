//! One call's ear: voice activity and the cutting of utterances in one stage.
//!
//! 16 kHz sound goes in, in pieces of any length; out comes who-spoke-when with the sound to recognize. At every
//! pause it hands out what was said so far, so that recognition can start before the turn is over; if nothing
//! more is said, [`Heard::Stopped`] carries that same cut (same id) and its text is already there.

use super::gate::{SpeechEvent, VadSettings, WINDOW, samples};
use super::utterance::{LONGEST_MILLIS, Utterance, UtteranceBuffer};
use super::vad::{SileroModel, Vad};
use crate::onnx::OnnxError;

/// Silence kept after the last voice: a final consonant is quieter than the threshold.
const TAIL_MILLIS: u32 = 200;
/// Less than this is not worth committing by hand (the Realtime protocol's own minimum).
const SHORTEST_COMMIT_MILLIS: u32 = 100;

/// What the ear found. Positions are 16 kHz samples since the call began.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// Speech is confirmed. `at`: its first voice; `audio_start`: where its sound is kept from.
    Started { at: u64, audio_start: u64 },
    /// The voice paused at `at`: recognition of what was said so far may begin.
    Paused { at: u64, utterance: Utterance },
    /// It goes on: the last paused utterance is superseded.
    Resumed { at: u64 },
    /// A part of a long speech that goes on; the texts of its parts follow one another.
    Piece { utterance: Utterance },
    /// The voice ended at `at`. Without a pause before it, or with more voice since, the utterance is a new one.
    Stopped { at: u64, utterance: Utterance },
}

/// See the module's text.
#[derive(Clone, Debug)]
pub struct Listener {
    vad: Vad,
    manual: bool,
    buffer: UtteranceBuffer,
    /// The window that is being filled.
    window: Vec<i16>,
    /// Where the current utterance's sound begins, while there is speech.
    speech: Option<u64>,
    /// What the last pause handed out.
    draft: Option<Utterance>,
    events: Vec<SpeechEvent>,
}

impl Listener {
    pub fn new(model: SileroModel, settings: VadSettings) -> Self {
        Self {
            vad: Vad::new(model, settings),
            manual: false,
            buffer: UtteranceBuffer::default(),
            window: Vec::with_capacity(WINDOW),
            speech: None,
            draft: None,
            events: Vec::new(),
        }
    }

    pub fn settings(&self) -> &VadSettings {
        self.vad.settings()
    }

    /// Takes effect from the next window on, also in the middle of speech.
    pub fn set_settings(&mut self, settings: VadSettings) {
        self.vad.set_settings(settings);
    }

    /// In manual mode nothing is detected: everything is kept until [`Listener::commit`].
    pub fn set_manual(&mut self, manual: bool) {
        if manual != self.manual {
            self.manual = manual;
            self.vad.reset(self.buffer.end());
            self.end_speech();
        }
    }

    /// Between [`Heard::Started`] and [`Heard::Stopped`].
    pub fn is_speech(&self) -> bool {
        self.vad.is_speech()
    }

    /// Samples taken since the call began.
    pub fn position(&self) -> u64 {
        self.buffer.end() + self.window.len() as u64
    }

    /// Takes 16 kHz mono sound and appends what was found to `heard`.
    pub fn push(&mut self, pcm: &[i16], heard: &mut Vec<Heard>) -> Result<(), OnnxError> {
        let mut rest = pcm;
        let mut result = Ok(());
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(WINDOW - self.window.len()));
            rest = later;
            self.window.extend_from_slice(now);
            if self.window.len() == WINDOW {
                // One bad window must not cost the sound that follows it.
                result = result.and(self.take_window(heard));
            }
        }
        result
    }

    /// Ends the utterance by hand: what was heard since the last one, or nothing if that is too short.
    pub fn commit(&mut self) -> Option<Utterance> {
        let start = self.speech.unwrap_or(self.buffer.first());
        self.buffer.push(&self.window);
        self.window.clear();
        let end = self.buffer.end();
        let utterance = (end - start >= samples(SHORTEST_COMMIT_MILLIS)).then(|| self.buffer.cut(start, end));
        self.clear();
        utterance
    }

    /// Forgets what was heard and not yet committed.
    pub fn clear(&mut self) {
        self.buffer.push(&self.window);
        self.window.clear();
        self.buffer.forget_before(self.buffer.end());
        self.vad.reset(self.buffer.end());
        self.end_speech();
    }

    fn end_speech(&mut self) {
        self.speech = None;
        self.draft = None;
    }

    fn take_window(&mut self, heard: &mut Vec<Heard>) -> Result<(), OnnxError> {
        self.buffer.push(&self.window);
        let result = if self.manual { Ok(()) } else { self.judge(heard) };
        self.window.clear();

        let kept = if self.manual { Some(self.buffer.first()) } else { self.speech };
        match kept {
            Some(start) => {
                if let Some(cut) = self.buffer.overflow(start) {
                    heard.push(Heard::Piece { utterance: self.buffer.cut(start, cut) });
                    self.buffer.forget_before(cut);
                    if self.speech.is_some() {
                        self.speech = Some(cut);
                    }
                    // A draft of sound that is now partly gone would say its words twice.
                    self.draft = None;
                }
            }
            None => {
                let settings = self.vad.settings();
                // Dips may stretch the confirmation: room for twice its length.
                let reach = samples(
                    settings
                        .prefix_padding_millis
                        .saturating_add(settings.start_millis.saturating_mul(2))
                        .saturating_add(TAIL_MILLIS),
                );
                self.buffer.forget_before(self.buffer.end().saturating_sub(reach.min(samples(LONGEST_MILLIS))));
            }
        }
        result
    }

    fn judge(&mut self, heard: &mut Vec<Heard>) -> Result<(), OnnxError> {
        let mut pcm = [0.0; WINDOW];
        for (to, &from) in pcm.iter_mut().zip(&self.window) {
            *to = f32::from(from) / 32768.0;
        }
        self.vad.push(&pcm, &mut self.events)?;
        for event in std::mem::take(&mut self.events) {
            heard.push(self.carry_out(event));
        }
        Ok(())
    }

    fn carry_out(&mut self, event: SpeechEvent) -> Heard {
        let settings = *self.vad.settings();
        match event {
            SpeechEvent::Started { at } => {
                let padded = at.saturating_sub(samples(settings.prefix_padding_millis));
                let audio_start = padded.max(self.buffer.first());
                self.speech = Some(audio_start);
                self.draft = None;
                Heard::Started { at, audio_start }
            }
            SpeechEvent::Paused { at } => {
                let utterance = self.cut_after(at);
                self.draft = Some(utterance.clone());
                Heard::Paused { at, utterance }
            }
            SpeechEvent::Resumed { at } => {
                self.draft = None;
                Heard::Resumed { at }
            }
            SpeechEvent::Stopped { at } => {
                let utterance = self.draft.take().unwrap_or_else(|| self.cut_after(at));
                self.end_speech();
                self.buffer.forget_before(utterance.end);
                Heard::Stopped { at, utterance }
            }
        }
    }

    fn cut_after(&mut self, voice_end: u64) -> Utterance {
        let start = self.speech.unwrap_or(self.buffer.first());
        self.buffer.cut(start, voice_end + samples(TAIL_MILLIS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::Runtime;
    use crate::testing::weight;

    type Outcome = Result<(), Box<dyn std::error::Error>>;

    fn listener() -> Result<Listener, OnnxError> {
        let model = SileroModel::load(&Runtime::load(&weight("onnxruntime"))?, &weight("silero-vad"))?;
        Ok(Listener::new(model, VadSettings::default()))
    }

    fn recording() -> Result<Vec<i16>, hound::Error> {
        let mut pcm = vec![0; 16_000];
        pcm.extend(hound::WavReader::open(weight("beckett"))?.into_samples::<i16>().collect::<Result<Vec<_>, _>>()?);
        pcm.extend([0; 16_000]);
        Ok(pcm)
    }

    #[test]
    fn any_chunking_hears_the_same() -> Outcome {
        let pcm = recording()?;
        let hear = |chunk: usize| {
            let (mut listener, mut heard) = (listener()?, Vec::new());
            pcm.chunks(chunk).try_for_each(|piece| listener.push(piece, &mut heard))?;
            Ok::<_, OnnxError>(heard)
        };
        let whole = hear(pcm.len())?;
        assert!(whole.len() >= 3);
        for chunk in [160, 960, 5000] {
            assert_eq!(hear(chunk)?, whole, "chunks of {chunk}");
        }
        Ok(())
    }

    #[test]
    fn the_end_carries_the_cut_of_the_last_pause_with_the_padding_before_the_voice() -> Outcome {
        let (mut listener, mut heard) = (listener()?, Vec::new());
        let pcm = recording()?;
        listener.push(&pcm, &mut heard)?;
        let mut draft = None;
        let mut start = 0;
        let mut ends = 0;
        for event in heard {
            match event {
                Heard::Started { at, audio_start } => {
                    assert!(at - audio_start <= samples(300));
                    start = audio_start;
                }
                Heard::Paused { utterance, .. } => draft = Some(utterance),
                Heard::Resumed { .. } => draft = None,
                Heard::Stopped { at, utterance } => {
                    assert_eq!(draft.take(), Some(utterance.clone()));
                    assert_eq!((utterance.start, utterance.end), (start, at + samples(TAIL_MILLIS)));
                    let first = f32::from(pcm[utterance.start as usize]) / 32768.0;
                    assert_eq!(utterance.pcm[0], first);
                    ends += 1;
                }
                Heard::Piece { .. } => return Err("a piece of a short recording".into()),
            }
        }
        assert!(ends > 0);
        Ok(())
    }

    #[test]
    fn a_monologue_comes_in_pieces_that_leave_nothing_out() -> Outcome {
        let (mut listener, mut heard) = (listener()?, Vec::new());
        // Nothing ends speech here, so only its length can cut it.
        listener.set_settings(VadSettings { stop_millis: 10_000, pause_millis: 10_000, ..VadSettings::default() });
        let speech = hound::WavReader::open(weight("beckett"))?.into_samples::<i16>().collect::<Result<Vec<_>, _>>()?;
        for _ in 0..7 {
            listener.push(&speech, &mut heard)?;
        }
        listener.push(&[0; 176_000], &mut heard)?;
        let mut at = None;
        let mut pieces = 0;
        for event in &heard {
            match event {
                Heard::Started { audio_start, .. } => at = Some(*audio_start),
                Heard::Piece { utterance } => {
                    assert_eq!(Some(utterance.start), at);
                    assert!(utterance.pcm.len() as u64 <= samples(LONGEST_MILLIS));
                    at = Some(utterance.end);
                    pieces += 1;
                }
                Heard::Stopped { utterance, .. } => assert_eq!(Some(utterance.start), at),
                other => return Err(format!("{other:?}").into()),
            }
        }
        assert!(pieces >= 2, "{pieces} pieces");
        assert!(matches!(heard.last(), Some(Heard::Stopped { .. })));
        Ok(())
    }

    #[test]
    fn in_manual_mode_a_commit_gives_everything_since_the_last_one() -> Outcome {
        let (mut listener, mut heard) = (listener()?, Vec::new());
        listener.set_manual(true);
        listener.push(&recording()?[..50_000], &mut heard)?;
        assert_eq!(heard, []);
        assert_eq!(listener.commit().map(|utterance| (utterance.start, utterance.end)), Some((0, 50_000)));
        assert_eq!(listener.commit(), None);
        listener.push(&[0; 100], &mut heard)?;
        assert_eq!(listener.position(), 50_100);
        Ok(())
    }
}
