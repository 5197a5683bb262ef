//! From samples to figures.

use serde::{Deserialize, Serialize};

/// The middle and the far end of one distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    pub median: f64,
    pub p99: f64,
}

/// The value below which the part `q` of the samples lies; 0 if there are none.
pub fn quantile(samples: &mut [f64], q: f64) -> f64 {
    if samples.is_empty() {
        return 0.0;
    }
    samples.sort_unstable_by(f64::total_cmp);
    samples[((samples.len() - 1) as f64 * q).round() as usize]
}

pub fn median(samples: &[f64]) -> f64 {
    quantile(&mut samples.to_vec(), 0.5)
}

impl Spread {
    pub fn of(samples: &mut [f64]) -> Spread {
        Spread { median: quantile(samples, 0.5), p99: quantile(samples, 0.99) }
    }
}

/// Gives every subject one turn a round, forwards and backwards alternately, so that a machine that
/// grows slower or faster meanwhile is the same for all. Returns each one's results, round by round.
pub fn in_turns<S, T>(
    rounds: usize,
    subjects: &mut [S],
    mut turn: impl FnMut(usize, &mut S) -> T,
) -> Vec<Vec<T>> {
    let mut results: Vec<Vec<T>> = subjects.iter().map(|_| Vec::with_capacity(rounds)).collect();
    for round in 0..rounds {
        for step in 0..subjects.len() {
            let index = if round % 2 == 0 { step } else { subjects.len() - 1 - step };
            results[index].push(turn(round, &mut subjects[index]));
        }
    }
    results
}
