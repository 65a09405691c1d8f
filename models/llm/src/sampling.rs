//! From the request's numbers to llama.cpp's chain of samplers.

use llama_cpp_2::sampling::LlamaSampler;
use llama_cpp_2::token::logit_bias::LlamaLogitBias;

use crate::job::Sampling;
use crate::model::Model;

/// How many of the last tokens the penalties look at.
const PENALTY_WINDOW: i32 = 256;

/// The chain for one answer. The order is llama.cpp's own: penalties see all tokens, then the candidates are cut
/// down (top-k first, because sorting a vocabulary of 150 000 is dear), then one of the rest is drawn.
pub fn chain(sampling: Sampling, model: &Model) -> LlamaSampler {
    let vocabulary = model.llama.n_vocab();
    let mut chain = Vec::with_capacity(6);
    if sampling.ignore_eos {
        let never: Vec<_> = model.ends.iter().map(|&end| LlamaLogitBias::new(end, f32::NEG_INFINITY)).collect();
        chain.push(LlamaSampler::logit_bias(vocabulary, &never));
    }
    if sampling.frequency_penalty != 0.0 || sampling.presence_penalty != 0.0 {
        let no_repeat_penalty = 1.0;
        let (frequency, presence) = (sampling.frequency_penalty, sampling.presence_penalty);
        chain.push(LlamaSampler::penalties(vocabulary, PENALTY_WINDOW, no_repeat_penalty, frequency, presence));
    }
    if sampling.temperature <= 0.0 {
        chain.push(LlamaSampler::greedy());
    } else {
        if let Ok(top_k @ 1..) = i32::try_from(sampling.top_k) {
            chain.push(LlamaSampler::top_k(top_k));
        }
        if sampling.top_p < 1.0 {
            chain.push(LlamaSampler::top_p(sampling.top_p, 1));
        }
        chain.push(LlamaSampler::temp(sampling.temperature));
        chain.push(LlamaSampler::dist(sampling.seed));
    }
    LlamaSampler::chain(chain, true)
}
