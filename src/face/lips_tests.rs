//! What may be asked of the lips: closed where they must be, smooth, in time, and bounded.

use super::*;

/// Phonemes of `millis` each.
fn phonemes(symbols: &str, millis: u64) -> Vec<TimedPhoneme> {
    let tick = u64::from(MEDIA_HZ) * millis / 1000;
    let timed = |(i, ipa): (usize, &str)| TimedPhoneme {
        ipa: ipa.into(),
        start: i as u64 * tick,
        end: (i as u64 + 1) * tick,
        stressed: i % 5 == 1,
    };
    symbols.split(' ').enumerate().map(timed).collect()
}

fn said(symbols: &str, millis: u64) -> Lips {
    let mut lips = Lips::new();
    lips.say(MediaTime::from_millis(1000), &phonemes(symbols, millis), &[]);
    lips
}

#[test]
fn lips_are_closed_at_every_p_b_m_however_fast_and_at_any_frame_phase() {
    for millis in [35, 50, 80, 120] {
        for phase in [0, 10, 20, 30] {
            let symbols = "a m ɑ p o b uː ɛ b iː p a m m a";
            let mut lips = said(symbols, millis);
            for (i, symbol) in symbols.split(' ').enumerate().filter(|(_, s)| ["p", "b", "m"].contains(s)) {
                let start = 1000 + i as u64 * millis;
                assert!(lips.mouth_at(MediaTime::from_millis(start)).is_closed(), "{symbol} at {start} of {millis} ms");
                let frames = (start.saturating_sub(80)..start + 80).filter(|t| t % 40 == phase);
                let shut = frames.filter(|t| lips.mouth_at(MediaTime::from_millis(*t)).is_closed()).count();
                assert!(shut >= 1, "{symbol} of {millis} ms missed by frames at {phase}");
            }
        }
    }
}

#[test]
fn vowels_are_told_apart_between_closures() {
    let at = |symbols: &str| said(symbols, 110).mouth_at(MediaTime::from_millis(1000 + 165 - 40));
    let (aa, ih, ou) = (at("b a b"), at("b i b"), at("b u b"));
    assert!(aa.jaw > 0.6 && aa.open > 0.6, "{aa:?}");
    assert!(ih.width > 0.7 && ih.jaw < 0.4, "{ih:?}");
    assert!(ou.round > 0.7 && ou.width < 0.3, "{ou:?}");
}

#[test]
fn a_picture_every_40_ms_shows_no_jump() {
    let mut lips = said("ð ə k w ɪ k b ɹ aʊ n f ɑː k s dʒ ʌ m p s oʊ v ɚ ð ə l eɪ z i d ɑː ɡ", 75);
    let mut before = lips.mouth_at(MediaTime::ZERO).channels();
    for frame in 1..150 {
        let now = lips.mouth_at(MediaTime::from_millis(frame * 40)).channels();
        for (i, limit) in [0.40, 0.85, 0.35, 0.45, 1.0, 1.0, 0.9, 0.9, 0.6].into_iter().enumerate() {
            assert!((now[i] - before[i]).abs() <= limit, "channel {i} at frame {frame}: {} to {}", before[i], now[i]);
        }
        before = now;
    }
    assert!(lips.mouth_at(MediaTime::from_millis(6000)) == Mouth::REST);
}

#[test]
fn the_mouth_leads_the_sound_and_rests_after_it() {
    let mut lips = said("a", 200);
    assert!(lips.mouth_at(MediaTime::from_millis(880)).open < 0.25);
    assert!(lips.mouth_at(MediaTime::from_millis(980)).open > 0.7);
    assert!(lips.mouth_at(MediaTime::from_millis(1400)).open < 0.05);
}

#[test]
fn a_cut_shuts_the_mouth_within_two_frames_and_leaves_room_for_the_next_answer() {
    for millis in 1000..1400 {
        let mut lips = said("a a a a a a a a", 200);
        lips.cut(MediaTime::from_millis(millis));
        assert!(lips.mouth_at(MediaTime::from_millis(millis + 80)).is_closed(), "cut at {millis}");
    }
    let mut lips = said("a a a a", 200);
    let mut before = lips.mouth_at(MediaTime::from_millis(1200));
    lips.cut(MediaTime::from_millis(1210));
    lips.say(MediaTime::from_millis(1500), &phonemes("o o", 200), &[]);
    for t in [1240, 1280, 1320] {
        let now = lips.mouth_at(MediaTime::from_millis(t));
        assert!(now.open < before.open.max(0.01));
        before = now;
    }
    assert!(lips.mouth_at(MediaTime::from_millis(1600)).round > 0.4);
}

#[test]
fn the_second_picture_after_a_cut_shows_lips_at_rest() {
    // Sound may be cut every 20 ms, pictures are drawn every 40 ms.
    for millis in (1000..1400).step_by(20) {
        let mut lips = said("a uː m eɪ f a", 90);
        lips.cut(MediaTime::from_millis(millis));
        let second = (millis / 40 + 2) * 40;
        assert!(lips.mouth_at(MediaTime::from_millis(second)).is_at_rest(), "cut at {millis}");
        assert!(lips.mouth_at(MediaTime::from_millis(second + 40)).is_at_rest(), "cut at {millis}");
    }
}

#[test]
fn speech_that_goes_on_comes_out_of_a_mouth_at_rest_and_is_what_it_would_have_been() {
    let mut uncut = said("m a f uː t a b o k iː s aɪ n eɪ", 110);
    let phonemes = phonemes("m a f uː t a b o k iː s aɪ n eɪ", 110);
    let (turn, text) = (crate::media::TurnId(1), String::new());
    let speech = Speech { turn, clause: 0, text, pcm: Vec::new(), phonemes, words: Vec::new() };
    let mut lips = said("m a f uː t a b o k iː s aɪ n eɪ", 110);
    lips.cut(MediaTime::from_millis(1240));
    // From within the "a" on, which is heard two seconds later than it was.
    lips.say_from(130 * 48, MediaTime::from_millis(3130), &speech);
    assert!(lips.mouth_at(MediaTime::from_millis(3080)).is_at_rest());
    let opening = [3100, 3120, 3130, 3140].map(|millis| lips.mouth_at(MediaTime::from_millis(millis)).open);
    assert!(opening[0] < 0.2 && opening.is_sorted() && opening[3] > 0.4, "{opening:?}");
    for millis in (3300..4600).step_by(10) {
        let now = lips.mouth_at(MediaTime::from_millis(millis)).channels();
        let then = uncut.mouth_at(MediaTime::from_millis(millis - 2000)).channels();
        assert!(now.iter().zip(then).all(|(now, then)| (now - then).abs() < 0.01), "at {millis}");
    }
}

#[test]
fn what_was_played_is_forgotten_and_what_is_queued_is_bounded() {
    let mut lips = Lips::new();
    for minute in 0..60 {
        lips.say(MediaTime::from_millis(minute * 60_000), &phonemes("a b a b a b a b", 100), &[]);
        lips.mouth_at(MediaTime::from_millis(minute * 60_000 + 30_000));
        assert!(lips.pulls.is_empty());
    }
    for _ in 0..4000 {
        lips.say(MediaTime::ZERO, &phonemes("a b a b a b a b", 100), &[]);
    }
    assert!(lips.pulls.len() <= MAX_GESTURES);
}

#[test]
fn loud_speech_opens_wider_than_soft() {
    let at = |level: i16| {
        let mut lips = Lips::new();
        lips.say(MediaTime::ZERO, &phonemes("a", 200), &vec![level; 9600]);
        lips.mouth_at(MediaTime::from_millis(60)).jaw
    };
    assert!(at(9000) > 1.3 * at(300));
}
