//! The best smooth line through a picture from left to right, by dynamic programming: lips' seam and lids are such.

/// Heights tried at each place.
pub const STEPS: usize = 25;
/// Steps up or down from one place to the next, at most.
const STEEPEST: usize = 2;

/// The step at each of `places` places that together cost least: what `cost(place, step)` says, and `bend` times the
/// square of each way up or down.
pub fn cheapest(places: usize, bend: f32, cost: impl Fn(usize, usize) -> f32) -> Vec<usize> {
    let mut best: Vec<[f32; STEPS]> = Vec::with_capacity(places);
    let mut from: Vec<[usize; STEPS]> = Vec::with_capacity(places);
    for i in 0..places {
        let way = |k: usize| {
            let Some(last) = best.last() else { return (k, 0.0) };
            let price = |j: usize| last[j] + bend * (j.abs_diff(k) * j.abs_diff(k)) as f32;
            let near = k.saturating_sub(STEEPEST)..=(k + STEEPEST).min(STEPS - 1);
            near.min_by(|a, b| price(*a).total_cmp(&price(*b))).map_or((k, last[k]), |j| (j, price(j)))
        };
        let ways: [(usize, f32); STEPS] = std::array::from_fn(way);
        from.push(ways.map(|(j, _)| j));
        best.push(std::array::from_fn(|k| ways[k].1 + cost(i, k)));
    }
    let end = best.last().map_or(0, |last| (0..STEPS).min_by(|a, b| last[*a].total_cmp(&last[*b])).unwrap_or(0));
    let mut steps = vec![end; places];
    for i in (1..places).rev() {
        steps[i - 1] = from[i][steps[i]];
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_follows_what_is_cheap_and_passes_over_a_gap_and_a_speck() {
        let wave = |i: usize| 12 + (4.0 * (i as f32 / 6.0).sin()) as usize;
        let cost = |i: usize, k: usize| {
            let on = k == wave(i) && !(10..13).contains(&i);
            let speck = i == 20 && k == 1;
            if on || speck { 0.0 } else { 10.0 }
        };
        let line = cheapest(40, 1.0, cost);
        for (i, k) in line.iter().enumerate() {
            assert!(k.abs_diff(wave(i)) <= 1, "{k} at {i} instead of {}", wave(i));
        }
        assert!(cheapest(0, 1.0, |_, _| 0.0).is_empty());
    }
}
