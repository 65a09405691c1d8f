//! A height for each column of pixels: rims of lids and lips as they were drawn, read off a part's opacity.

use super::texture::Texture;

/// Known from the centre of column `left` on, one value a column; beyond its ends the end values hold.
#[derive(Clone, Debug)]
pub struct Curve {
    left: i32,
    values: Vec<f32>,
}

impl Curve {
    /// From the first column on; `values` is not empty.
    pub fn new(left: i32, values: Vec<f32>) -> Self {
        Self { left, values: smoothed(&values) }
    }

    /// The height at `x`, in texture pixels.
    pub fn at(&self, x: f32) -> f32 {
        let place = (x - 0.5 - self.left as f32).clamp(0.0, (self.values.len() - 1) as f32);
        let i = (place as usize).min(self.values.len().saturating_sub(2));
        let next = self.values[(i + 1).min(self.values.len() - 1)];
        self.values[i] + (next - self.values[i]) * (place - i as f32)
    }
}

/// Means of up to five neighbours, fewer at the ends: rasterised rims have steps.
fn smoothed(values: &[f32]) -> Vec<f32> {
    (0..values.len())
        .map(|i| {
            let reach = i.min(values.len() - 1 - i).min(2);
            let near = &values[i - reach..=i + reach];
            near.iter().sum::<f32>() / near.len() as f32
        })
        .collect()
}

/// Upper and lower rim of a part over the columns in which it is at least `least` tall, and the first and last of
/// these. None if it is nowhere.
pub fn rims(texture: &Texture, least: f32) -> Option<(Curve, Curve, [f32; 2])> {
    let columns = texture.left..texture.left + texture.width as i32;
    let known: Vec<(i32, [f32; 2])> = columns
        .filter_map(|x| texture.edges(x).map(|edges| (x, edges)))
        .filter(|(_, edges)| edges[1] - edges[0] >= least)
        .collect();
    let (first, last) = (known.first()?.0, known.last()?.0);
    if known.len() < 8 {
        return None;
    }
    // A column that is missing in between takes the one before it.
    let mut at = 0;
    let mut values = [Vec::new(), Vec::new()];
    for x in first..=last {
        while at + 1 < known.len() && known[at + 1].0 <= x {
            at += 1;
        }
        values[0].push(known[at].1[0]);
        values[1].push(known[at].1[1]);
    }
    let [upper, lower] = values;
    Some((Curve::new(first, upper), Curve::new(first, lower), [first as f32, (last + 1) as f32]))
}
