//! However sound is told, the same windows come of it; what is taken back leaves no trace.

use super::*;

/// Two seconds of something like a voice: a buzz that glides and swells.
fn voice(ticks: usize) -> Vec<i16> {
    let mut phase = 0.0f32;
    (0..ticks)
        .map(|n| {
            let t = n as f32 / MEDIA_HZ as f32;
            phase = (phase + (110.0 + 40.0 * (3.0 * t).sin()) / MEDIA_HZ as f32).fract();
            ((phase - 0.5) * 16_000.0 * (0.6 + 0.4 * (9.0 * t).sin())) as i16
        })
        .collect()
}

fn windows(hearing: &Hearing, frames: std::ops::Range<u64>) -> Vec<(Window, bool)> {
    frames
        .map(|frame| {
            let mut window = Window::default();
            let sounds = hearing.window(frame, &mut window);
            (window, sounds)
        })
        .collect()
}

fn told(parts: &[(u64, &[i16])]) -> Hearing {
    let mut hearing = Hearing::default();
    parts.iter().for_each(|(at, pcm)| hearing.tell(MediaTime(*at), pcm).expect("told"));
    hearing
}

/// The greatest difference of any mel. Where the sound was gone through from elsewhere, the resampler's blocks lie
/// elsewhere too, which shows in the last digits.
fn apart(a: &[(Window, bool)], b: &[(Window, bool)]) -> f32 {
    assert_eq!(a.len(), b.len());
    let values = |w: &[(Window, bool)]| w.iter().flat_map(|(w, _)| w.0).collect::<Vec<f32>>();
    assert!(a.iter().zip(b).all(|(a, b)| a.1 == b.1), "rest and speech lie elsewhere");
    values(a).iter().zip(values(b)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn sound_told_in_pieces_is_heard_as_told_at_once() {
    let pcm = voice(96_000);
    let at = 100_000;
    let whole = windows(&told(&[(at, &pcm)]), 0..120);
    assert!(whole.iter().any(|(w, _)| w.values().iter().any(|v| *v > 0.0)), "the voice is heard");
    for cut in [1, 960, 40_000, 95_999] {
        let parts = told(&[(at, &pcm[..cut]), (at + cut as u64, &pcm[cut..])]);
        let apart = apart(&windows(&parts, 0..120), &whole);
        assert!(apart < 0.02, "cut at {cut}: {apart}");
    }
}

#[test]
fn what_is_taken_back_is_not_heard() {
    let pcm = voice(96_000);
    let mut hearing = told(&[(48_000, &pcm)]);
    hearing.tell(MediaTime(72_000), &[]).expect("told");
    let expected = told(&[(48_000, &pcm[..24_000])]);
    assert!(apart(&windows(&hearing, 0..120), &windows(&expected, 0..120)) < 0.02);
    // The cut lies at frame 37.5; what is heard about it counts for 0.3 s more.
    assert!(hearing.sounds(37) && !hearing.sounds(47));
}

#[test]
fn pauses_short_and_long_are_silence() {
    let pcm = voice(24_000);
    for pause in [600, 20_000, 47_000, 49_000, 480_000] {
        let second = 24_000 + pause;
        let hearing = told(&[(0, &pcm), (second, &pcm)]);
        let mut joined = pcm.clone();
        joined.resize(second as usize, 0);
        joined.extend(&pcm);
        let expected = told(&[(0, &joined)]);
        let frames = second / 1920 - 5..second / 1920 + 20;
        let apart = apart(&windows(&hearing, frames.clone()), &windows(&expected, frames));
        assert!(apart < 0.02, "a pause of {pause}: {apart}");
    }
}

#[test]
fn a_window_is_sixteen_steps_from_its_frame_on() {
    // A click at 1 s is heard by the windows that hold it: those that begin up to 0.2 s before and the half window
    // of the mels after.
    let mut pcm = vec![0; 960];
    pcm[0] = 30_000;
    let hearing = told(&[(48_000, &pcm)]);
    let heard: Vec<u64> = (0..60)
        .filter(|frame| {
            let mut window = Window::default();
            hearing.window(*frame, &mut window);
            window.values().iter().any(|v| *v > -3.5)
        })
        .collect();
    // Steps 79, 80 and 81 hold it: frame 20 has the steps 64 to 79, frame 25 those from 80 on.
    assert_eq!(heard, [20, 21, 22, 23, 24, 25]);
    assert!(hearing.sounds(14) && !hearing.sounds(11) && hearing.sounds(30) && !hearing.sounds(34));
}

#[test]
fn the_past_is_forgotten_and_the_rest_unharmed() {
    let pcm = voice(4 * 48_000);
    let mut hearing = told(&[(0, &pcm)]);
    let before = windows(&hearing, 60..110);
    hearing.forget_before(MediaTime(60 * 1920));
    assert!(hearing.sound.len() < 3 * 48_000 + 48_000 / 2);
    assert_eq!(windows(&hearing, 60..110), before);
    hearing.tell(MediaTime(4 * 48_000), &pcm).expect("told");
    assert!(hearing.sounds(150));
    hearing.forget_before(MediaTime(20 * 48_000));
    assert!(hearing.sound.is_empty() && hearing.steps.is_empty());
    hearing.tell(MediaTime(30 * 48_000), &pcm).expect("told");
    assert!(hearing.sounds(760) && !hearing.sounds(700));
}

#[test]
fn no_more_than_a_minute_is_kept() {
    let hearing = told(&[(0, &vec![1000; MOST + 5000])]);
    assert_eq!(hearing.sound.len(), MOST);
}
