//! How far the mouth is open in a decoded picture of the built-in woman: pixels of dark, teeth and tongue from lip to lip.
//!
//! It knows nothing of poses, phonemes or poses' numbers: only colours, and that what is within a mouth lies right below
//! an upper lip. Held in a test to pictures whose opening is known.

use visavis::media::I420;

/// Whom it can measure: her lips are of no other colour in her face.
pub const FACE: &str = "woman";
/// Below this (pixels) lips are closed: a gap of less than two pixels is no more than the line where they meet.
pub const CLOSED: f64 = 1.5;

/// Columns in which it looks, and how wide each is. The head moves less than the mouth is wide.
const COLUMNS: [usize; 5] = [248, 252, 256, 260, 264];
const WIDTH: usize = 4;
/// Rows in which the mouth may be.
const TOP: usize = 270;
const BOTTOM: usize = 392;
/// Rows above an opening in which an upper lip must be, and how many of them at least.
const ABOVE: usize = 12;
const LIP_ROWS: usize = 3;
/// Rows of no clear colour that may lie within an opening, as where teeth and tongue meet.
const BRIDGED: usize = 3;
/// Fewer rows of a tongue's colour are the colours of teeth and lip, mixed (4:2:0).
const TONGUE_ROWS: usize = 2;

/// One row of a column.
#[derive(Clone, Copy)]
struct Row {
    /// How surely it is dark or a tooth, 0 to 1.
    inside: f64,
    tongue: bool,
    lip: bool,
}

/// The opening in pixels: the median of five columns.
pub fn opening(picture: &I420) -> f64 {
    let mut found = COLUMNS.map(|x| column(picture, x));
    found.sort_by(f64::total_cmp);
    found[COLUMNS.len() / 2]
}

fn column(picture: &I420, x: usize) -> f64 {
    let rows: Vec<Row> = (TOP..BOTTOM.min(picture.height)).map(|y| row(picture, x, y)).collect();
    let below_lip = |at: usize| rows[at.saturating_sub(ABOVE)..at].iter().filter(|row| row.lip).count() >= LIP_ROWS;
    let Some(first) = (0..rows.len()).find(|&at| rows[at].inside > 0.5 && below_lip(at)) else { return 0.0 };
    let (mut last, mut end, mut tongue) = (first, first, 0);
    for (at, row) in rows.iter().enumerate().skip(first + 1) {
        if at - last > BRIDGED + 1 {
            break;
        }
        if row.inside > 0.5 {
            (last, end, tongue) = (at, at, 0);
        } else if row.tongue {
            (last, tongue) = (at, tongue + 1);
            if tongue >= TONGUE_ROWS {
                end = at;
            }
        }
    }
    // Edges lie between rows.
    let edge = |at: Option<usize>| at.and_then(|at| rows.get(at)).map_or(0.0, |row| row.inside);
    (end + 1 - first) as f64 + edge(first.checked_sub(1)) + edge(Some(end + 1))
}

fn row(picture: &I420, x: usize, y: usize) -> Row {
    let mean = |samples: &[u8]| samples.iter().map(|&sample| f64::from(sample)).sum::<f64>() / samples.len() as f64;
    let luma = mean(&picture.y[y * picture.width + x - WIDTH / 2..][..WIDTH]);
    let chroma = y / 2 * (picture.width / 2) + (x - WIDTH / 2) / 2;
    let (u, v) = (mean(&picture.u[chroma..][..WIDTH / 2]), mean(&picture.v[chroma..][..WIDTH / 2]));
    let ramp = |value: f64, from: f64, to: f64| ((value - from) / (to - from)).clamp(0.0, 1.0);
    // Darker than the line between closed lips.
    let dark = ramp(luma, 80.0, 55.0);
    // Whiter than skin, of which highlights are as bright.
    let tooth = ramp(luma, 150.0, 200.0) * ramp(v, 156.0, 148.0);
    Row {
        inside: dark.max(tooth),
        // A little bluer than the lower lip, whatever light falls on it.
        tongue: u > 113.4 && v > 163.5,
        lip: luma < 138.0 && v > 162.0,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use visavis::face::drawn::Character;
    use visavis::face::{Area, Face, Mouth, Pose, Rgba, Viseme};
    use visavis::video::{H264Decoder, H264Encoder, VideoSettings, rgba_to_i420};

    use super::super::follows::correlation;
    use super::*;

    const GREEN: [u8; 3] = [0, 255, 0];

    fn character(svg: impl Fn(String) -> String) -> Character {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/avatars").join(FACE);
        let copy = tempfile::tempdir().unwrap();
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        std::fs::write(copy.path().join("avatar.toml"), read("avatar.toml")).unwrap();
        std::fs::write(copy.path().join("avatar.svg"), svg(read("avatar.svg"))).unwrap();
        Character::load(copy.path()).unwrap()
    }

    /// The same with all that is within the mouth painted green.
    fn painted() -> Character {
        character(|svg| {
            let mut out = String::new();
            let mut within = false;
            for line in svg.lines() {
                if line.starts_with("<g id=\"") {
                    within = ["mouth-inside", "mouth-tongue", "mouth-teeth"]
                        .iter()
                        .any(|part| line.starts_with(&format!("<g id=\"{part}")));
                }
                // Lines and shadows on the teeth are inside too.
                let mut rest = line;
                while within
                    && let Some(at) =
                        ["fill=\"", "stroke=\""].iter().filter_map(|name| Some(rest.find(name)? + name.len())).min()
                {
                    let (before, paint) = rest.split_at(at);
                    let end = paint.find('"').unwrap();
                    out.push_str(before);
                    out.push_str(if &paint[..end] == "none" { "none" } else { "#00ff00" });
                    rest = &paint[end..];
                }
                out.push_str(rest);
                out.push('\n');
            }
            out
        })
    }

    /// Rows of green in the columns that are measured: their median.
    fn truth(picture: &Rgba) -> f64 {
        let green = |x: usize| {
            let rows = (TOP..BOTTOM).map(|y| {
                let at = (y * picture.width + x) * 4;
                let [r, g, b] = [picture.data[at], picture.data[at + 1], picture.data[at + 2]].map(f64::from);
                // How much of the pixel is green, against skin and lips in which red prevails.
                ((g - r.max(b)) / f64::from(GREEN[1])).max(0.0)
            });
            rows.sum::<f64>()
        };
        let mut found = COLUMNS.map(green);
        found.sort_by(f64::total_cmp);
        found[COLUMNS.len() / 2]
    }

    /// Mouths of all visemes, more and less of each, with heads that turn and nod.
    fn poses() -> Vec<Pose> {
        let mut poses = Vec::new();
        for (n, viseme) in Viseme::ALL.into_iter().enumerate() {
            for (m, reach) in [0.15, 0.3, 0.5, 0.75, 1.0].into_iter().enumerate() {
                let way = (n * 5 + m) as f32;
                poses.push(Pose {
                    mouth: Mouth::REST.towards(&viseme.mouth(), reach),
                    yaw: 6.0 * (way * 1.7).sin(),
                    pitch: 4.0 * (way * 0.9).cos(),
                    roll: 3.0 * (way * 2.3).sin(),
                    offset: [5.0 * (way * 0.7).sin(), 5.0 * (way * 1.1).cos()],
                    smile: 0.3 + 0.3 * (way * 0.5).sin(),
                    ..Pose::default()
                });
            }
        }
        poses
    }

    #[test]
    fn what_is_measured_is_what_was_drawn() {
        let (mut seen, mut known) = (character(|svg| svg), painted());
        let (width, height) = seen.size();
        let settings = VideoSettings { width, height, ..VideoSettings::default() };
        let (mut encoder, mut decoder) = (H264Encoder::new(&settings).unwrap(), H264Decoder::new().unwrap());
        let (mut rgba, mut i420) = (Rgba::new(width, height), I420::new(2, 2));
        let (mut drawn, mut seen_as) = (Vec::new(), Vec::new());
        for pose in poses() {
            known.draw(&pose, &mut rgba);
            let truth = truth(&rgba);
            seen.draw(&pose, &mut rgba);
            rgba_to_i420(&rgba.data, width, height, Area::whole((width, height)), &mut i420);
            let h264 = encoder.encode(&i420, false).unwrap().unwrap().h264;
            let measured = opening(&decoder.decode(&h264).unwrap().unwrap());
            if std::env::var_os("SHOW").is_some() {
                println!("{truth:5.1} {measured:5.1} {:?}", pose.mouth);
            }
            // A gap of two pixels is seen, half a pixel is not.
            assert!(truth >= 2.0 || measured < CLOSED + 1.0, "{truth} is seen as {measured}: {:?}", pose.mouth);
            assert!(truth < 2.0 || measured >= CLOSED, "{truth} is seen as {measured}: {:?}", pose.mouth);
            drawn.push(truth);
            seen_as.push(measured);
        }
        let mut off: Vec<f64> = drawn.iter().zip(&seen_as).map(|(drawn, seen)| (drawn - seen).abs()).collect();
        off.sort_by(f64::total_cmp);
        let [median, most] = [50, 95].map(|percent| off[off.len() * percent / 100]);
        let fit = correlation(&drawn, &seen_as);
        println!("off by {median:.2} pixels, by {most:.2} in 95 %, correlation {fit:.3}");
        assert!(median < 0.7 && most < 4.5 && fit > 0.96, "{median} {most} {fit}");
    }
}
