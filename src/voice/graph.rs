//! Finds what a Piper model knows but does not give: how long each phoneme lasts.
//!
//! VITS predicts durations and rounds them up with its only `Ceil` node, whose result is used inside. A model
//! file is a protobuf message, and a reader merges a message field that occurs twice; so a few bytes at the end
//! of the file, `ModelProto.graph { output { name } }`, make that result an output. Field numbers: onnx.proto.

/// `ModelProto.graph`, `GraphProto.node`, `NodeProto.output`, `NodeProto.op_type`.
const GRAPH: u64 = 7;
const NODE: u64 = 1;
const NODE_OUTPUT: u64 = 2;
const NODE_OP_TYPE: u64 = 4;

/// Adds the output of the model's one `Ceil` node to its outputs and returns its name; `None` changes nothing.
pub fn add_durations_output(model: &mut Vec<u8>) -> Option<String> {
    let name = only_ceil_output(model)?;
    // ValueInfoProto.name = 1, GraphProto.output = 12, all length-delimited.
    let info = field(1, name.as_bytes());
    let output = field(12, &info);
    model.extend(field(GRAPH, &output));
    Some(name)
}

fn only_ceil_output(model: &[u8]) -> Option<String> {
    let mut found = None;
    for graph in Messages(model).filter(|&(number, _)| number == GRAPH).map(|(_, bytes)| bytes) {
        for node in Messages(graph).filter(|&(number, _)| number == NODE).map(|(_, bytes)| bytes) {
            let is_ceil = Messages(node).any(|(number, bytes)| number == NODE_OP_TYPE && bytes == b"Ceil");
            if is_ceil {
                let (_, output) = Messages(node).find(|&(number, _)| number == NODE_OUTPUT)?;
                let output = std::str::from_utf8(output).ok()?.to_owned();
                if found.replace(output).is_some() {
                    return None;
                }
            }
        }
    }
    found
}

fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 4);
    for mut value in [number << 3 | 2, bytes.len() as u64] {
        while value >= 0x80 {
            out.push(value as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
    }
    out.extend_from_slice(bytes);
    out
}

/// The length-delimited fields of a message, in order; ends early where the message is malformed.
struct Messages<'a>(&'a [u8]);

impl<'a> Messages<'a> {
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, count: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(count).ok()?)?;
        self.0 = rest;
        Some(taken)
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = (u64, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let tag = self.varint()?;
            match tag & 7 {
                0 => drop(self.varint()?),
                1 => drop(self.take(8)?),
                2 => {
                    let length = self.varint()?;
                    return Some((tag >> 3, self.take(length)?));
                }
                5 => drop(self.take(4)?),
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(op: &str, output: &str) -> Vec<u8> {
        field(
            NODE,
            &[field(1, b"in"), field(NODE_OUTPUT, output.as_bytes()), field(NODE_OP_TYPE, op.as_bytes())].concat(),
        )
    }

    fn model(nodes: &[Vec<u8>]) -> Vec<u8> {
        // ir_version = 8 as a varint field before the graph.
        [vec![0x08, 8], field(GRAPH, &nodes.concat())].concat()
    }

    #[test]
    fn the_one_ceil_node_becomes_an_output() {
        let mut bytes = model(&[node("Mul", "a"), node("Ceil", "/Ceil_output_0"), node("Add", "b")]);
        let length = bytes.len();
        assert_eq!(add_durations_output(&mut bytes).as_deref(), Some("/Ceil_output_0"));
        assert_eq!(bytes[length..], [b"\x3a\x12\x62\x10\x0a\x0e".as_slice(), b"/Ceil_output_0"].concat());
    }

    #[test]
    fn a_model_with_two_or_none_is_left_alone() {
        for nodes in [vec![node("Ceil", "a"), node("Ceil", "b")], vec![node("Mul", "a")], vec![]] {
            let mut bytes = model(&nodes);
            let before = bytes.clone();
            assert_eq!(add_durations_output(&mut bytes), None);
            assert_eq!(bytes, before);
        }
    }

    #[test]
    fn broken_bytes_end_the_search() {
        let whole = model(&[node("Mul", "a"), node("Ceil", "x")]);
        for cut in 0..whole.len() {
            only_ceil_output(&whole[..cut]);
        }
        assert_eq!(only_ceil_output(&[0xff; 30]), None);
    }
}
