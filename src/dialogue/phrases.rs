//! The few sentences that the avatar says of its own accord, in each language it knows.
//!
//! PURE data. They are spoken when the language model cannot answer, so that silence never means a fault.

/// What is said when the model failed, before its first word or in mid-answer.
pub fn apology(language: &str, began: bool) -> &'static str {
    match (language, began) {
        ("zh", false) => "抱歉，我现在无法回答，请稍后再试。",
        ("zh", true) => "抱歉，我的回答中断了，请再问一次。",
        (_, false) => "Sorry, I cannot answer right now. Please try again in a moment.",
        (_, true) => "Sorry, I lost my train of thought. Please ask me again.",
    }
}
