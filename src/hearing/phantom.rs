//! Words that a recognizer writes although nobody said them: noises in brackets, credits, polite phrases over
//! silence, and endless repetition. Pure text work; the engine says how sure and how loud it was.

use crate::media::HEARING_HZ;

/// How much there was to hear.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// The engine's probability of the first token of the words, 0..1: over a noise, many beginnings are as likely.
    pub first_token: f32,
    /// The geometric mean of the probabilities of the words' tokens, 0..1.
    pub tokens: f32,
    /// The engine's probability that nobody speaks, 0..1, from before it wrote any words.
    pub no_speech: f32,
    /// RMS of the loudest tenth of a second, 1 = full scale.
    pub loudness: f32,
}

impl Evidence {
    /// Of an engine that does not say how sure it is.
    pub fn unknown(loudness: f32) -> Self {
        Self { first_token: 1.0, tokens: 1.0, no_speech: 0.0, loudness }
    }

    /// Measured on spoken and on coughed thanks: 0.72 to 0.94 and 0.03 to 0.22.
    fn is_weak(&self) -> bool {
        self.first_token < 0.25 || self.loudness < 0.005
    }

    /// Coughs, claps and breaths begin with 0.02 to 0.05 and go on with 0.09 to 0.35; a rare name may begin a
    /// sentence with as little, but the rest of it is sure: 0.4 at least in 137 spoken sentences.
    ///
    /// Where the engine hears nobody, it must be sure of its words: of all of them (OpenAI's reference,
    /// whisper/transcribe.py: `no_speech_threshold`, `logprob_threshold`), and of the first, because the rest of a
    /// sentence that it made up or read in its hints is sure by itself.
    fn is_none(&self) -> bool {
        let guessed = self.first_token < 0.06 && self.tokens < 0.35;
        guessed || (self.no_speech > 0.6 && (self.tokens < 0.368 || self.first_token < 0.25))
    }
}

/// RMS of the loudest tenth of a second of sound at [`HEARING_HZ`].
pub fn loudness(pcm: &[f32]) -> f32 {
    let energy = |chunk: &[f32]| chunk.iter().map(|s| s * s).sum::<f32>() / chunk.len() as f32;
    pcm.chunks(HEARING_HZ as usize / 10).map(energy).fold(0.0, f32::max).sqrt()
}

/// Said by people too, so they count as phantoms only where there was little to hear. Letters alone, lower case.
#[rustfmt::skip]
const OVER_SILENCE: &[&str] = &[
    // English
    "you", "bye", "byebye", "so", "oh", "okay", "the", "and", "yeah", "hmm", "mm", "mmm", "imsorry", "ill", "thanks",
    "thankyou", "thankyouverymuch", "thankyousomuch", "thankyouforwatching", "thanksforwatching",
    "thankyouforlistening", "thanksforlistening", "pleasesubscribe", "likeandsubscribe", "seeyounexttime",
    "seeyouinthenextvideo", "illseeyounexttime", "illseeyouinthenextvideo",
    // Chinese
    "谢谢", "謝謝", "谢谢大家", "謝謝大家", "谢谢观看", "謝謝觀看", "谢谢收看", "謝謝收看", "感谢观看", "感謝觀看",
    "感谢收看", "感謝收看", "感谢您的观看", "感謝您的觀看", "谢谢你的观看", "多谢您的观看", "多谢您收看", "多謝您收看",
    "下次再见", "下次再見", "再见", "再見", "拜拜", "我们下期再见", "我們下期再見", "我们下次再见", "好", "嗯", "啊",
    "请订阅", "請訂閱",
    // Japanese
    "ご視聴ありがとうございました", "ご清聴ありがとうございました", "ありがとうございました", "ありがとうございます",
    "おやすみなさい", "チャンネル登録お願いします", "チャンネル登録をお願いいたします", "最後までご視聴いただきありがとうございます", "はい",
    // Korean
    "감사합니다", "고맙습니다", "시청해주셔서감사합니다", "시청해주셔서고맙습니다", "다음영상에서만나요", "네",
    // German, Dutch, Swedish, Danish, Norwegian
    "vielendank", "danke", "dankeschön", "tschüss", "vielendankfürszuschauen", "vielendankfürdieaufmerksamkeit",
    "bisbald", "bedankt", "bedanktvoorhetkijken", "tackförattditittade", "tackförattnitittade", "takforatsemed",
    "takkforatduså", "takkforatdufulgtemed",
    // French, Spanish, Italian, Portuguese, Romanian
    "merci", "mercidavoirregardé", "mercidavoirregardécettevidéo", "aurevoir", "àbientôt", "gracias", "muchasgracias",
    "graciasporver", "graciasporverelvideo", "graciasporverelvídeo", "suscríbete", "suscríbetealcanal", "adiós",
    "grazie", "grazieatutti", "grazieperlavisione", "ciao", "obrigado", "obrigada", "obrigadoporassistir",
    "inscrevasenocanal", "tchau", "mulțumesc", "mulțumescpentruvizionare",
    // Russian, Ukrainian, Polish, Czech
    "спасибо", "спасибозапросмотр", "спасибозавнимание", "продолжениеследует", "подписывайтесьнаканал", "досвидания",
    "дякую", "дякуюзаперегляд", "дякуюзаувагу", "dziękuję", "dziękujęzauwagę", "dziękujęzaoglądanie", "děkuji",
    "děkujizapozornost",
    // Turkish, Arabic, Hindi, Vietnamese, Indonesian, Thai
    "izlediğiniziçinteşekkürler", "teşekkürler", "شكرا", "شكراعلىالمشاهدة",
    "اشتركوافيالقناة", "धनयवाद", "cảmơncácbạnđãtheodõi", "cảmơncácbạnđãxem", "terimakasih",
    "terimakasihtelahmenonton", "ขอบคุณครับ", "ขอบคุณทีรับชม",
];

/// Credits from the subtitles that recognizers were trained on: nobody says them in a conversation. Letters alone,
/// lower case, as part of a text.
#[rustfmt::skip]
const CREDITS: &[&str] = &[
    "amaraorg", "transcriptionbycastingwords", "copyrightwdr", "tvgelderland",
    "字幕由", "字幕志愿者", "字幕志願者", "点赞订阅", "點贊訂閱", "訂閱轉發", "订阅转发",
    "明镜与点点", "明鏡與點點", "明镜需要您的支持", "優優獨播劇場", "优优独播剧场", "詞曲李宗盛", "词曲李宗盛", "独播剧场", "獨播劇場",
    "한글자막by", "mbc뉴스이덕영입니다", "자막제공",
    "untertiteldeszdf", "untertitelimauftragdeszdf", "untertitelungdeszdf", "swr20",
    "ondertiteldoor", "ondertitelingdoor", "undertexteravamara", "textningstina", "svensktextningnu", "btistudios",
    "undertekstereraiimedia", "undertekstingavnicolai", "tekstingavnicolai", "tekstetaf", "danstekstaf",
    "soustitresréaliséspar", "soustitragest", "soustitragesociété", "soustitreurcom", "subtítulosrealizadospor",
    "subtituladopor", "sottotitolicreatidalla", "sottotitoliacura", "revisioneacuradiqtss", "legendaspela",
    "legendadopor", "субтитрысделал", "субтитрысоздавал", "субтитрыделал", "редакторсубтитров",
    "dimatorzok", "субтитридодав", "napisystworzoneprzez", "napisyprzez", "titulkyvytvořil", "altyazımk",
    "ترجمةنانسيقنقر", "υπότιτλοιauthorwave", "ghiềnmìgõ",
];

/// The text without its noises, or an empty text if it is a phantom.
pub fn clean(text: &str, evidence: &Evidence) -> String {
    let text = without_brackets(text);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let letters = letters(&text);
    let phantom = letters.is_empty()
        || evidence.is_none()
        || CREDITS.iter().any(|credit| letters.contains(credit))
        || (evidence.is_weak() && is_said_over_silence(&text, &letters));
    if phantom { String::new() } else { text }
}

/// Whether the whole text, or each of its sentences, is one of [`OVER_SILENCE`].
fn is_said_over_silence(text: &str, whole: &str) -> bool {
    let sentences = || text.split(['.', '!', '?', ',', '。', '！', '？', '，', '、', '…', '؟']).map(letters);
    OVER_SILENCE.contains(&whole)
        || sentences().filter(|sentence| !sentence.is_empty()).all(|sentence| OVER_SILENCE.contains(&&*sentence))
}

/// Letters and digits alone, lower case.
fn letters(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric()).collect()
}

/// Characters of Latin script that take as long to say.
fn weight(c: char) -> usize {
    match c {
        '\u{3040}'..='\u{30ff}' | '\u{ac00}'..='\u{d7af}' => 2,
        '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}' => 3,
        _ => 1,
    }
}

/// Leaves out `[BLANK_AUDIO]`, `(music)`, `*sighs*` and notes; an opening mark without its closing one stays.
fn without_brackets(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['[', '(', '*', '（', '【', '♪']) {
        let (before, marked) = rest.split_at(at);
        kept.push_str(before);
        let Some(open) = marked.chars().next() else { break };
        let inside = &marked[open.len_utf8()..];
        let close = match open {
            '[' => ']',
            '(' => ')',
            '（' => '）',
            '【' => '】',
            same => same,
        };
        match inside.find(close) {
            Some(end) => {
                kept.push(' ');
                rest = &inside[end + close.len_utf8()..];
            }
            None => {
                if open != '♪' {
                    kept.push(open);
                }
                rest = inside;
            }
        }
    }
    kept.push_str(rest);
    kept
}

/// Most characters of Latin script a second that a voice can say; a text beyond that was not all heard.
const MOST_CHARS_A_SECOND: f32 = 30.0;

/// Whether a decoder that lost its place may have written this: one phrase over and over, its last sentence
/// twice, or more than could be said. A second look decides.
pub fn is_runaway(text: &str, seconds: f32) -> bool {
    let weight: usize = text.chars().map(weight).sum();
    weight as f32 > MOST_CHARS_A_SECOND * seconds + 10.0 || repetition(text).is_some() || ends_twice(text)
}

/// Shortest ending, in bytes of its letters, that counts when it is written twice.
const SHORTEST_ENDING: usize = 16;

fn ends_twice(text: &str) -> bool {
    let letters = letters(text);
    (SHORTEST_ENDING..=letters.len() / 2).any(|unit| {
        let (before, last) = letters.as_bytes().split_at(letters.len() - unit);
        before.ends_with(last)
    })
}

/// The text with the phrase that it ends in, over and over, said once.
pub fn without_repetition(text: &str) -> &str {
    repetition(text).map_or(text, |end| text[..end].trim_end())
}

/// People say "no, no, no, no" and "对对对": so often, and so many letters in all, by their weight, only a decoder does.
const LEAST_REPEATS: usize = 4;
const LEAST_REPEATED: usize = 20;

/// Where the first saying of the phrase ends that fills the rest of the text, if there is one.
fn repetition(text: &str) -> Option<usize> {
    // Letters only, in one case: the same phrase may end in a comma or a full stop.
    let letters: Vec<(usize, char)> = text
        .char_indices()
        .filter(|(_, c)| c.is_alphanumeric())
        .flat_map(|(at, c)| c.to_lowercase().map(move |c| (at, c)))
        .collect();
    let same = |a: &[(usize, char)], b: &[(usize, char)]| a.iter().zip(b).all(|(a, b)| a.1 == b.1);
    (1..=letters.len() / 4).find_map(|unit| {
        let last = &letters[letters.len() - unit..];
        let repeats = letters.rchunks_exact(unit).take_while(|chunk| same(chunk, last)).count();
        // The end may be cut off within the phrase, which shifts it, but a shifted phrase repeats as well.
        let weight: usize = last.iter().map(|(_, c)| weight(*c)).sum();
        if repeats < LEAST_REPEATS || repeats * weight < LEAST_REPEATED {
            return None;
        }
        let second = letters.len() - (repeats - 1) * unit;
        letters.get(second).map(|&(at, _)| at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLEAR: Evidence = Evidence { first_token: 0.9, tokens: 0.8, no_speech: 0.01, loudness: 0.1 };
    const SILENT: Evidence = Evidence { loudness: 0.001, ..CLEAR };

    #[test]
    fn noises_in_brackets_are_not_words() {
        assert_eq!(clean(" [BLANK_AUDIO]", &CLEAR), "");
        assert_eq!(clean("(upbeat music)", &CLEAR), "");
        assert_eq!(clean("♪ ♪", &CLEAR), "");
        assert_eq!(clean(" *sighs* Well, (coughs) yes.", &CLEAR), "Well, yes.");
        assert_eq!(clean("...", &CLEAR), "");
        assert_eq!(clean("f(x is open", &CLEAR), "f(x is open");
    }

    #[test]
    fn thanks_over_silence_are_a_phantom_and_thanks_aloud_are_not() {
        assert_eq!(clean(" Thank you.", &SILENT), "");
        assert_eq!(clean(" Thank you.", &CLEAR), "Thank you.");
        assert_eq!(clean("Thank you.", &Evidence { first_token: 0.2, tokens: 0.5, ..CLEAR }), "");
        assert_eq!(clean("What is the time?", &SILENT), "What is the time?");
    }

    #[test]
    fn words_that_the_engine_only_guessed_are_a_phantom_and_a_rare_name_is_not() {
        let guessed = Evidence { first_token: 0.03, tokens: 0.12, ..CLEAR };
        assert_eq!(clean("I'm not a bad guy.", &guessed), "");
        assert_eq!(clean("Xanthippe was his wife.", &Evidence { tokens: 0.6, ..guessed }), "Xanthippe was his wife.");
    }

    #[test]
    fn where_the_engine_hears_nobody_it_must_be_sure_of_its_words() {
        let nobody = Evidence { no_speech: 0.8, ..CLEAR };
        assert_eq!(clean("I'm going to go.", &Evidence { tokens: 0.3, ..nobody }), "");
        assert_eq!(clean("I'm going to go.", &Evidence { first_token: 0.1, ..nobody }), "");
        assert_eq!(clean("Good morning.", &nobody), "Good morning.", "a quiet voice");
        assert_eq!(clean("Good morning.", &Evidence { tokens: 0.3, ..CLEAR }), "Good morning.", "a mumbled word");
    }

    #[test]
    fn polite_phrases_of_every_language_over_silence_are_phantoms() {
        let phrases = [
            "谢谢大家！",
            "感謝您的觀看，下次再見。",
            "ご視聴ありがとうございました。",
            "시청해주셔서 감사합니다.",
            "Vielen Dank fürs Zuschauen!",
            "Merci d'avoir regardé cette vidéo !",
            "¡Gracias por ver el video!",
            "Спасибо за просмотр! Продолжение следует...",
            "İzlediğiniz için teşekkürler.",
            "Cảm ơn các bạn đã theo dõi.",
            "Thank you. Thank you. Bye.",
        ];
        for phrase in phrases {
            assert_eq!(clean(phrase, &SILENT), "", "{phrase}");
            assert_eq!(clean(phrase, &CLEAR), phrase);
        }
        for said in ["谢谢你帮我订票。", "Danke, das reicht mir.", "Thank you. What is the time?", "再见了我的朋友"]
        {
            assert_eq!(clean(said, &SILENT), said, "only the whole phrase");
        }
    }

    #[test]
    fn credits_are_always_phantoms() {
        let credits = [
            "Subtitles by the Amara.org community",
            "字幕由Amara.org社区提供",
            "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目",
            "請不吝點贊、訂閱、轉發、打賞支持明鏡與點點欄目",
            "优优独播剧场——YoYo Television Series Exclusive",
            "MBC 뉴스 이덕영입니다.",
            "Untertitel im Auftrag des ZDF für funk, 2017",
            "Sous-titrage ST' 501",
            "Sottotitoli e revisione a cura di QTSS",
            "Субтитры сделал DimaTorzok",
            "Napisy stworzone przez społeczność Amara.org",
            "Υπότιτλοι AUTHORWAVE",
        ];
        for credit in credits {
            assert_eq!(clean(credit, &CLEAR), "", "{credit}");
        }
        for said in
            ["我想给这个视频加字幕。", "Can you turn on the subtitles?", "请点赞这个想法", "Die Untertitel sind gut."]
        {
            assert_eq!(clean(said, &CLEAR), said);
        }
    }

    #[test]
    fn lists_are_written_as_they_are_compared() {
        for phrase in OVER_SILENCE.iter().chain(CREDITS) {
            assert_eq!(letters(phrase), *phrase);
        }
    }

    #[test]
    fn a_phrase_over_and_over_is_a_runaway_and_is_said_once() {
        let text = "Well. I am sure. I am sure, I am sure. I am sure.";
        assert!(is_runaway(text, 10.0));
        assert_eq!(without_repetition(text), "Well. I am sure.");
        assert!(is_runaway(&"又一次".repeat(8), 10.0));
        assert_eq!(without_repetition("我说，好的好的好的好的。"), "我说，好的");
        assert_eq!(without_repetition("네네네네네네네네네네네네"), "네");
        for said in [
            "对对对对。",
            "好的，好的，好的。",
            "No, no, no, no.",
            "It was the best of times, it was the worst of times,",
            "",
        ] {
            assert!(!is_runaway(said, 3.0));
            assert_eq!(without_repetition(said), said);
        }
    }

    #[test]
    fn a_last_sentence_written_twice_is_looked_at_again_and_kept_if_it_stays() {
        let text = "It was the age of wisdom. It was the age of foolishness. It was the age of foolishness.";
        assert!(is_runaway(text, 10.0));
        assert_eq!(without_repetition(text), text);
        assert!(is_runaway("法国的首都是巴黎。法国的首都是巴黎。", 10.0));
        for said in ["Try again. Try again.", "It was the age of wisdom, it was the age of foolishness."] {
            assert!(!is_runaway(said, 10.0));
        }
    }

    #[test]
    fn more_than_can_be_said_is_a_runaway() {
        let text =
            "In short, the period was so far like the present period that some of its noisiest authorities insisted.";
        assert!(is_runaway(text, 2.6));
        assert!(!is_runaway(text, 5.0));
        let text = "从前有一个人住在山里他每天都去河边打水然后再走很远的路回到家里";
        assert!(is_runaway(text, 2.0) && !is_runaway(text, 5.0));
    }
}
