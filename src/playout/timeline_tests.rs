//! What may be asked of the timeline, alone and in thousands of random steps.

use super::*;
use crate::media::TimedWord;
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};

fn speech(turn: u64, samples: usize, value: i16) -> Speech {
    Speech {
        turn: TurnId(turn),
        clause: 0,
        text: String::new(),
        pcm: vec![value; samples],
        phonemes: Vec::new(),
        words: Vec::new(),
    }
}

/// A clause of one loudness with words at these samples.
fn words(turn: u64, samples: usize, spans: &[(u64, u64)]) -> Speech {
    let words = spans.iter().map(|&(start, end)| TimedWord { text: 0..0, start, end }).collect();
    Speech { words, ..speech(turn, samples, 8000) }
}

fn step(timeline: &mut Timeline) -> (Due, [i16; AUDIO_FRAME]) {
    let mut frame = [0; AUDIO_FRAME];
    let due = timeline.step(&mut frame);
    (due, frame)
}

fn steps(timeline: &mut Timeline, count: usize) {
    for _ in 0..count {
        step(timeline);
    }
}

fn is_silent(frame: &[i16]) -> bool {
    frame.iter().all(|sample| *sample == 0)
}

#[test]
fn every_step_is_20_ms_and_every_second_one_has_a_picture() {
    let mut timeline = Timeline::default();
    for n in 0..100 {
        let (due, frame) = step(&mut timeline);
        assert_eq!(due, Due { at: MediaTime(n * 960), speaking: None, fading: false, picture: n % 2 == 0 });
        assert!(is_silent(&frame));
    }
}

#[test]
fn clauses_follow_each_other_without_a_gap() {
    let mut timeline = Timeline::default();
    step(&mut timeline);
    assert_eq!(timeline.push(speech(1, 1000, 5)), Some(MediaTime(960)));
    assert_eq!(timeline.push(speech(1, 500, 7)), Some(MediaTime(1960)));
    timeline.finish(TurnId(1));
    let (_, first) = step(&mut timeline);
    let (_, second) = step(&mut timeline);
    let played: Vec<i16> = first.into_iter().chain(second).collect();
    assert!(played[..1000].iter().all(|s| *s == 5) && played[1000..1500].iter().all(|s| *s == 7));
    assert!(is_silent(&played[1500..]));
    let progress = Progress { turn: TurnId(1), played: 1500, ended: true, ..Progress::default() };
    assert_eq!(timeline.progress(), progress);
}

#[test]
fn a_silenced_answer_fades_out_in_one_frame_and_is_never_heard_again() {
    let mut timeline = Timeline::default();
    timeline.push(speech(1, 9600, 8000));
    step(&mut timeline);
    assert!(timeline.silence(TurnId(1)));
    assert!(!timeline.silence(TurnId(1)), "it was silent already");
    assert_eq!(timeline.push(speech(1, 960, 8000)), None);
    assert_eq!(timeline.push(speech(2, 960, 3)), Some(MediaTime(1920)), "after the fade");
    let (due, frame) = step(&mut timeline);
    assert_eq!((due.speaking, due.fading), (None, true));
    assert!(frame[0] > 7900 && frame[959] < 100);
    assert!(frame.windows(2).all(|w| w[1] <= w[0] && w[0] - w[1] < 20), "it falls to zero without a click");
    let (due, frame) = step(&mut timeline);
    assert_eq!((due.at, due.speaking), (MediaTime(1920), Some(TurnId(2))));
    assert!(frame.iter().all(|sample| *sample == 3));
}

#[test]
fn an_answer_ends_only_when_no_more_can_come() {
    let mut timeline = Timeline::default();
    timeline.push(speech(1, 960, 5));
    step(&mut timeline);
    assert!(!timeline.progress().ended, "the voice may be late");
    timeline.finish(TurnId(1));
    step(&mut timeline);
    assert!(timeline.progress().ended);
}

#[test]
fn what_is_held_fades_out_waits_and_goes_on_with_the_word_that_was_cut() {
    let mut timeline = Timeline::default();
    timeline.push(words(1, 9600, &[(500, 3000), (3000, 6000)]));
    timeline.finish(TurnId(1));
    steps(&mut timeline, 4);
    timeline.hold();
    timeline.hold();
    assert_eq!(timeline.progress().played, 3840, "what was heard at the cut");
    let (due, frame) = step(&mut timeline);
    assert_eq!((due.speaking, due.fading), (None, true));
    assert!(frame.windows(2).all(|w| w[1] <= w[0]) && frame[0] > 7900);
    assert_eq!(timeline.push(words(1, 960, &[])), None, "nobody knows when");
    for _ in 0..10 {
        let (due, frame) = step(&mut timeline);
        assert_eq!((due.speaking, due.fading), (None, false));
        assert!(is_silent(&frame));
    }
    assert!(timeline.laid().next().is_none());
    assert_eq!((timeline.progress().played, timeline.progress().held), (3840, true));
    timeline.release();
    timeline.release();
    assert_eq!((timeline.progress().played, timeline.progress().held), (3000, false));
    let laid: Vec<(u64, usize)> = timeline.laid().map(|laid| (laid.at.0, laid.from)).collect();
    assert_eq!(laid, [(15 * 960, 3000), (15 * 960 + 6600, 0)]);
    let (due, frame) = step(&mut timeline);
    assert_eq!((due.speaking, due.fading), (Some(TurnId(1)), false));
    assert!(frame[0] < 10 && frame[..FADE_IN].windows(2).all(|w| w[0] <= w[1] && w[1] - w[0] < 60));
    assert!(frame[FADE_IN..].iter().all(|sample| *sample == 8000));
    steps(&mut timeline, 7);
    assert_eq!((timeline.progress().played, timeline.progress().ended), (10_560, true));
}

#[test]
fn it_goes_on_where_it_was_cut_if_no_word_was_cut_or_hardly() {
    // Held after 3840 samples.
    for (spans, place) in [
        (&[][..], 3840),                       // words unknown
        (&[(4000, 6000)], 3840),               // before the first
        (&[(1000, 3000), (4000, 6000)], 3840), // between two
        (&[(1000, 3840), (3840, 6000)], 3840), // where two meet
        (&[(1000, 3839)], 3840),               // after the last
        (&[(1000, 4799), (4799, 6000)], 4799), // 959 are missing
        (&[(1000, 4800), (4800, 6000)], 1000), // 960 are missing
        (&[(3840, 4000)], 3840),               // a very short one that had not begun
        (&[(3839, 3841)], 3841),               // a very short one
    ] {
        let mut timeline = Timeline::default();
        timeline.push(words(1, 9600, spans));
        steps(&mut timeline, 4);
        timeline.hold();
        step(&mut timeline);
        timeline.release();
        assert_eq!(timeline.progress().played, place, "{spans:?}");
        assert_eq!(timeline.laid().next().map(|laid| laid.from as u64), Some(place), "{spans:?}");
    }
}

#[test]
fn a_clause_that_lacks_hardly_anything_of_its_last_word_is_over() {
    let mut timeline = Timeline::default();
    timeline.push(words(1, 4000, &[(3000, 4000)]));
    timeline.push(words(1, 960, &[]));
    steps(&mut timeline, 4);
    timeline.hold();
    assert_eq!(timeline.progress().played, 4000);
    step(&mut timeline);
    timeline.release();
    let (_, frame) = step(&mut timeline);
    assert!(frame.iter().all(|sample| *sample == 8000), "the next clause begins at full loudness");
}

#[test]
fn what_is_silenced_while_held_is_never_heard_and_later_answers_wait() {
    let mut timeline = Timeline::default();
    timeline.push(speech(1, 9600, 8000));
    step(&mut timeline);
    timeline.hold();
    step(&mut timeline);
    timeline.push(speech(2, 960, 5));
    timeline.silence(TurnId(1));
    for _ in 0..3 {
        let (due, frame) = step(&mut timeline);
        assert!(due.speaking.is_none() && !due.fading && is_silent(&frame));
    }
    assert_eq!((timeline.progress().turn, timeline.progress().played), (TurnId(1), 960));
    timeline.release();
    let (due, frame) = step(&mut timeline);
    assert_eq!(due.speaking, Some(TurnId(2)));
    assert!(frame.iter().all(|sample| *sample == 5));
}

#[test]
fn what_goes_on_and_is_silenced_before_it_was_heard_again_is_not_heard() {
    let mut timeline = Timeline::default();
    timeline.push(speech(1, 9600, 8000));
    step(&mut timeline);
    timeline.hold();
    step(&mut timeline);
    timeline.release();
    timeline.silence(TurnId(1));
    assert!(is_silent(&step(&mut timeline).1));
    timeline.push(speech(2, 960, 8000));
    assert!(step(&mut timeline).1.iter().all(|sample| *sample == 8000), "another answer begins as it is");
}

#[test]
fn held_before_it_began_an_answer_begins_at_the_release() {
    let mut timeline = Timeline::default();
    timeline.release();
    timeline.hold();
    assert_eq!(timeline.push(speech(1, 960, 8000)), None);
    let (due, frame) = step(&mut timeline);
    assert!(due.speaking.is_none() && !due.fading && is_silent(&frame));
    assert_eq!(timeline.progress().turn, TurnId(0));
    timeline.release();
    assert!(step(&mut timeline).1.iter().all(|sample| *sample == 8000), "nothing was cut that should fade in");
}

/// An answer of the random test as it was sent, and what was heard of it.
#[derive(Default)]
struct Answer {
    pcm: Vec<i16>,
    words: Vec<(usize, usize)>,
    /// How often each sample was heard whole.
    heard: Vec<u8>,
    /// Samples that were heard fading out and not taken up again.
    faded: Vec<bool>,
    silenced: bool,
    finished: bool,
}

impl Answer {
    /// A clause with words at random places, gaps before, between and after them, none of its samples near zero.
    fn clause(&mut self, turn: usize, random: &mut impl Rng) -> Speech {
        let (base, length) = (self.pcm.len(), random.random_range(1..9000));
        let mut words = Vec::new();
        let mut at = random.random_range(0..2000);
        while random.random_bool(0.8) && at < length {
            let end = (at + random.random_range(1..4000)).min(length);
            words.push(TimedWord { text: 0..0, start: at as u64, end: end as u64 });
            self.words.push((base + at, base + end));
            at = end + if random.random_bool(0.5) { 0 } else { random.random_range(0..1500) };
        }
        let pcm: Vec<i16> = (0..length).map(|_| random.random_range(10_000..30_000)).collect();
        self.pcm.extend(&pcm);
        self.heard.resize(self.pcm.len(), 0);
        self.faded.resize(self.pcm.len(), false);
        Speech { pcm, words, ..speech(turn as u64, 0, 0) }
    }

    /// The word of which `place` lies inside.
    fn cut_word(&self, place: usize) -> Option<(usize, usize)> {
        self.words.iter().copied().find(|(start, end)| *start < place && place < *end)
    }
}

/// Steps a timeline at random and follows what comes out of it, sample for sample, by what was sent.
struct Run {
    timeline: Timeline,
    /// Index is the turn; none has the number 0.
    answers: Vec<Answer>,
    /// The answer that sounded last, and how far.
    turn: usize,
    place: usize,
    /// Where it goes on after a cut, once it was released.
    fade_in: bool,
    /// Something may fade out in the next frame.
    stopped: bool,
    frames: u64,
}

impl Run {
    fn hold(&mut self) {
        let held = self.timeline.progress().held;
        self.timeline.hold();
        self.stopped = true;
        let played = self.timeline.progress().played as usize;
        if !held && played != self.place {
            let word = self.answers[self.turn].cut_word(self.place).expect("only a word's end counts as heard");
            assert_eq!(played, word.1);
            assert!(word.1 - self.place < AUDIO_FRAME);
        }
    }

    fn release(&mut self) {
        let before = self.timeline.progress();
        self.timeline.release();
        let played = self.timeline.progress().played as usize;
        if !before.held {
            return assert_eq!(self.timeline.progress(), before);
        }
        let answer = &self.answers[self.turn];
        if !answer.silenced {
            let place = before.played as usize;
            assert_eq!(played, answer.cut_word(place).map_or(place, |word| word.0));
            self.fade_in = true;
        }
    }

    fn silence(&mut self, up_to: usize) {
        self.timeline.silence(TurnId(up_to as u64));
        self.stopped = true;
        self.answers[..=up_to].iter_mut().for_each(|answer| answer.silenced = true);
    }

    /// One frame: it must be the very sound that [`Progress::played`] says.
    fn step(&mut self) {
        let before = self.timeline.progress();
        let expected = self.timeline.laid().next().map(|laid| (laid.at, laid.speech.turn));
        let (due, frame) = step(&mut self.timeline);
        let now = self.timeline.progress();
        assert_eq!(due.at, MediaTime(self.frames * 960));
        assert_eq!(due.picture, self.frames.is_multiple_of(2), "pictures are those of this very sound");
        self.frames += 1;
        let answer = &self.answers[now.turn.0 as usize];
        let complete = answer.finished && now.played as usize == answer.pcm.len();
        assert!(!now.ended || complete || answer.silenced || now.turn == TurnId(0));
        assert!(std::mem::take(&mut self.stopped) || !due.fading);
        match expected {
            Some((at, turn)) if at == due.at => assert!(due.speaking >= Some(turn)),
            _ => assert!(due.speaking.is_none() && now == Progress { ended: now.ended, ..before }),
        }
        let Some(turn) = due.speaking else {
            if due.fading {
                self.faded(&frame, now.played as usize);
            } else {
                assert!(is_silent(&frame));
            }
            return;
        };
        assert!(TurnId(self.turn as u64) <= turn && now.turn == turn);
        let used = frame.iter().rposition(|sample| *sample != 0).map_or(0, |last| last + 1);
        let mut rest = &frame[..used];
        if turn.0 as usize != self.turn {
            // The frame may hold the end of the answer before, which then is complete.
            let length = used - now.played as usize;
            if length > 0 {
                self.heard(self.answers[self.turn].pcm.len() - length, &rest[..length]);
                rest = &rest[length..];
            }
            // What had gone on but ended silent has nothing to fade in.
            (self.turn, self.fade_in) = (turn.0 as usize, false);
        }
        self.heard(now.played as usize - rest.len(), rest);
    }

    fn heard(&mut self, place: usize, sound: &[i16]) {
        let answer = &mut self.answers[self.turn];
        assert!(!answer.silenced);
        let ramp = if std::mem::take(&mut self.fade_in) { FADE_IN.min(sound.len()) } else { 0 };
        let sent = &answer.pcm[place..place + sound.len()];
        let quieter = sound.iter().zip(sent).take(ramp).all(|(heard, sent)| heard <= sent);
        assert!(sound[ramp..] == sent[ramp..] && quieter);
        answer.heard[place..place + sound.len()].iter_mut().for_each(|count| *count += 1);
        self.place = place + sound.len();
    }

    /// `counted` is how far the sound counts as heard.
    fn faded(&mut self, frame: &[i16], counted: usize) {
        let answer = &mut self.answers[self.turn];
        let sent = &answer.pcm[self.place..];
        let mut before = 1.0;
        for (heard, sent) in frame.iter().zip(sent).take_while(|(heard, _)| **heard != 0) {
            let gain = f64::from(*heard) / f64::from(*sent);
            assert!(gain <= before + 1e-3);
            before = gain;
        }
        assert!(frame[AUDIO_FRAME - 5..].iter().all(|sample| *sample < 10));
        if counted > self.place {
            answer.faded[self.place..counted].fill(true);
            self.place = counted;
        }
    }
}

#[test]
fn thousands_of_random_steps_lose_and_repeat_nothing_but_cut_words() {
    let mut random = StdRng::seed_from_u64(11);
    let (mut cuts, mut whole_answers) = (0, 0);
    for _ in 0..60 {
        let mut run = Run {
            timeline: Timeline::default(),
            answers: vec![Answer::default(), Answer::default()],
            turn: 0,
            place: 0,
            fade_in: false,
            stopped: false,
            frames: 0,
        };
        for _ in 0..1500 {
            let newest = run.answers.len() - 1;
            match random.random_range(0..120) {
                0..6 if !run.answers[newest].finished => {
                    let clause = run.answers[newest].clause(newest, &mut random);
                    run.timeline.push(clause);
                }
                6 => {
                    run.timeline.finish(TurnId(newest as u64));
                    run.answers[newest].finished = true;
                    run.answers.push(Answer::default());
                }
                7 if random.random_bool(0.3) => {
                    let up_to = random.random_range(0..=newest);
                    run.silence(up_to);
                    if up_to == newest {
                        // What the voice still makes of it comes too late.
                        let late = Answer::default().clause(newest, &mut random);
                        assert_eq!(run.timeline.push(late), None);
                        run.answers.push(Answer::default());
                    }
                }
                8..14 => run.hold(),
                14..24 => run.release(),
                _ => {}
            }
            run.step();
        }
        run.release();
        while run.timeline.laid().next().is_some() {
            run.step();
        }
        for answer in run.answers.iter().filter(|answer| !answer.silenced) {
            let in_word = |place: usize| answer.words.iter().any(|(start, end)| (*start..*end).contains(&place));
            for place in 0..answer.pcm.len() {
                let heard = answer.heard[place] + u8::from(answer.faded[place]);
                assert!(if in_word(place) { heard >= 1 } else { heard == 1 }, "sample {place} was heard {heard} times");
            }
            for (start, end) in &answer.words {
                // In part some times, from its beginning each time, and once to its end.
                let counts: Vec<u8> =
                    (*start..*end).map(|place| answer.heard[place] + u8::from(answer.faded[place])).collect();
                assert!(counts.is_sorted_by(|a, b| a >= b) && counts.last() == Some(&1), "{counts:?}");
                cuts += counts[0] - 1;
            }
            whole_answers += usize::from(!answer.words.is_empty());
        }
        if !run.answers[run.turn].silenced && run.answers[run.turn].finished {
            assert!(run.timeline.progress().ended);
        }
    }
    assert!(cuts > 50 && whole_answers > 100, "{cuts} words cut, {whole_answers} answers");
}
