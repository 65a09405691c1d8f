//! The few sentences that the avatar says of its own accord, in each language it knows.
//!
//! PURE data. They are spoken when the language model cannot answer, so that silence never means a fault, and while
//! a tool works.

/// What is said when the model failed, before its first word or in mid-answer.
pub fn apology(language: &str, began: bool) -> &'static str {
    match (language, began) {
        ("zh", false) => "抱歉，我现在无法回答，请稍后再试。",
        ("zh", true) => "抱歉，我的回答中断了，请再问一次。",
        (_, false) => "Sorry, I cannot answer right now. Please try again in a moment.",
        (_, true) => "Sorry, I lost my train of thought. Please ask me again.",
    }
}

/// What is said while a tool works; not the same every time.
pub fn moment(language: &str, number: u64) -> &'static str {
    const ENGLISH: [&str; 4] = ["One moment, please.", "Let me look.", "Just a second.", "Let me check."];
    const CHINESE: [&str; 4] = ["请稍等。", "我看一下。", "稍等片刻。", "我查一下。"];
    let phrases = if language == "zh" { CHINESE } else { ENGLISH };
    phrases[(number % 4) as usize]
}
