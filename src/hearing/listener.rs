//! One call's ear: voice activity and the cutting of utterances in one stage.
//!
//! 16 kHz sound goes in, in pieces of any length; out comes who-spoke-when with the sound to recognize. It hands out
//! what was said so far at every pause, so that recognition can start before the turn is over, and now and then
//! while somebody speaks. When a turn is over is not decided here: [`Listener::take`] tells it.

use super::echo::{EchoVeto, SentSound};
use super::gate::{SpeechEvent, VadSettings, WINDOW, samples};
use super::utterance::{LONGEST_MILLIS, Utterance, UtteranceBuffer};
use super::vad::{SileroModel, Vad};
use crate::onnx::OnnxError;

/// Silence kept after the last voice: a final consonant is quieter than the threshold.
const TAIL_MILLIS: u32 = 200;
/// Less than this is not worth committing by hand (the Realtime protocol's own minimum).
const SHORTEST_COMMIT_MILLIS: u32 = 100;

/// Speech without a pause gives a snapshot of itself this often.
const GROWTH_MILLIS: u32 = 600;
/// What was said before a pause is final once it is this long, whatever follows.
const PIECE_MILLIS: u32 = 6_000;

/// What the ear found. Positions are 16 kHz samples since the call began.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// There is voice since `at`, which may be no speech.
    Suspected { at: u64 },
    /// It was none.
    Faded,
    /// Speech is confirmed. `at`: its first voice; `audio_start`: where its sound is kept from.
    Started { at: u64, audio_start: u64 },
    /// The voice paused at `at`: recognition of what was said so far may begin.
    Paused { at: u64, utterance: Utterance },
    /// It goes on: the last paused utterance is superseded, unless it became a piece.
    Resumed { at: u64 },
    /// A part of a long speech that goes on; the texts of its parts follow one another.
    Piece { utterance: Utterance },
    /// All that was said since the last piece, by somebody who goes on.
    Grew { utterance: Utterance },
}

/// See the module's text.
pub struct Listener {
    vad: Vad,
    /// Knows our own voice, and what was sent of it.
    echo: (EchoVeto, SentSound),
    manual: bool,
    buffer: UtteranceBuffer,
    /// The window that is being filled.
    window: Vec<i16>,
    /// Where the current utterance's sound begins, while there is speech.
    speech: Option<u64>,
    /// What the last pause handed out.
    draft: Option<Utterance>,
    /// Where the last snapshot or pause was.
    grown: u64,
    events: Vec<SpeechEvent>,
}

impl Listener {
    /// `sent`: the sound that goes out in the same call and may come back.
    pub fn new(model: SileroModel, settings: VadSettings, sent: SentSound) -> Self {
        Self {
            vad: Vad::new(model, settings),
            echo: (EchoVeto::default(), sent),
            manual: false,
            buffer: UtteranceBuffer::default(),
            window: Vec::with_capacity(WINDOW),
            speech: None,
            draft: None,
            grown: 0,
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

    /// The turn that ended at `end` is over: voice after it is new speech, and so is voice that goes on.
    pub fn take(&mut self, end: u64, heard: &mut Vec<Heard>) {
        self.vad.take();
        self.draft = None;
        if self.speech.take().is_some() {
            self.buffer.forget_before(end);
            if self.vad.is_voiced() {
                let start = self.buffer.first();
                self.speech = Some(start);
                self.grown = self.buffer.end();
                heard.push(Heard::Started { at: start, audio_start: start });
            }
        }
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
                    self.grown = self.buffer.end();
                } else if self.vad.is_voiced() && self.buffer.end() >= self.grown + samples(GROWTH_MILLIS) {
                    self.grown = self.buffer.end();
                    heard.push(Heard::Grew { utterance: self.buffer.cut(start, self.buffer.end()) });
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
        let (veto, sent) = &mut self.echo;
        veto.push(&pcm, sent);
        self.vad.push(&pcm, veto.is_echo(), &mut self.events)?;
        for event in std::mem::take(&mut self.events) {
            self.carry_out(event, heard);
        }
        Ok(())
    }

    fn carry_out(&mut self, event: SpeechEvent, heard: &mut Vec<Heard>) {
        let settings = *self.vad.settings();
        let found = match event {
            SpeechEvent::Suspected { at } => Heard::Suspected { at },
            SpeechEvent::Faded => Heard::Faded,
            SpeechEvent::Started { at } => {
                let padded = at.saturating_sub(samples(settings.prefix_padding_millis));
                let audio_start = padded.max(self.buffer.first());
                self.speech = Some(audio_start);
                self.draft = None;
                self.grown = self.buffer.end();
                Heard::Started { at, audio_start }
            }
            SpeechEvent::Paused { at } => {
                let start = self.speech.unwrap_or(self.buffer.first());
                let utterance = self.buffer.cut(start, at + samples(TAIL_MILLIS));
                self.draft = Some(utterance.clone());
                Heard::Paused { at, utterance }
            }
            SpeechEvent::Resumed { at } => {
                if let Some(draft) = self.draft.take().filter(|draft| draft.end - draft.start >= samples(PIECE_MILLIS))
                {
                    self.speech = Some(draft.end);
                    self.buffer.forget_before(draft.end);
                    heard.push(Heard::Piece { utterance: draft });
                }
                self.grown = self.buffer.end();
                Heard::Resumed { at }
            }
        };
        heard.push(found);
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
        Ok(Listener::new(model, VadSettings::default(), SentSound::default()))
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
    fn a_pause_hands_out_all_that_was_said_with_the_padding_before_the_voice() -> Outcome {
        let (mut listener, mut heard) = (listener()?, Vec::new());
        let pcm = recording()?;
        listener.push(&pcm, &mut heard)?;
        let (mut start, mut pauses, mut at_pause) = (0, 0, false);
        for event in heard {
            match event {
                Heard::Started { at, audio_start } => {
                    assert!(at - audio_start <= samples(300));
                    start = audio_start;
                }
                Heard::Paused { at, utterance } => {
                    assert_eq!(utterance.start, start);
                    assert!((at..=at + samples(TAIL_MILLIS)).contains(&utterance.end));
                    assert_eq!(utterance.pcm[0], f32::from(pcm[start as usize]) / 32768.0);
                    at_pause = true;
                    pauses += 1;
                }
                Heard::Piece { utterance } => {
                    assert!(at_pause && utterance.end - utterance.start >= samples(PIECE_MILLIS));
                    start = utterance.end;
                }
                Heard::Grew { utterance } => assert_eq!(utterance.start, start),
                Heard::Resumed { .. } => at_pause = false,
                Heard::Suspected { .. } | Heard::Faded => {}
            }
        }
        assert!(pauses > 3 && at_pause, "{pauses} pauses");
        Ok(())
    }

    #[test]
    fn speech_after_a_turn_was_taken_begins_anew_and_holds_none_of_the_old() -> Outcome {
        let (mut listener, mut heard) = (listener()?, Vec::new());
        let speech = recording()?;
        listener.push(&speech, &mut heard)?;
        let Some(Heard::Paused { utterance, .. }) = heard.last().cloned() else { return Err("no pause".into()) };
        heard.clear();
        listener.take(utterance.end, &mut heard);
        assert_eq!(heard, [], "nobody speaks");
        listener.push(&speech, &mut heard)?;
        let starts: Vec<u64> = heard
            .iter()
            .filter_map(|h| if let Heard::Started { audio_start, .. } = h { Some(*audio_start) } else { None })
            .collect();
        assert!(starts.len() == 1 && starts[0] >= utterance.end, "{starts:?} after {}", utterance.end);
        Ok(())
    }

    #[test]
    fn somebody_who_went_on_before_the_turn_was_taken_starts_a_new_one() -> Outcome {
        let (mut listener, mut heard) = (listener()?, Vec::new());
        let speech = recording()?;
        let mut taken = None;
        for piece in speech.chunks(WINDOW) {
            listener.push(piece, &mut heard)?;
            let paused = heard
                .iter()
                .find_map(|h| if let Heard::Paused { utterance, .. } = h { Some(utterance.end) } else { None });
            if let (None, Some(end), Some(Heard::Resumed { .. })) = (taken, paused, heard.last()) {
                heard.clear();
                listener.take(end, &mut heard);
                assert_eq!(heard, [Heard::Started { at: end, audio_start: end }]);
                taken = Some(end);
            }
        }
        assert!(taken.is_some());
        Ok(())
    }

    #[test]
    fn a_monologue_comes_in_pieces_that_leave_nothing_out() -> Outcome {
        let (mut listener, mut heard) = (listener()?, Vec::new());
        // Nothing pauses here, so only its length can cut it.
        listener.set_settings(VadSettings { pause_millis: 10_000, ..VadSettings::default() });
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
                Heard::Grew { utterance } | Heard::Paused { utterance, .. } => assert_eq!(Some(utterance.start), at),
                Heard::Suspected { .. } => {}
                other => return Err(format!("{other:?}").into()),
            }
        }
        assert!(pieces >= 4, "{pieces} pieces");
        assert!(heard.iter().any(|event| matches!(event, Heard::Paused { .. })));
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
