//! Which CTranslate2 variable becomes which tensor of OpenAI's Whisper, and the shapes both must have.
//!
//! The order is that of OpenAI's checkpoints. CTranslate2 stacks projections along the first axis:
//! self-attention `linear_0` is query, key, value and `linear_1` the output; cross-attention `linear_0` is the
//! query, `linear_1` key and value, `linear_2` the output. Whisper's keys have no bias, so that part is dropped.

use std::io::{Read, Seek};

use super::ConvertError;
use super::ct2::Reader;

/// Channels of one attention head in every Whisper model.
const HEAD: usize = 64;

/// The sizes of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub vocabulary: usize,
    pub audio_context: usize,
    pub text_context: usize,
    pub state: usize,
    pub heads: usize,
    pub audio_layers: usize,
    pub text_layers: usize,
    pub mels: usize,
}

impl Shape {
    pub fn of<R: Read + Seek>(model: &mut Reader<R>) -> Result<Self, ConvertError> {
        let [vocabulary, state] = axes(model, "decoder/embeddings/weight")?;
        let [audio_context, _] = axes(model, "encoder/position_encodings/encodings")?;
        let [text_context, _] = axes(model, "decoder/position_encodings/encodings")?;
        let [_, mels, _] = axes(model, "encoder/conv1/weight")?;
        let heads = match model.integer("encoder/num_heads")? {
            Some(heads) => usize::try_from(heads).unwrap_or(0),
            None => state / HEAD,
        };
        let shape = Self {
            vocabulary,
            audio_context,
            text_context,
            state,
            heads,
            audio_layers: layers(model, "encoder"),
            text_layers: layers(model, "decoder"),
            mels,
        };
        if heads == 0 || !state.is_multiple_of(heads) || !(1..=256).contains(&mels) {
            return Err(ConvertError::Unsupported(format!("sizes that no Whisper model has: {shape:?}")));
        }
        Ok(shape)
    }
}

fn axes<const N: usize, R: Read + Seek>(model: &Reader<R>, name: &str) -> Result<[usize; N], ConvertError> {
    model
        .dims(name)
        .and_then(|dims| <[usize; N]>::try_from(dims).ok())
        .ok_or_else(|| ConvertError::Unsupported(format!("no variable {name:?} with {N} axes")))
}

fn layers<R: Read + Seek>(model: &Reader<R>, side: &str) -> usize {
    (0..).take_while(|n| model.dims(&format!("{side}/layer_{n}/ffn/linear_0/weight")).is_some()).count()
}

/// How a tensor is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Takes the chosen format.
    Matrix,
    /// Stays f16: whisper.cpp's convolution reads nothing smaller.
    Convolution,
    ConvolutionBias,
    /// Stays f32: biases, norms and positions are small and sensitive.
    Exact,
}

/// Part `index` of `of` equal parts of the first axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    pub index: usize,
    pub of: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorName {
    /// Name in the ggml file.
    pub name: String,
    /// Name in `model.bin`.
    pub variable: String,
    pub slice: Option<Slice>,
    /// After slicing.
    pub dims: Vec<usize>,
    pub kind: Kind,
}

/// All tensors of the ggml file, in order.
pub fn tensors(shape: &Shape) -> Vec<TensorName> {
    let mut list = List { state: shape.state, tensors: Vec::new() };
    let state = shape.state;

    list.add(
        "encoder.positional_embedding",
        "encoder/position_encodings/encodings",
        &[shape.audio_context, state],
        Kind::Exact,
    );
    for (conv, inputs) in [("conv1", shape.mels), ("conv2", state)] {
        let (name, variable) = (format!("encoder.{conv}"), format!("encoder/{conv}"));
        list.add(&format!("{name}.weight"), &format!("{variable}/weight"), &[state, inputs, 3], Kind::Convolution);
        list.add(&format!("{name}.bias"), &format!("{variable}/bias"), &[state], Kind::ConvolutionBias);
    }
    for n in 0..shape.audio_layers {
        let (name, variable) = (format!("encoder.blocks.{n}"), format!("encoder/layer_{n}"));
        list.self_attention(&name, &variable);
        list.feed_forward(&name, &variable);
    }
    list.norm("encoder.ln_post", "encoder/layer_norm");

    list.add(
        "decoder.positional_embedding",
        "decoder/position_encodings/encodings",
        &[shape.text_context, state],
        Kind::Exact,
    );
    list.add("decoder.token_embedding.weight", "decoder/embeddings/weight", &[shape.vocabulary, state], Kind::Matrix);
    for n in 0..shape.text_layers {
        let (name, variable) = (format!("decoder.blocks.{n}"), format!("decoder/layer_{n}"));
        list.self_attention(&name, &variable);
        list.cross_attention(&name, &variable);
        list.feed_forward(&name, &variable);
    }
    list.norm("decoder.ln", "decoder/layer_norm");
    list.tensors
}

struct List {
    state: usize,
    tensors: Vec<TensorName>,
}

impl List {
    fn add(&mut self, name: &str, variable: &str, dims: &[usize], kind: Kind) {
        let (name, variable) = (name.to_owned(), variable.to_owned());
        self.tensors.push(TensorName { name, variable, slice: None, dims: dims.to_vec(), kind });
    }

    fn norm(&mut self, name: &str, variable: &str) {
        let state = self.state;
        self.add(&format!("{name}.weight"), &format!("{variable}/gamma"), &[state], Kind::Exact);
        self.add(&format!("{name}.bias"), &format!("{variable}/beta"), &[state], Kind::Exact);
    }

    fn linear(&mut self, name: &str, variable: &str, outputs: usize, inputs: usize) {
        self.add(&format!("{name}.weight"), &format!("{variable}/weight"), &[outputs, inputs], Kind::Matrix);
        self.add(&format!("{name}.bias"), &format!("{variable}/bias"), &[outputs], Kind::Exact);
    }

    /// One of `of` square projections stacked in `variable`.
    fn projection(&mut self, name: &str, variable: &str, index: usize, of: usize, bias: bool) {
        let first = self.tensors.len();
        self.linear(name, variable, self.state, self.state);
        if !bias {
            self.tensors.pop();
        }
        for tensor in &mut self.tensors[first..] {
            tensor.slice = Some(Slice { index, of });
        }
    }

    fn self_attention(&mut self, block: &str, layer: &str) {
        let (name, variable) = (format!("{block}.attn"), format!("{layer}/self_attention"));
        let stacked = format!("{variable}/linear_0");
        self.projection(&format!("{name}.query"), &stacked, 0, 3, true);
        self.projection(&format!("{name}.key"), &stacked, 1, 3, false);
        self.projection(&format!("{name}.value"), &stacked, 2, 3, true);
        self.projection(&format!("{name}.out"), &format!("{variable}/linear_1"), 0, 1, true);
        self.norm(&format!("{block}.attn_ln"), &format!("{variable}/layer_norm"));
    }

    fn cross_attention(&mut self, block: &str, layer: &str) {
        let (name, variable) = (format!("{block}.cross_attn"), format!("{layer}/attention"));
        let stacked = format!("{variable}/linear_1");
        self.projection(&format!("{name}.query"), &format!("{variable}/linear_0"), 0, 1, true);
        self.projection(&format!("{name}.key"), &stacked, 0, 2, false);
        self.projection(&format!("{name}.value"), &stacked, 1, 2, true);
        self.projection(&format!("{name}.out"), &format!("{variable}/linear_2"), 0, 1, true);
        self.norm(&format!("{block}.cross_attn_ln"), &format!("{variable}/layer_norm"));
    }

    fn feed_forward(&mut self, block: &str, layer: &str) {
        let (state, variable) = (self.state, format!("{layer}/ffn"));
        self.linear(&format!("{block}.mlp.0"), &format!("{variable}/linear_0"), 4 * state, state);
        self.linear(&format!("{block}.mlp.2"), &format!("{variable}/linear_1"), state, 4 * state);
        self.norm(&format!("{block}.mlp_ln"), &format!("{variable}/layer_norm"));
    }
}
