//! Cuts a Piper model (VITS) in two, so that the first words sound before the last ones are computed.
//!
//! The first half reads phonemes and plans: how long each lasts, and a latent column for each hop of the sound. The
//! second half, a decoder of nothing but convolutions and most of the work, makes sound of any stretch of columns. The
//! cut goes before the decoder's first convolution, `dec.conv_pre`. Each half is a copy of the model file with the
//! nodes, weights, inputs and outputs that it needs. Field numbers: onnx.proto.

use std::collections::{HashMap, HashSet};

use super::protobuf::{Fields, field, first, number_field, numbers, text};

/// `ModelProto.graph`.
const GRAPH: u64 = 7;
/// Of `GraphProto`.
const NODE: u64 = 1;
const INITIALIZER: u64 = 5;
const INPUT: u64 = 11;
const OUTPUT: u64 = 12;
/// Shapes of values inside, which are only hints.
const VALUE_INFO: u64 = 13;
/// Of `NodeProto`.
const NODE_INPUT: u64 = 1;
const NODE_OUTPUT: u64 = 2;
const NODE_OP_TYPE: u64 = 4;
const NODE_ATTRIBUTE: u64 = 5;
/// Of `AttributeProto`: a graph within the node, as `If` has it.
const ATTRIBUTE_GRAPH: u64 = 6;
/// Of `TensorProto`.
const TENSOR_DIMS: u64 = 1;
const TENSOR_NAME: u64 = 8;
/// `ValueInfoProto.name`.
const VALUE_NAME: u64 = 1;

/// The end of the name of the decoder's first weight, in every Piper model.
const DECODER_WEIGHT: &str = "dec.conv_pre.weight";
/// The input that chooses one of several speakers.
pub const SPEAKER: &str = "sid";

/// A model in two halves, each a model file of its own.
#[derive(Debug)]
pub struct Halves {
    /// Phonemes in; the latent and the durations out.
    pub plan: Vec<u8>,
    /// The latent in (and the speaker, where there are several); sound out.
    pub decoder: Vec<u8>,
    /// Name of the latent, f32 [1, channels, hops].
    pub latent: String,
    /// Name of the lengths of all ids in hops, f32 [1, 1, ids].
    pub durations: String,
}

/// Cuts the model; `None` if it is not built as Piper's are.
pub fn split(model: &[u8]) -> Option<Halves> {
    let graph = Graph::read(model)?;
    // VITS rounds durations up with its only `Ceil`.
    let [durations] = graph.nodes.iter().filter(|node| node.op == b"Ceil").collect::<Vec<_>>()[..] else { return None };
    let durations = *durations.outputs.first()?;
    let (weight, tensor) = graph.initializers.iter().find(|(name, _)| name.ends_with(DECODER_WEIGHT))?;
    let convolution = graph.nodes.iter().find(|node| node.inputs.contains(weight))?;
    let latent = *convolution.inputs.first()?;
    // The weight of a convolution: [out, in, width].
    let channels = *numbers(tensor, TENSOR_DIMS).get(1)?;
    let [(sound, described)] = graph.outputs[..] else { return None };

    let decoder = graph.part(&[sound], &[latent]);
    if decoder.inputs.iter().any(|input| *input != SPEAKER) {
        return None;
    }
    let plan = graph.part(&[latent, durations], &[]);
    let named = |name: &str| field(VALUE_NAME, name.as_bytes());
    Some(Halves {
        plan: graph.write(&plan, &[], &[named(latent), named(durations)]),
        decoder: graph.write(&decoder, &[columns(latent, channels)], &[described.to_vec()]),
        latent: latent.to_owned(),
        durations: durations.to_owned(),
    })
}

/// Makes the result of the model's one node of this operator an output, and returns its name; `None` changes nothing.
/// A reader of protobuf merges a message field that occurs twice, so a few bytes at the end are enough.
pub fn show(model: &mut Vec<u8>, operator: &str) -> Option<String> {
    let graph = Graph::read(model)?;
    let [node] = graph.nodes.iter().filter(|node| node.op == operator.as_bytes()).collect::<Vec<_>>()[..] else {
        return None;
    };
    let name = (*node.outputs.first()?).to_owned();
    model.extend(field(GRAPH, &field(OUTPUT, &field(VALUE_NAME, name.as_bytes()))));
    Some(name)
}

/// `ValueInfoProto` of f32 [1, channels, any].
fn columns(name: &str, channels: u64) -> Vec<u8> {
    // TensorShapeProto.dim = 1 { dim_value = 1 | dim_param = 2 }.
    let sides = [number_field(1, 1), number_field(1, channels), field(2, b"hops")];
    let shape: Vec<u8> = sides.iter().flat_map(|side| field(1, side)).collect();
    // TypeProto.tensor_type = 1 { elem_type = 1 (FLOAT = 1), shape = 2 }; ValueInfoProto.type = 2.
    let tensor = [number_field(1, 1), field(2, &shape)].concat();
    [field(VALUE_NAME, name.as_bytes()), field(2, &field(1, &tensor))].concat()
}

struct Node<'a> {
    op: &'a [u8],
    /// What it reads, graphs within it included.
    inputs: Vec<&'a str>,
    outputs: Vec<&'a str>,
}

impl<'a> Node<'a> {
    fn read(bytes: &'a [u8]) -> Self {
        let mut node = Self { op: &[], inputs: Vec::new(), outputs: Vec::new() };
        for field in Fields(bytes) {
            let name = std::str::from_utf8(field.bytes).unwrap_or_default();
            match field.number {
                NODE_INPUT => node.inputs.push(name),
                NODE_OUTPUT => node.outputs.push(name),
                NODE_OP_TYPE => node.op = field.bytes,
                NODE_ATTRIBUTE => {
                    let inner = first(field.bytes, ATTRIBUTE_GRAPH).unwrap_or_default();
                    let nodes = Fields(inner).filter(|field| field.number == NODE);
                    node.inputs.extend(nodes.flat_map(|field| Self::read(field.bytes).inputs));
                }
                _ => {}
            }
        }
        node
    }
}

/// A model file, taken apart.
struct Graph<'a> {
    model: &'a [u8],
    graph: &'a [u8],
    nodes: Vec<Node<'a>>,
    initializers: HashMap<&'a str, &'a [u8]>,
    inputs: HashSet<&'a str>,
    /// Names and descriptions.
    outputs: Vec<(&'a str, &'a [u8])>,
}

/// What is needed to compute something.
#[derive(Default)]
struct Part<'a> {
    /// Indices.
    nodes: HashSet<usize>,
    initializers: HashSet<&'a str>,
    inputs: HashSet<&'a str>,
}

impl<'a> Graph<'a> {
    fn read(model: &'a [u8]) -> Option<Self> {
        let graph = first(model, GRAPH)?;
        let (nodes, initializers, inputs, outputs) = Default::default();
        let mut read = Self { model, graph, nodes, initializers, inputs, outputs };
        for field in Fields(graph) {
            match field.number {
                NODE => read.nodes.push(Node::read(field.bytes)),
                INITIALIZER => drop(read.initializers.insert(text(field.bytes, TENSOR_NAME)?, field.bytes)),
                INPUT => drop(read.inputs.insert(text(field.bytes, VALUE_NAME)?)),
                OUTPUT => read.outputs.push((text(field.bytes, VALUE_NAME)?, field.bytes)),
                _ => {}
            }
        }
        Some(read)
    }

    /// What it takes to compute `wanted` where `given` is known already.
    fn part(&self, wanted: &[&'a str], given: &[&'a str]) -> Part<'a> {
        let made = |(at, node): (usize, &Node<'a>)| node.outputs.iter().map(move |output| (*output, at)).collect();
        let makers: HashMap<&str, usize> = self.nodes.iter().enumerate().flat_map::<Vec<_>, _>(made).collect();
        let mut part = Part::default();
        let mut seen: HashSet<&str> = given.iter().copied().collect();
        let mut open = wanted.to_vec();
        while let Some(value) = open.pop() {
            if !seen.insert(value) {
                continue;
            }
            if let Some(&maker) = makers.get(value) {
                if part.nodes.insert(maker) {
                    open.extend(&self.nodes[maker].inputs);
                }
            } else if self.initializers.contains_key(value) {
                part.initializers.insert(value);
            } else if self.inputs.contains(value) {
                part.inputs.insert(value);
            }
        }
        part
    }

    /// A model file of this part, with further inputs and in place of the model's outputs these.
    fn write(&self, part: &Part<'_>, inputs: &[Vec<u8>], outputs: &[Vec<u8>]) -> Vec<u8> {
        let mut graph = Vec::new();
        let mut index = 0..;
        for field in Fields(self.graph) {
            let has =
                |names: &HashSet<&str>, number| text(field.bytes, number).is_some_and(|name| names.contains(name));
            let kept = match field.number {
                NODE => index.next().is_some_and(|index| part.nodes.contains(&index)),
                INITIALIZER => has(&part.initializers, TENSOR_NAME),
                INPUT => has(&part.inputs, VALUE_NAME),
                OUTPUT | VALUE_INFO => false,
                _ => true,
            };
            if kept {
                graph.extend_from_slice(field.whole);
            }
        }
        graph.extend(inputs.iter().flat_map(|input| field(INPUT, input)));
        graph.extend(outputs.iter().flat_map(|output| field(OUTPUT, output)));
        let around = Fields(self.model).filter(|field| field.number != GRAPH);
        let mut model: Vec<u8> = around.flat_map(|field| field.whole.iter().copied()).collect();
        model.extend(field(GRAPH, &graph));
        model
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(op: &str, inputs: &[&str], output: &str) -> Vec<u8> {
        let inputs = inputs.iter().flat_map(|input| field(NODE_INPUT, input.as_bytes()));
        let rest = [field(NODE_OUTPUT, output.as_bytes()), field(NODE_OP_TYPE, op.as_bytes())].concat();
        field(NODE, &inputs.chain(rest).collect::<Vec<_>>())
    }

    fn weight(name: &str, sides: &[u64]) -> Vec<u8> {
        let sides = sides.iter().flat_map(|&side| number_field(TENSOR_DIMS, side));
        field(INITIALIZER, &sides.chain(field(TENSOR_NAME, name.as_bytes())).collect::<Vec<_>>())
    }

    fn value(number: u64, name: &str) -> Vec<u8> {
        field(number, &field(VALUE_NAME, name.as_bytes()))
    }

    /// Fields of a graph of Piper's kind; `speakers`: the decoder reads the speaker too.
    fn fields(speakers: bool) -> Vec<Vec<u8>> {
        let then = field(NODE_ATTRIBUTE, &field(ATTRIBUTE_GRAPH, &node("Mul", &["z", "one"], "inner")));
        let chosen = [field(NODE_INPUT, b"log"), field(NODE_OUTPUT, b"latent"), field(NODE_OP_TYPE, b"If"), then];
        vec![
            value(INPUT, "input"),
            value(INPUT, SPEAKER),
            node("Gather", &["input", "emb"], "z"),
            node("Exp", &["z"], "log"),
            node("Ceil", &["log"], "lengths"),
            field(NODE, &chosen.concat()),
            node("Conv", &["latent", "model.dec.conv_pre.weight"], "a"),
            node("Add", &["a", if speakers { SPEAKER } else { "one" }], "output"),
            weight("emb", &[3, 5]),
            weight("one", &[]),
            weight("model.dec.conv_pre.weight", &[512, 192, 7]),
            value(OUTPUT, "output"),
            value(VALUE_INFO, "a"),
        ]
    }

    fn model(fields: &[Vec<u8>]) -> Vec<u8> {
        [number_field(1, 8), field(GRAPH, &fields.concat()), number_field(5, 1)].concat()
    }

    /// What a half consists of: operators, and names of weights, inputs and outputs.
    fn parts(model: &[u8]) -> (Vec<String>, Vec<String>, Vec<String>, Vec<String>) {
        assert_eq!(Fields(model).filter_map(|field| field.value).collect::<Vec<_>>(), [8, 1], "what stands around");
        let graph = first(model, GRAPH).unwrap_or_default();
        let names = |number, name| {
            let fields = Fields(graph).filter(|field| field.number == number);
            fields.filter_map(|field| text(field.bytes, name).map(str::to_owned)).collect()
        };
        (
            names(NODE, NODE_OP_TYPE),
            names(INITIALIZER, TENSOR_NAME),
            names(INPUT, VALUE_NAME),
            names(OUTPUT, VALUE_NAME),
        )
    }

    #[test]
    fn each_half_has_what_it_needs_and_no_more() {
        for speakers in [false, true] {
            let whole = model(&fields(speakers));
            let Some(halves) = split(&whole) else { panic!("not cut") };
            assert_eq!((halves.latent.as_str(), halves.durations.as_str()), ("latent", "lengths"));
            let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
            let plan = parts(&halves.plan);
            assert_eq!(plan.0, ["Gather", "Exp", "Ceil", "If"]);
            assert_eq!(plan.1, ["emb", "one"], "what a graph within a node reads too");
            assert_eq!((plan.2, plan.3), (owned(&["input"]), owned(&["latent", "lengths"])));
            let decoder = parts(&halves.decoder);
            assert_eq!((decoder.0, decoder.3), (owned(&["Conv", "Add"]), owned(&["output"])));
            let (weights, inputs): (&[_], &[_]) = match speakers {
                true => (&["model.dec.conv_pre.weight"], &[SPEAKER, "latent"]),
                false => (&["one", "model.dec.conv_pre.weight"], &["latent"]),
            };
            assert_eq!((decoder.1, decoder.2), (owned(weights), owned(inputs)));
        }
    }

    #[test]
    fn what_is_built_otherwise_is_left_alone() {
        let all = fields(false);
        let without = |index: usize| [&all[..index], &all[index + 1..]].concat();
        for (fields, why) in [
            (without(4), "no durations"),
            ([&all[..], &[node("Ceil", &["a"], "b")]].concat(), "two"),
            (without(10), "no decoder"),
            ([&all[..], &[value(OUTPUT, "other")]].concat(), "two outputs"),
            ([&all[..], &[node("Conv", &["input"], "one")]].concat(), "a decoder that reads phonemes"),
        ] {
            assert!(split(&model(&fields)).is_none(), "{why}");
        }
    }

    #[test]
    fn the_result_of_an_operator_is_shown_if_it_is_the_only_one() {
        let mut whole = model(&fields(false));
        let length = whole.len();
        assert_eq!(show(&mut whole, "Ceil").as_deref(), Some("lengths"));
        assert_eq!(whole[length..], *b"\x3a\x0b\x62\x09\x0a\x07lengths");
        assert_eq!((show(&mut whole, "Conv").as_deref(), show(&mut whole, "Round")), (Some("a"), None));
        let mut two = model(&[fields(false), vec![node("Ceil", &["a"], "b")]].concat());
        assert_eq!(show(&mut two, "Ceil"), None);
    }

    #[test]
    fn broken_bytes_are_no_model() {
        let whole = model(&fields(true));
        for cut in 0..whole.len() - 3 {
            assert!(split(&whole[..cut]).is_none());
        }
        assert!(split(&[0xff; 30]).is_none());
    }
}
