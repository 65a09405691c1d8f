//! Chooses the next token: by llama.cpp's samplers alone, or within a grammar.
//!
//! A grammar tests every token of the vocabulary, which takes longer than the model does. So a token is chosen without
//! it and that one tested; only if the grammar refuses it are all tested, and one of the rest chosen.

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::sampling::LlamaSampler;
use llama_cpp_2::token::LlamaToken;
use llama_cpp_2::token::data::LlamaTokenData;
use llama_cpp_2::token::data_array::LlamaTokenDataArray;

use crate::job::Failure;

/// See the module's text.
#[derive(Debug)]
pub struct Chooser {
    chain: LlamaSampler,
    grammar: Option<LlamaSampler>,
}

impl Chooser {
    pub fn new(chain: LlamaSampler, grammar: Option<LlamaSampler>) -> Self {
        Self { chain, grammar }
    }

    /// From the next token on only what this grammar allows, from its beginning, is chosen; `None`: anything.
    pub fn set_grammar(&mut self, grammar: Option<LlamaSampler>) {
        self.grammar = grammar;
    }

    pub fn has_grammar(&self) -> bool {
        self.grammar.is_some()
    }

    /// Chooses by the output `index` of the last batch, and remembers what was chosen.
    pub fn choose(&mut self, context: &LlamaContext<'_>, index: i32) -> Result<LlamaToken, Failure> {
        let Self { chain, grammar } = self;
        let Some(grammar) = grammar else { return Ok(chain.sample(context, index)) };
        let chosen = context.token_data_array_ith(index).with_sampler(chain).selected_token();
        let token = match chosen.filter(|&token| allows(grammar, token)) {
            Some(token) => token,
            None => {
                let allowed = context.token_data_array_ith(index).with_sampler(grammar).with_sampler(chain);
                // A grammar that refuses all of them leaves some chosen all the same.
                allowed.selected_token().filter(|&token| allows(grammar, token)).ok_or(Failure::Grammar)?
            }
        };
        chain.accept(token);
        grammar.try_accept(token).map_err(|_| Failure::Grammar)?;
        Ok(token)
    }
}

/// The grammar as it is after these tokens; `None` if it does not allow them.
pub fn after(grammar: &LlamaSampler, tokens: &[LlamaToken]) -> Option<LlamaSampler> {
    let mut grammar = grammar.clone();
    tokens.iter().try_for_each(|&token| grammar.try_accept(token)).ok()?;
    Some(grammar)
}

fn allows(grammar: &mut LlamaSampler, token: LlamaToken) -> bool {
    let alone = LlamaTokenDataArray::new(vec![LlamaTokenData::new(token, 0.0, 0.0)], false);
    alone.with_sampler(grammar).data.first().is_some_and(|data| data.logit().is_finite())
}
