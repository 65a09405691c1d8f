//! Tests of the whole way, on words and sentences whose readings are known.

use super::*;
use crate::voice::normalize::for_speech;
use crate::voice::sentences::sentences;

fn rows(file: &'static str, between: char) -> impl Iterator<Item = (&'static str, &'static str)> {
    file.lines().filter(|line| !line.starts_with('#')).filter_map(move |line| line.split_once(between))
}

/// `text` in the voice's characters, other scripts in brackets, as a clause is taken apart.
fn written(chinese: &Chinese, text: &str) -> String {
    let ranges = words::ranges(text);
    let mut out = String::new();
    for part in sentences(&for_speech(text, "zh")).iter().flat_map(|sentence| &sentence.parts) {
        for piece in chinese.pieces(&part.text, &ranges) {
            if !out.is_empty() {
                out.push(' ');
            }
            match piece {
                Piece::Chinese(symbols) => out.extend(symbols.iter().map(|symbol| symbol.symbol)),
                Piece::Other(range) => out.push_str(&format!("[{}]", &part.text.as_str()[range])),
            }
        }
        out.extend(part.punctuation);
    }
    out
}

#[test]
fn known_words_are_read_as_they_are_said() {
    let chinese = Chinese::load();
    let known: Vec<_> = rows(include_str!("known.txt"), ' ').collect();
    assert!(known.len() > 200, "{}", known.len());
    let wrong: Vec<_> = known.iter().filter(|(word, reading)| chinese.pinyin(word) != *reading).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn known_sentences_are_written_as_the_voice_knows_them() {
    let chinese = Chinese::load();
    let known: Vec<_> = rows(include_str!("sentences.txt"), '\t').collect();
    assert!(known.len() >= 60, "{}", known.len());
    for (text, expected) in known {
        assert_eq!(written(&chinese, text), expected, "{text}");
    }
}

#[test]
fn readings_follow_the_words_around() {
    let chinese = Chinese::load();
    for (text, expected) in [
        ("他跑得很快", "ta1 pao3 de5 hen3 kuai4"),
        ("我得走了", "wo2 dei2 zou3 le5"),
        ("慢慢地走在地上", "man4 man4 de5 zou3 zai4 di4 shang4"),
        ("还书", "huan2 shu1"),
        ("还是", "hai2 shi4"),
        ("都是", "dou1 shi4"),
        ("吃不了", "chi1 bu4 liao3"),
        ("好了", "hao3 le5"),
        ("一行字", "yi4 hang2 zi4"),
        ("三只狗", "san1 zhi1 gou3"),
        ("只有三只", "zhi2 you3 san1 zhi1"),
        ("他教我们", "ta1 jiao1 wo3 men5"),
        ("他弹着钢琴", "ta1 tan2 zhe5 gang1 qin2"),
        ("睡了一觉", "shui4 le5 yi2 jiao4"),
        ("很长", "hen3 chang2"),
        ("请了三天假", "qing3 le5 san1 tian1 jia4"),
    ] {
        assert_eq!(chinese.pinyin(text), expected, "{text}");
    }
}

#[test]
fn one_keeps_its_tone_in_numbers_and_changes_elsewhere() {
    let chinese = Chinese::load();
    for (text, expected) in [
        ("一百一十一", "yi4 bai3 yi1 shi2 yi1"),
        ("一千一百", "yi4 qian1 yi4 bai3"),
        ("一万", "yi2 wan4"),
        ("二零二一年", "er4 ling2 er4 yi1 nian2"),
        ("一年级", "yi1 nian2 ji2"),
        ("十一月一日", "shi2 yi1 yue4 yi1 ri4"),
        ("一点五", "yi1 dian2 wu3"),
        ("一点十五分", "yi4 dian3 shi2 wu3 fen1"),
        ("星期一上午", "xing1 qi1 yi1 shang4 wu3"),
        ("不一样", "bu4 yi2 yang4"),
    ] {
        assert_eq!(chinese.pinyin(text), expected, "{text}");
    }
}

#[test]
fn other_scripts_are_left_to_the_caller_in_their_places() {
    let chinese = Chinese::load();
    for (text, expected) in [
        ("我用GPU跑3个test模型", "wo↓jʊ↘ŋ [GPU] pʰau↓ sa→nkɤ↘ [test] mwo↗ɕi↗ŋ"),
        ("C++ 很难。", "[C++] xə↓nna↗n."),
        ("你 好", "ni↗xau↓"),
        ("安娜·卡列尼娜", "a→nna↘ kʰa↓lje↘ni↗ na↘"),
        ("Hello 世界!", "[Hello] ʂɨ↘ʨje↘!"),
        ("カタカナ", "[カタカナ]"),
        ("😀", ""),
    ] {
        assert_eq!(written(&chinese, text), expected, "{text}");
    }
}

#[test]
fn every_symbol_belongs_to_the_word_it_was_written_as() {
    let chinese = Chinese::load();
    let text = "共 2026年，用GPU。";
    let ranges = words::ranges(text);
    let mut said = vec![String::new(); ranges.len()];
    for part in sentences(&for_speech(text, "zh")).iter().flat_map(|sentence| &sentence.parts) {
        for piece in chinese.pieces(&part.text, &ranges) {
            match piece {
                Piece::Chinese(symbols) => {
                    let spaced = |symbol: &Symbol| (symbol.symbol == ' ') == symbol.word.is_none();
                    assert!(symbols.iter().all(spaced), "{symbols:?}");
                    for symbol in &symbols {
                        said.iter_mut()
                            .enumerate()
                            .filter(|(at, _)| symbol.word == Some(*at))
                            .for_each(|(_, said)| said.push(symbol.symbol));
                    }
                }
                Piece::Other(range) => {
                    assert_eq!(&text[ranges[words::index_at(&ranges, part.text.from(range.start))].clone()], "GPU。")
                }
            }
        }
    }
    assert_eq!(said, ["kʊ↘ŋ", "ɚ↘li↗ŋɚ↘ljou↘", "njɛ↗n", "jʊ↘ŋ", ""]);
}

#[test]
fn any_text_has_pieces_that_say_something() {
    let chinese = Chinese::load();
    for text in [
        "",
        " ",
        "·",
        "㍿𠀀〇々",
        "龦龧",
        "のに",
        "一".repeat(4000).as_str(),
        "a\u{301}字\u{200d}字\u{fffd}",
        "不不不一一一",
    ] {
        for piece in chinese.pieces(&Traced::whole(text), &words::ranges(text)) {
            match piece {
                Piece::Chinese(symbols) => assert!(!symbols.is_empty()),
                Piece::Other(range) => assert!(text[range].chars().any(char::is_alphanumeric), "{text}"),
            }
        }
    }
}
