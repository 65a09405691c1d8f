//! Puts the tool calls of an answer together from what is streamed of them.
//!
//! PURE. OpenAI streams each call in fragments under an index, its id and name in the first of them. Others send whole
//! calls, without an index or all under the same one, without an id, or the name again with each fragment; some give
//! the arguments as an object. A call is given out when the answer ends, since only then is it known to be whole.

use serde_json::Value;

use super::wire::CallDelta;
use crate::dialogue::ToolCall;

/// More calls in one answer are no answer.
const MOST_CALLS: usize = 32;

/// The calls of one answer, in the order in which they began.
#[derive(Debug, Default)]
pub struct Calls(Vec<Call>);

#[derive(Debug, Default)]
struct Call {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
}

/// The tool whose arguments cannot be used, and why.
#[derive(Debug, PartialEq, Eq)]
pub struct Unusable {
    pub tool: String,
    pub reason: String,
}

impl Calls {
    /// False if these are more calls than an answer can have.
    pub fn push(&mut self, delta: CallDelta) -> bool {
        let (id, name) = (delta.id.unwrap_or_default(), delta.function.name.unwrap_or_default());
        let call = match self.0.iter().rposition(|call| call.goes_on(delta.index, &id, &name)) {
            Some(position) => &mut self.0[position],
            None if self.0.len() == MOST_CALLS => return false,
            None => {
                self.0.push(Call { index: delta.index, ..Call::default() });
                let last = self.0.len() - 1;
                &mut self.0[last]
            }
        };
        if call.id.is_empty() {
            call.id = id;
        }
        if call.name != name {
            call.name.push_str(&name);
        }
        match delta.function.arguments {
            None | Some(Value::Null) => {}
            Some(Value::String(fragment)) => call.arguments.push_str(&fragment),
            Some(whole) => call.arguments.push_str(&whole.to_string()),
        }
        true
    }

    /// The calls, now that the answer has ended. `new_id` names those that came without a name.
    pub fn finish(self, mut new_id: impl FnMut() -> String) -> Vec<Result<ToolCall, Unusable>> {
        self.0.into_iter().map(|call| call.finish(&mut new_id)).collect()
    }
}

impl Call {
    /// Whether a fragment belongs to this call.
    fn goes_on(&self, index: Option<u64>, id: &str, name: &str) -> bool {
        let is_other = !id.is_empty() && !self.id.is_empty() && id != self.id;
        match index {
            Some(_) => self.index == index && !is_other,
            // Without an index a name begins a call.
            None => !is_other && (name.is_empty() || (!id.is_empty() && id == self.id)),
        }
    }

    fn finish(self, new_id: &mut impl FnMut() -> String) -> Result<ToolCall, Unusable> {
        // Some send nothing where there is nothing to say.
        let arguments = if self.arguments.trim().is_empty() { "{}".to_owned() } else { self.arguments };
        let unusable = |reason: String| Err(Unusable { tool: self.name.clone(), reason });
        match serde_json::from_str::<Value>(&arguments) {
            Err(error) => unusable(format!("they are no JSON: {error}")),
            Ok(value) if !value.is_object() => unusable("they are no JSON object".to_owned()),
            Ok(_) if self.name.is_empty() => unusable("the tool has no name".to_owned()),
            Ok(_) => {
                let id = if self.id.is_empty() { new_id() } else { self.id };
                Ok(ToolCall { id, name: self.name, arguments })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn finish(deltas: Value) -> Vec<Result<ToolCall, Unusable>> {
        let mut calls = Calls::default();
        for delta in serde_json::from_value::<Vec<CallDelta>>(deltas).unwrap() {
            assert!(calls.push(delta));
        }
        let mut made = 0;
        calls.finish(|| {
            made += 1;
            format!("made_{made}")
        })
    }

    fn call(id: &str, name: &str, arguments: &str) -> Result<ToolCall, Unusable> {
        Ok(ToolCall { id: id.into(), name: name.into(), arguments: arguments.into() })
    }

    #[test]
    fn fragments_of_two_calls_become_two_calls() {
        let deltas = json!([
            { "index": 0, "id": "a", "function": { "name": "weather", "arguments": "" } },
            { "index": 0, "function": { "arguments": "{\"city\":" } },
            { "index": 1, "id": "b", "function": { "name": "time", "arguments": "{" } },
            { "index": 0, "function": { "arguments": "\"Rome\"}" } },
            { "index": 1, "function": { "arguments": "}" } },
        ]);
        assert_eq!(finish(deltas), [call("a", "weather", "{\"city\":\"Rome\"}"), call("b", "time", "{}")]);
    }

    #[test]
    fn whole_calls_without_an_index_or_all_under_one_stay_apart() {
        let without = json!([
            { "id": "a", "function": { "name": "weather", "arguments": "{}" } },
            { "id": "b", "function": { "name": "weather", "arguments": "{}" } },
        ]);
        assert_eq!(finish(without), [call("a", "weather", "{}"), call("b", "weather", "{}")]);
        let under_one = json!([
            { "index": 0, "id": "a", "function": { "name": "weather", "arguments": "{}" } },
            { "index": 0, "id": "b", "function": { "name": "time", "arguments": "{}" } },
        ]);
        assert_eq!(finish(under_one), [call("a", "weather", "{}"), call("b", "time", "{}")]);
        let nameless = json!([
            { "function": { "name": "time", "arguments": { "zone": "UTC" } } },
            { "function": { "name": "time" } },
        ]);
        assert_eq!(finish(nameless), [call("made_1", "time", "{\"zone\":\"UTC\"}"), call("made_2", "time", "{}")]);
    }

    #[test]
    fn a_name_that_comes_again_is_no_longer_name() {
        let deltas = json!([
            { "index": 0, "id": "a", "function": { "name": "weather", "arguments": "{" } },
            { "index": 0, "id": "a", "function": { "name": "weather", "arguments": "}" } },
        ]);
        assert_eq!(finish(deltas), [call("a", "weather", "{}")]);
        let split = json!([
            { "index": 0, "id": "a", "function": { "name": "wea" } },
            { "index": 0, "function": { "name": "ther", "arguments": "{}" } },
        ]);
        assert_eq!(finish(split), [call("a", "weather", "{}")]);
    }

    #[test]
    fn arguments_that_are_no_object_name_their_tool() {
        for arguments in ["{\"city\":", "nonsense", "[1]", "3", "{}{}"] {
            let deltas = json!([{ "index": 0, "id": "a", "function": { "name": "weather", "arguments": arguments } }]);
            let [Err(unusable)] = &finish(deltas)[..] else { panic!("{arguments} was taken") };
            assert_eq!(unusable.tool, "weather");
        }
        let nameless = json!([{ "index": 0, "function": { "arguments": "{}" } }]);
        assert!(finish(nameless)[0].is_err());
    }

    #[test]
    fn more_calls_than_an_answer_can_have_are_refused() {
        let mut calls = Calls::default();
        let delta = |index| CallDelta { index: Some(index), ..CallDelta::default() };
        let taken = (0..100).filter(|&index| calls.push(delta(index))).count();
        assert_eq!(taken, MOST_CALLS);
        assert!(calls.push(delta(0)), "what has begun goes on");
    }
}
