//! The speech gate: probabilities of a voice detector become beginnings, pauses and resumptions of speech.
//!
//! PURE state machine without a clock: it is given one probability for each window of [`WINDOW`] samples and counts
//! samples itself. silence -> voice seen -> (`onset_millis`) suspected -> (`start_millis`) speech -> silence seen ->
//! (`pause_millis`) pause. It does not know when a turn is over: a pause lasts until there is voice again or
//! [`SpeechGate::take`]. A window counts as voice at `threshold` and goes on counting down to `threshold - LEAVE`,
//! so that a syllable's edge does not flutter.

use serde::{Deserialize, Serialize};

use crate::media::HEARING_HZ;

/// Samples (16 kHz) that one probability stands for.
pub const WINDOW: usize = 512;
/// How far below the threshold voice may sink and still be voice.
pub const LEAVE: f32 = 0.15;
/// The detector goes on saying voice for about 100 ms after the last sound above -30 dB of the loudest (seen on 60
/// recordings: 84 to 106 ms); a little less is taken off, so that no end is put before its sound's.
const HANGOVER_MILLIS: u32 = 80;
/// A dip of this length does not undo speech that is about to be confirmed: the closure of a stop consonant.
const DIP_MILLIS: u32 = 100;

/// Samples at the hearing rate in `millis`.
pub const fn samples(millis: u32) -> u64 {
    millis as u64 * HEARING_HZ as u64 / 1000
}

/// When speech begins and ends. Times are milliseconds, probabilities 0..1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VadSettings {
    /// Probability from which a window is voice.
    pub threshold: f32,
    /// Voice for which an answer falls silent, before it is known whether it is speech.
    pub onset_millis: u32,
    /// Voice that confirms the beginning of speech.
    pub start_millis: u32,
    /// Silence after which transcription begins, before it is known whether the turn is over.
    pub pause_millis: u32,
    /// Sound kept from before the first voice, so that the first word is whole.
    pub prefix_padding_millis: u32,
}

impl Default for VadSettings {
    fn default() -> Self {
        Self { threshold: 0.5, onset_millis: 64, start_millis: 160, pause_millis: 112, prefix_padding_millis: 300 }
    }
}

impl VadSettings {
    /// Says which value is out of range, if one is.
    pub fn validate(&self) -> Result<(), String> {
        // Also false for NaN.
        if !(0.0..=1.0).contains(&self.threshold) {
            return Err(format!("threshold must be between 0 and 1, not {}", self.threshold));
        }
        for (name, millis, most) in [
            ("onset_millis", self.onset_millis, self.start_millis),
            ("start_millis", self.start_millis, 2_000),
            ("pause_millis", self.pause_millis, 10_000),
            ("prefix_padding_millis", self.prefix_padding_millis, 2_000),
        ] {
            if millis > most {
                return Err(format!("{name} must be at most {most}, not {millis}"));
            }
        }
        Ok(())
    }

    fn leave(&self) -> f32 {
        // A very low threshold still needs a way out of speech.
        (self.threshold - LEAVE).max(self.threshold / 2.0)
    }
}

/// What became of the voice. Positions are 16 kHz samples since the call began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpeechEvent {
    /// `onset_millis` of voice from `at` on.
    Suspected { at: u64 },
    /// What was suspected ended before it was speech.
    Faded,
    /// Speech is confirmed; its first voiced window began at `at`.
    Started { at: u64 },
    /// `pause_millis` of silence; the voice ended at `at`.
    Paused { at: u64 },
    /// Voice again after a pause, from `at` on.
    Resumed { at: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Silence,
    /// Voice since `since`, of which `voiced` samples are voice, the last one ending at `last`.
    Rising {
        since: u64,
        voiced: u64,
        last: u64,
        suspected: bool,
    },
    Speech,
    /// Silent since `since`; `paused` once that was said.
    Falling {
        since: u64,
        paused: bool,
    },
}

/// See the module's text.
#[derive(Clone, Debug)]
pub struct SpeechGate {
    settings: VadSettings,
    state: State,
    position: u64,
}

impl SpeechGate {
    pub fn new(settings: VadSettings) -> Self {
        Self { settings, state: State::Silence, position: 0 }
    }

    pub fn settings(&self) -> &VadSettings {
        &self.settings
    }

    /// Takes effect from the next window on, also in the middle of speech.
    pub fn set_settings(&mut self, settings: VadSettings) {
        self.settings = settings;
    }

    /// Speech has started and was not taken.
    pub fn is_speech(&self) -> bool {
        matches!(self.state, State::Speech | State::Falling { .. })
    }

    /// There is voice at this moment, and it is speech.
    pub fn is_voiced(&self) -> bool {
        matches!(self.state, State::Speech)
    }

    /// What was said is dealt with; voice after it is new speech.
    pub fn take(&mut self) {
        if let State::Falling { .. } = self.state {
            self.state = State::Silence;
        }
    }

    /// Forgets what was heard, without an event; the next window begins at `position`.
    pub fn reset(&mut self, position: u64) {
        self.state = State::Silence;
        self.position = position;
    }

    /// Lets a window pass that nobody judged.
    pub fn skip(&mut self) {
        self.position += WINDOW as u64;
    }

    /// Takes the next window's probability of being speech. A voice that is `vetoed` is not the person's: it begins
    /// no speech. Speech that has begun is theirs until they are silent.
    pub fn push(&mut self, probability: f32, vetoed: bool) -> Option<SpeechEvent> {
        let start = self.position;
        let end = start + WINDOW as u64;
        self.position = end;
        let theirs = self.is_speech() || !vetoed;
        let enters = theirs && probability >= self.settings.threshold;
        let stays = theirs && probability >= self.settings.leave();

        match self.state {
            State::Silence if enters => self.rise(start, WINDOW as u64, end, false),
            State::Silence => None,
            State::Rising { since, voiced, suspected, .. } if stays => {
                self.rise(since, voiced + WINDOW as u64, end, suspected)
            }
            State::Rising { last, .. } if end - last <= samples(DIP_MILLIS) => None,
            State::Rising { suspected, .. } => {
                self.state = State::Silence;
                suspected.then_some(SpeechEvent::Faded)
            }
            State::Speech if stays => None,
            State::Speech => self.fall(start, false, end),
            State::Falling { paused, .. } if enters => {
                self.state = State::Speech;
                paused.then_some(SpeechEvent::Resumed { at: start })
            }
            State::Falling { since, paused } => self.fall(since, paused, end),
        }
    }

    fn rise(&mut self, since: u64, voiced: u64, end: u64, suspected: bool) -> Option<SpeechEvent> {
        if voiced >= samples(self.settings.start_millis) {
            self.state = State::Speech;
            return Some(SpeechEvent::Started { at: since });
        }
        let suspect = !suspected && voiced >= samples(self.settings.onset_millis);
        self.state = State::Rising { since, voiced, last: end, suspected: suspected || suspect };
        suspect.then_some(SpeechEvent::Suspected { at: since })
    }

    fn fall(&mut self, since: u64, paused: bool, end: u64) -> Option<SpeechEvent> {
        let at = since.saturating_sub(samples(HANGOVER_MILLIS));
        let pauses = !paused && end - at >= samples(self.settings.pause_millis);
        self.state = State::Falling { since, paused: paused || pauses };
        pauses.then_some(SpeechEvent::Paused { at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `(probability, windows)` runs and returns each event with the window after which it came.
    fn run(settings: VadSettings, runs: &[(f32, usize)]) -> Vec<(usize, SpeechEvent)> {
        let mut gate = SpeechGate::new(settings);
        let windows = runs.iter().flat_map(|&(probability, count)| std::iter::repeat_n(probability, count));
        windows.enumerate().filter_map(|(index, p)| gate.push(p, false).map(|event| (index + 1, event))).collect()
    }

    const W: u64 = WINDOW as u64;
    const LAG: u64 = samples(HANGOVER_MILLIS);

    #[test]
    fn voice_is_suspected_after_64_ms_confirmed_after_160_and_pauses_after_112() {
        let events = run(VadSettings::default(), &[(0.0, 10), (0.9, 20), (0.0, 300)]);
        assert_eq!(
            events,
            [
                (12, SpeechEvent::Suspected { at: 10 * W }),
                (15, SpeechEvent::Started { at: 10 * W }),
                (31, SpeechEvent::Paused { at: 30 * W - LAG }),
            ]
        );
    }

    #[test]
    fn a_click_is_nothing_and_a_cough_fades() {
        assert_eq!(run(VadSettings::default(), &[(0.9, 1), (0.0, 5), (0.9, 1), (0.0, 40)]), []);
        let events = run(VadSettings::default(), &[(0.9, 3), (0.0, 40)]);
        assert_eq!(events, [(2, SpeechEvent::Suspected { at: 0 }), (7, SpeechEvent::Faded)]);
    }

    #[test]
    fn a_stop_consonant_does_not_delay_the_beginning() {
        let events = run(VadSettings::default(), &[(0.9, 3), (0.1, 2), (0.9, 2)]);
        assert_eq!(events.last(), Some(&(7, SpeechEvent::Started { at: 0 })));
    }

    #[test]
    fn a_pause_that_ends_is_resumed_once_and_a_short_one_is_not_told() {
        let settings = VadSettings { pause_millis: 150, ..VadSettings::default() };
        let events = run(settings, &[(0.9, 10), (0.0, 2), (0.9, 5), (0.0, 8), (0.9, 2)]);
        assert_eq!(
            events[2..],
            [(20, SpeechEvent::Paused { at: 17 * W - LAG }), (26, SpeechEvent::Resumed { at: 25 * W })]
        );
    }

    #[test]
    fn voice_after_a_turn_was_taken_is_new_speech() {
        let mut gate = SpeechGate::new(VadSettings::default());
        let mut events = Vec::new();
        for (probability, windows) in [(0.9, 10), (0.0, 10)] {
            events.extend((0..windows).filter_map(|_| gate.push(probability, false)));
        }
        gate.take();
        assert!(!gate.is_speech());
        events.extend((0..5).filter_map(|_| gate.push(0.9, false)));
        assert_eq!(events.last(), Some(&SpeechEvent::Started { at: 20 * W }));
        gate.take();
        assert!(gate.is_voiced(), "somebody who speaks cannot be silenced");
    }

    #[test]
    fn voice_just_below_the_threshold_keeps_speech_but_does_not_begin_it() {
        assert_eq!(run(VadSettings::default(), &[(0.4, 100)]), []);
        assert_eq!(run(VadSettings::default(), &[(0.9, 8), (0.4, 100)]).len(), 2);
        // Once silence is seen, the edge of a breath does not undo it.
        let events = run(VadSettings::default(), &[(0.9, 8), (0.1, 1), (0.4, 100)]);
        assert_eq!(events.last(), Some(&(9, SpeechEvent::Paused { at: 8 * W - LAG })));
    }

    #[test]
    fn settings_change_in_the_middle_of_speech() {
        let mut gate = SpeechGate::new(VadSettings::default());
        for _ in 0..20 {
            gate.push(0.9, false);
        }
        gate.set_settings(VadSettings { pause_millis: 1000, ..VadSettings::default() });
        let silent: Vec<_> = (1..=40).filter_map(|n| gate.push(0.0, false).map(|event| (n, event))).collect();
        assert_eq!(silent, [(29, SpeechEvent::Paused { at: 20 * W - LAG })]);
        gate.take();
        gate.set_settings(VadSettings { threshold: 0.95, ..VadSettings::default() });
        assert_eq!((0..20).find_map(|_| gate.push(0.9, false)), None);
    }

    #[test]
    fn a_voice_that_is_not_the_persons_begins_nothing_and_ends_nothing() {
        let mut gate = SpeechGate::new(VadSettings::default());
        assert_eq!((0..50).find_map(|_| gate.push(0.9, true)), None);
        let events: Vec<_> = (0..5).filter_map(|_| gate.push(0.9, false)).collect();
        assert_eq!(events.last(), Some(&SpeechEvent::Started { at: 50 * W }));
        assert_eq!((0..50).find_map(|_| gate.push(0.9, true)), None, "it goes on");
    }

    #[test]
    fn a_setting_out_of_range_is_named() {
        let settings = VadSettings { threshold: f32::NAN, ..VadSettings::default() };
        assert!(settings.validate().is_err_and(|reason| reason.contains("threshold")));
        let settings = VadSettings { pause_millis: 60_000, ..VadSettings::default() };
        assert!(settings.validate().is_err_and(|reason| reason.contains("pause_millis")));
        let settings = VadSettings { onset_millis: 200, ..VadSettings::default() };
        assert!(settings.validate().is_err_and(|reason| reason.contains("onset_millis")));
        assert_eq!(VadSettings::default().validate(), Ok(()));
    }
}
