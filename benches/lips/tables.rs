//! What was measured, as tables.

use super::call::Received;
use super::closures::{Closure, LEAD, by_chance, closed_in_vowels, closures};
use super::drift::{arrivals, mean_and_sigma};
use super::follows::{Point, each_vowel, fit, pictures};
use super::lag::lag;
use super::line::{Line, place};
use super::shift::shift;
use super::voices::{Language, Voices};
use crate::statistics::percentile;

/// Moments of each language that are shown.
const SHOWN: usize = 8;

/// Milliseconds by which beginnings of p, b and m that were found in another rendition of a text are off; the other
/// rendition tells its own times.
pub fn found_again<'a>(
    voices: &mut Voices,
    language: Language,
    texts: impl Iterator<Item = &'a str>,
) -> anyhow::Result<Vec<f64>> {
    let mut off = Vec::new();
    for text in texts {
        let (one, other) = (voices.say(language, text)?, voices.say(language, text)?);
        let (placed, _) = place(&one, &other.pcm)?;
        for (found, truth) in placed.iter().zip(&other.phonemes) {
            if found.ipa == truth.ipa && found.ipa.starts_with(['p', 'b', 'm']) {
                off.push((found.start as f64 - truth.start as f64).abs() / 48.0);
            }
        }
    }
    Ok(off)
}

/// Of each language the seconds from the voice's times to its sound.
fn lags(lines: &[(Line, Received)]) -> impl Fn(Language) -> f64 {
    let of = |language: Language| {
        let lines: Vec<&Line> = lines.iter().map(|(line, _)| line).filter(|line| line.language == language).collect();
        lag(&lines)
    };
    let found = Language::ALL.map(|language| (language, of(language)));
    move |wanted| found.iter().find(|(language, _)| *language == wanted).map_or(0.0, |(_, lag)| *lag)
}

fn all_closures(lines: &[(Line, Received)]) -> Vec<Closure> {
    let lag = lags(lines);
    let each = lines.iter().enumerate();
    each.flat_map(|(index, (line, _))| closures(index, line, lag(line.language))).collect()
}

/// p, b and m of each language, spread over its texts.
pub fn to_be_shown(lines: &[(Line, Received)]) -> Vec<Closure> {
    let all = all_closures(lines);
    let mut shown = Vec::new();
    for language in Language::ALL {
        let of: Vec<&Closure> = all.iter().filter(|one| lines[one.line].0.language == language).collect();
        let step = (of.len() / SHOWN).max(1);
        shown.extend(of.into_iter().step_by(step).take(SHOWN).cloned());
    }
    shown
}

pub fn print(lines: &[(Line, Received)], found: &[(Language, Vec<f64>)]) {
    let lag = lags(lines);
    let all = all_closures(lines);
    let of = |language: Language| all.iter().filter(move |one| lines[one.line].0.language == language);
    let of_lines =
        |language: Language| lines.iter().map(|(line, _)| line).filter(move |line| line.language == language);

    println!("| lips closed within 40 ms of p, b, m | all | p | b | m | by the dip in the sound | by chance |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for language in Language::ALL {
        let share = |met: usize, of: usize| match of {
            0 => "-".to_owned(),
            _ => format!("{:.1} % of {of}", 100.0 * met as f64 / of as f64),
        };
        let letter = |letters: &[char]| {
            let some: Vec<&Closure> = of(language).filter(|one| letters.contains(&one.letter)).collect();
            share(some.iter().filter(|one| one.met).count(), some.len())
        };
        let dips: Vec<bool> = of(language).filter_map(|one| Some(one.dip?.met)).collect();
        let chance = lines.iter().enumerate().filter(|(_, (line, _))| line.language == language).fold(
            (0, 0),
            |(met, counted), (index, (line, _))| {
                let own: Vec<Closure> = all.iter().filter(|one| one.line == index).cloned().collect();
                let (more, of) = by_chance(line, &own);
                (met + more, counted + of)
            },
        );
        println!(
            "| {} | **{}** | {} | {} | {} | {} | {} |",
            language.name(),
            letter(&['p', 'b', 'm']),
            letter(&['p']),
            letter(&['b']),
            letter(&['m']),
            share(dips.iter().filter(|met| **met).count(), dips.len()),
            share(chance.0, chance.1)
        );
    }

    println!("\n| milliseconds | p5 | p50 | p95 | of |\n|---|---:|---:|---:|---:|");
    let row = |name: String, values: Vec<f64>| {
        let cell = |percent| format!("{:+.0}", percentile(values.clone(), percent));
        println!("| {name} | {} | {} | {} | {} |", cell(5), cell(50), cell(95), values.len());
    };
    for language in Language::ALL {
        let name = language.name();
        row(
            format!("{name}: first picture with closed lips, from the phoneme's start"),
            of(language).filter_map(|one| Some(one.first_closed? * 1000.0)).collect(),
        );
        row(
            format!("{name}: the dip's start, from the phoneme's start"),
            of(language).filter_map(|one| Some((one.dip?.start - one.start) * 1000.0)).collect(),
        );
    }
    println!();
    for language in Language::ALL {
        let (closed, vowels) = of_lines(language).fold((0, 0), |(closed, vowels), line| {
            let (more, of) = closed_in_vowels(line, lag(language));
            (closed + more, vowels + of)
        });
        println!("{}: lips closed in the middle of {closed} of {vowels} vowels.", language.name());
    }

    println!("\n| opening goes with | loudness | what is said | **both** | of |\n|---|---:|---:|---:|---:|");
    for language in Language::ALL {
        let row = |name: &str, points: &dyn Fn(&Line) -> Vec<Point>| {
            // Lips do not care whose line it is: all are taken together.
            let points: Vec<Point> = of_lines(language).flat_map(points).collect();
            let fit = fit(&points);
            println!(
                "| {}, {name} | {:.2} | {:.2} | **{:.2}** | {} |",
                language.name(),
                fit.loudness,
                fit.openness,
                fit.both,
                fit.points
            );
        };
        row("pictures while it speaks", &|line| pictures(line, lag(language)));
        row("pictures of vowels", &|line| {
            pictures(line, lag(language)).into_iter().filter(|point| point.vowel).collect()
        });
        row("vowels, the widest of each", &|line| each_vowel(line, lag(language)));
    }

    println!(
        "\n| sound and picture | late by the sound, mean | sigma | by the voice's times | fit | arrives after its sound, p50 | p95 | texts |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    for language in Language::ALL {
        let some: Vec<&(Line, Received)> = lines.iter().filter(|(line, _)| line.language == language).collect();
        let late = |lag: f64| some.iter().filter_map(|(line, _)| shift(line, lag)).collect::<Vec<_>>();
        let (by_sound, by_voice) = (late(lag(language)), late(0.0));
        let millis = |shifts: &[super::shift::Shift]| shifts.iter().map(|shift| shift.late_ms).collect::<Vec<f64>>();
        let (mean, sigma) = mean_and_sigma(&millis(&by_sound));
        let (by_voice, _) = mean_and_sigma(&millis(&by_voice));
        let (fit, _) = mean_and_sigma(&by_sound.iter().map(|shift| shift.fit).collect::<Vec<_>>());
        let arrive: Vec<f64> = some.iter().flat_map(|(_, received)| arrivals(received)).collect();
        println!(
            "| {} | **{mean:+.1} ms** | {sigma:.1} ms | {by_voice:+.1} ms | {fit:.2} | {:+.1} ms | {:+.1} ms | {} |",
            language.name(),
            percentile(arrive.clone(), 50),
            percentile(arrive, 95),
            by_sound.len()
        );
    }
    println!("\nLate: against a mouth {:.0} ms ahead of the sound, as is meant.", LEAD * 1000.0);
    for (language, off) in found {
        println!(
            "{}: the sound lies {:+.0} ms from the times that the voice tells; p, b and m of one rendition are found in another {:.0} ms off (p50), {:.0} ms (p95), of {}.",
            language.name(),
            lag(*language) * 1000.0,
            percentile(off.clone(), 50),
            percentile(off.clone(), 95),
            off.len()
        );
    }
}
