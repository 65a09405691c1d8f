//! What the network is built of: a matrix with a bias, what a causal convolution remembers, a gated recurrent unit.

/// `y = W x + b`.
#[derive(Debug)]
pub struct Dense {
    /// By input, then output: so that the inner loop runs over outputs that lie side by side.
    pub columns: Vec<f32>,
    pub bias: Vec<f32>,
}

impl Dense {
    /// The output for an input given in parts, one after the other.
    pub fn of<'a>(&self, parts: impl Iterator<Item = &'a [f32]>) -> Vec<f32> {
        let mut outputs = self.bias.clone();
        let columns = self.columns.chunks_exact(outputs.len());
        for (input, column) in parts.flatten().zip(columns) {
            outputs.iter_mut().zip(column).for_each(|(output, weight)| *output += input * weight);
        }
        outputs
    }
}

pub fn relu(values: &mut [f32]) {
    values.iter_mut().for_each(|value| *value = value.max(0.0));
}

/// The inputs of a causal convolution that later steps need.
#[derive(Clone, Debug)]
pub struct History {
    /// A ring of inputs.
    inputs: Vec<f32>,
    width: usize,
    taps: usize,
    dilation: usize,
    /// Where the newest lies.
    newest: usize,
}

impl History {
    /// `before`: what stood in every input before the first.
    pub fn new(width: usize, taps: usize, dilation: usize, before: f32) -> Self {
        let length = (taps - 1) * dilation + 1;
        Self { inputs: vec![before; length * width], width, taps, dilation, newest: length - 1 }
    }

    fn length(&self) -> usize {
        (self.taps - 1) * self.dilation + 1
    }

    /// `input`: as wide as the history.
    pub fn push(&mut self, input: &[f32]) {
        self.newest = (self.newest + 1) % self.length();
        let at = self.newest * self.width;
        self.inputs[at..at + self.width].copy_from_slice(input);
    }

    /// The inputs that the convolution sees now, the oldest first.
    pub fn taps(&self) -> impl Iterator<Item = &[f32]> {
        (0..self.taps).rev().map(|tap| {
            let at = (self.newest + self.length() - tap * self.dilation) % self.length() * self.width;
            &self.inputs[at..at + self.width]
        })
    }
}

/// A gated recurrent unit (Cho and others, 2014, with the reset gate after the matrix, as cuDNN has it).
#[derive(Clone, Debug)]
pub struct Gru {
    state: Vec<f32>,
}

impl Gru {
    pub fn new(width: usize) -> Self {
        Self { state: vec![0.0; width] }
    }

    /// The state after `x`. The matrices hold reset gate, update gate and candidate, in this order.
    pub fn step(&mut self, input: &Dense, recurrent: &Dense, x: &[f32]) -> &[f32] {
        let (from_input, from_state) = (input.of([x].into_iter()), recurrent.of([&self.state[..]].into_iter()));
        let width = self.state.len();
        let sigmoid = |value: f32| 1.0 / (1.0 + (-value).exp());
        for (i, state) in self.state.iter_mut().enumerate() {
            let reset = sigmoid(from_input[i] + from_state[i]);
            let keep = sigmoid(from_input[width + i] + from_state[width + i]);
            let candidate = (from_input[2 * width + i] + reset * from_state[2 * width + i]).tanh();
            *state = (1.0 - keep) * candidate + keep * *state;
        }
        &self.state
    }
}
