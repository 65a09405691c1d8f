//! One long call, minute by minute: whether sound and picture stay together, on the clock of the sender reports and at
//! arrival.

use std::fmt;

use visavis::media::MEDIA_HZ;

use super::call::Received;
use super::clocks::Clocks;
use super::lag::lag;
use super::line::Line;
use super::shift::shift;
use super::voices::Language;
use crate::statistics::percentile;

/// What was measured in one minute of the call with one text.
#[derive(Clone, Debug)]
pub struct Minute {
    pub minute: usize,
    pub line: Line,
    /// By which pictures are late, by the voice's own times: the voice's error about itself is the same in every
    /// minute, and taken off at the end.
    pub late_ms: Option<f64>,
    /// How far the reports of the two tracks name different instants, against the first minute, in milliseconds.
    pub reports: Option<(u32, Clocks)>,
    /// How much later than the sound of the same instant a picture arrives, in milliseconds.
    pub arrives_late_ms: f64,
    pub pictures: usize,
    pub lost: u32,
    pub jumps: u32,
}

impl Minute {
    pub fn of(minute: usize, line: Line, received: &Received) -> Self {
        let late_ms = shift(&line, 0.0).map(|shift| shift.late_ms);
        let last = received.pictures.iter().rev().find_map(|seen| Some((seen.rtp, seen.clocks?)));
        Self {
            minute,
            late_ms,
            reports: last,
            arrives_late_ms: percentile(arrivals(received), 50),
            pictures: received.pictures.len(),
            lost: received.sound.lost,
            jumps: received.sound.jumps,
            line,
        }
    }
}

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let late = self.late_ms.map_or_else(|| "nothing fits".to_owned(), |late| format!("late by {late:+.1} ms"));
        write!(
            f,
            "minute {}, {}: {late}, arrives {:+.1} ms after its sound, {} pictures, {} packets lost, {} jumps",
            self.minute,
            self.line.language.name(),
            self.arrives_late_ms,
            self.pictures,
            self.lost,
            self.jumps
        )
    }
}

/// For each picture, milliseconds from the arrival of the sound packet in which it is to be seen to its own.
pub fn arrivals(received: &Received) -> Vec<f64> {
    let sound = &received.sound;
    let pictures = received.pictures.iter().filter_map(|seen| {
        let ticks = seen.clocks?.sound_ticks(seen.rtp, sound.origin);
        let packets = sound.arrivals.iter().map(|(rtp, at)| (f64::from(rtp.wrapping_sub(sound.origin) as i32), at));
        let (_, at) = packets.filter(|(rtp, _)| *rtp <= ticks + 0.5).max_by(|a, b| a.0.total_cmp(&b.0))?;
        let later = seen.arrived.saturating_duration_since(*at).as_secs_f64();
        let earlier = at.saturating_duration_since(seen.arrived).as_secs_f64();
        Some((later - earlier) * 1000.0)
    });
    pictures.collect()
}

/// Milliseconds by which the reports of two tracks disagree with those of `first` about a picture.
fn disagreement(first: &(u32, Clocks), now: &(u32, Clocks)) -> f64 {
    // The same picture placed by the one and by the other; what lies between is an hour at most, and wraps are near.
    let origin = now.1.sound.rtp;
    (now.1.sound_ticks(now.0, origin) - first.1.sound_ticks(now.0, origin)) * 1000.0 / f64::from(MEDIA_HZ)
}

/// Prints the call by thirds, then what drifted.
pub fn print(all: &[Minute]) {
    let Some(first) = all.iter().find_map(|minute| minute.reports) else { return };
    let last = all.iter().map(|minute| minute.minute).max().unwrap_or(0);
    let lags: Vec<(Language, f64)> = Language::ALL
        .into_iter()
        .map(|language| {
            let lines: Vec<&Line> =
                all.iter().map(|minute| &minute.line).filter(|line| line.language == language).collect();
            (language, lag(&lines))
        })
        .collect();
    let late = |minute: &Minute| {
        let (_, lag) = lags.iter().find(|(language, _)| *language == minute.line.language)?;
        // Sound that comes before its time makes pictures later against it.
        Some(minute.late_ms? - lag * 1000.0)
    };
    println!(
        "| one call of {last} minutes | pictures late by, mean | spread (sigma) | texts | arrive after their sound, p50 | reports of the tracks apart |"
    );
    println!("|---|---:|---:|---:|---:|---:|");
    let thirds = [("beginning", 0, last / 3), ("middle", last / 3, 2 * last / 3), ("end", 2 * last / 3, last + 1)];
    let mut means = Vec::new();
    for (name, from, to) in thirds.into_iter().chain([("all of it", 0, last + 1)]) {
        let part: Vec<&Minute> = all.iter().filter(|minute| (from..to).contains(&minute.minute)).collect();
        let lates: Vec<f64> = part.iter().filter_map(|minute| late(minute)).collect();
        let (mean, sigma) = mean_and_sigma(&lates);
        let apart = part.iter().filter_map(|minute| Some(disagreement(&first, minute.reports.as_ref()?).abs()));
        let apart = apart.fold(0.0, f64::max);
        let arrive = percentile(part.iter().map(|minute| minute.arrives_late_ms).collect(), 50);
        println!("| {name} | {mean:+.1} ms | {sigma:.1} ms | {} | {arrive:+.1} ms | {apart:.2} ms |", lates.len());
        means.push(mean);
    }
    let points: Vec<(f64, f64)> = all.iter().filter_map(|minute| Some((minute.minute as f64, late(minute)?))).collect();
    println!(
        "\nFrom beginning to end {:+.1} ms; by the line through all texts {:+.1} ms an hour.",
        means[2] - means[0],
        60.0 * slope(&points)
    );
    let (pictures, lost, jumps) = all.iter().fold((0, 0, 0), |(pictures, lost, jumps), minute| {
        (pictures + minute.pictures, lost + minute.lost, jumps + minute.jumps)
    });
    println!("{pictures} pictures while it spoke; {lost} sound packets lost, {jumps} jumps of the sound's time.");
}

pub fn mean_and_sigma(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let square = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() as f64 - 1.0).max(1.0);
    (mean, square.sqrt())
}

/// Of the line through the points (least squares).
fn slope(points: &[(f64, f64)]) -> f64 {
    let (x, _) = mean_and_sigma(&points.iter().map(|point| point.0).collect::<Vec<_>>());
    let (y, _) = mean_and_sigma(&points.iter().map(|point| point.1).collect::<Vec<_>>());
    let sums = points
        .iter()
        .fold((0.0, 0.0), |(xy, xx), point| (xy + (point.0 - x) * (point.1 - y), xx + (point.0 - x).powi(2)));
    sums.0 / sums.1
}

#[cfg(test)]
mod tests {
    use visavis::peer::SenderTime;

    use super::*;

    #[test]
    fn a_line_rises_as_it_does() {
        assert!((slope(&[(0.0, 1.0), (10.0, 6.0), (20.0, 11.0)]) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn reports_that_drift_apart_are_seen() {
        let clocks = |seconds: u32, drift: u32| Clocks {
            sound: SenderTime { clock_rate: 48_000, ntp: u64::from(seconds) << 32, rtp: seconds.wrapping_mul(48_000) },
            picture: SenderTime {
                clock_rate: 90_000,
                ntp: u64::from(seconds) << 32,
                rtp: seconds.wrapping_mul(90_000) + drift,
            },
        };
        let first = (90_000, clocks(1, 0));
        assert!(disagreement(&first, &(3_600 * 90_000, clocks(3_600, 0))).abs() < 0.01);
        let off = disagreement(&first, &(3_600 * 90_000, clocks(3_600, 900)));
        assert!((off + 10.0).abs() < 0.01, "{off}");
    }
}
