//! Grammars in llama.cpp's notation (GBNF), rule by rule, bounded in size. It knows the notation and what JSON is;
//! what a JSON schema means is `schema`'s.
//!
//! The JSON that these grammars allow is compact: at most one space after a colon or comma. A model that were free to
//! indent would spend a third of its tokens on it.

use crate::json::quoted;

/// More than any schema that a person writes; a grammar's rules are followed by recursion.
const MOST_RULES: usize = 1000;
const MOST_BYTES: usize = 256 << 10;

/// The rules of any JSON value, taken into a grammar when first asked for. A character of a text is never half of a
/// surrogate pair, so that every answer is Unicode.
const JSON_RULES: &str = r#"sp ::= " "?
hex ::= [0-9a-fA-F]
escape ::= "\\" ( ["\\/bfnrt] | "u" ( [0-9abcefABCEF] hex hex hex | [dD] [0-7] hex hex ) )
char ::= [^"\\\x7F\x00-\x1F] | escape
string ::= "\"" char* "\""
integer ::= "-"? ( "0" | [1-9] [0-9]{0,15} )
number ::= integer ( "." [0-9]{1,16} )? ( [eE] [-+]? [0-9]{1,3} )?
boolean ::= "true" | "false"
null ::= "null"
member ::= string ":" sp value
object ::= "{" ( member ( "," sp member )* )? "}"
array ::= "[" ( value ( "," sp value )* )? "]"
value ::= object | array | string | number | boolean | null
"#;

/// The grammar is larger than any schema that a person writes.
#[derive(Debug, PartialEq, Eq)]
pub struct TooLarge;

/// A grammar in the making.
#[derive(Debug, Default)]
pub struct Grammar {
    rules: Vec<Option<String>>,
    bytes: usize,
}

/// The name of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule(usize);

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "r{}", self.0)
    }
}

impl Grammar {
    /// A rule whose body comes later, so that it may refer to itself.
    pub fn reserve(&mut self) -> Result<Rule, TooLarge> {
        if self.rules.len() == MOST_RULES {
            return Err(TooLarge);
        }
        self.rules.push(None);
        Ok(Rule(self.rules.len() - 1))
    }

    /// Gives a reserved rule its body.
    pub fn define(&mut self, rule: Rule, body: String) -> Result<(), TooLarge> {
        self.bytes += body.len();
        if self.bytes > MOST_BYTES {
            return Err(TooLarge);
        }
        self.rules[rule.0] = Some(body);
        Ok(())
    }

    /// A new rule.
    pub fn rule(&mut self, body: String) -> Result<Rule, TooLarge> {
        let rule = self.reserve()?;
        self.define(rule, body)?;
        Ok(rule)
    }

    /// The whole text, beginning with `root`.
    pub fn finish(self, root: &str) -> String {
        let mut text = format!("root ::= {root}\n");
        for (index, body) in self.rules.into_iter().enumerate() {
            // A rule that was never defined is one that nothing refers to.
            if let Some(body) = body {
                text.push_str(&format!("{} ::= {body}\n", Rule(index)));
            }
        }
        text.push_str(JSON_RULES);
        text
    }
}

/// Exactly this text.
pub fn literal(text: &str) -> String {
    let mut literal = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => literal.extend(['\\', c]),
            '\n' => literal.push_str("\\n"),
            c if c.is_control() => literal.push_str(&format!("\\U{:08X}", u32::from(c))),
            c => literal.push(c),
        }
    }
    literal.push('"');
    literal
}

/// The name of an object's field with its colon.
pub fn field(name: &str) -> String {
    format!("{} sp", literal(&format!("{}:", quoted(name))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_written_so_that_they_are_read_as_themselves() {
        assert_eq!(literal("a\"b\\c\n\u{7}语"), r#""a\"b\\c\n\U00000007语""#);
        assert_eq!(field("it's \"x\""), r#""\"it's \\\"x\\\"\":" sp"#);
    }

    #[test]
    fn a_grammar_has_an_end() {
        let mut grammar = Grammar::default();
        while grammar.rule("\"a\"".to_owned()).is_ok() {}
        assert_eq!(grammar.rules.len(), MOST_RULES);
        assert_eq!(Grammar::default().rule("x".repeat(MOST_BYTES + 1)), Err(TooLarge));
    }
}
