//! Readings that depend on the words around a character: rules for frequent characters that are words by themselves,
//! where no phrase decides. Pure.

use super::segment::Word;

/// Where a rule looks.
enum Near {
    /// What stands before the character ends with one of these.
    After(&'static [&'static str]),
    /// What stands after the character begins with one of these.
    Before(&'static [&'static str]),
    /// It is a word by itself.
    Alone,
}
use Near::{After, Alone, Before};

/// Words that count, or ask for a number, before a measure word.
const COUNTING: &[&str] = &[
    "一", "二", "两", "三", "四", "五", "六", "七", "八", "九", "十", "百", "千", "万", "几", "半", "这", "那", "哪",
    "每", "各", "多少", "数",
];

/// For a character, in order: the first rule that holds decides. Its usual reading stands for what is left.
const RULES: &[(&str, &str, Near)] = &[
    ("行", "xing2", After(&["言一", "阴阳五"])),
    ("行", "xing2", Before(&["人", "李", "不行", "吗", "了", "的"])),
    ("行", "hang2", After(COUNTING)),
    (
        "长",
        "chang2",
        After(&["很", "太", "多", "更", "最", "较", "挺", "不", "够", "么", "非常", "特别", "米", "里", "样"]),
    ),
    ("长", "chang2", Before(&["的", "短", "时间", "达", "约", "裤", "裙", "发"])),
    ("还", "huan2", Before(&["书", "钱", "债", "款", "贷", "清", "账"])),
    (
        "为",
        "wei2",
        After(&["称", "选", "视", "分", "改", "定", "名", "变", "转", "化", "译", "设", "评", "列", "誉", "以"]),
    ),
    (
        "为",
        "wei2",
        Before(&["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "零", "百", "负", "主", "例", "止"]),
    ),
    ("为", "wei2", Before(&["首", "准", "难", "荣", "生", "由", "人知"])),
    ("只", "zhi3", Before(&["有", "是", "能", "会", "要", "好", "不", "在", "想", "需", "用", "剩", "差"])),
    ("只", "zhi1", After(COUNTING)),
    ("种", "zhong3", After(COUNTING)),
    (
        "种",
        "zhong4",
        Before(&[
            "树", "花", "草", "菜", "田", "地", "粮", "瓜", "豆", "水稻", "玉米", "小麦", "棉花", "下", "了", "着",
        ]),
    ),
    ("数", "shu3", After(&["数了", "数一"])),
    ("数", "shu3", Before(&["了数", "到", "不清", "一数", "一下", "着", "星星", "钱", "羊"])),
    ("干", "gan1", After(&["晒", "晾", "烘", "吹", "擦", "烤", "风", "口", "嘴", "喝", "很", "太", "有点"])),
    ("觉", "jiao4", After(&["一", "个", "睡", "懒", "午", "好", "睡了"])),
    ("教", "jiao4", After(&["宗", "佛", "信", "道", "邪", "传", "督"])),
    ("教", "jiao1", Alone),
    ("倒", "dao3", After(&["摔", "跌", "滑", "绊", "推", "打", "撞", "晕", "病", "累", "卧", "压", "击", "吹"])),
    ("倒", "dao3", Before(&["下", "霉", "塌", "闭"])),
    ("转", "zhuan4", Before(&["圈", "动", "盘", "一圈", "来转去", "悠"])),
    ("背", "bei1", Before(&["着", "包", "书包", "起", "负"])),
    ("中", "zhong4", Before(&["奖", "毒", "暑", "弹", "计", "招", "标", "枪", "箭", "了"])),
    ("中", "zhong4", After(&["猜", "击", "命", "射", "投"])),
    ("着", "zhao2", After(&["睡", "逮", "够"])),
    ("假", "jia4", After(&["放", "请", "休", "病", "产", "度", "暑", "寒", "天", "周", "月", "销", "续"])),
    ("空", "kong4", After(&["有", "没", "没有", "抽", "得"])),
    ("量", "liang2", Before(&["体温", "血压", "身高", "一下", "一量", "尺寸"])),
    ("弹", "dan4", After(&["子", "炮", "导", "炸", "核", "氢", "榴", "飞", "中"])),
    ("弹", "tan2", Alone),
    (
        "调",
        "tiao2",
        Before(&["整", "好", "低", "高", "大", "小", "到", "成", "音量", "一下", "亮", "暗", "慢", "快", "温度"]),
    ),
    ("系", "ji4", Before(&["领带", "鞋带", "安全带", "好", "上", "紧", "着"])),
    ("盛", "cheng2", Before(&["饭", "汤", "满", "一碗"])),
];

/// Nouns in which 儿 is a child; elsewhere at the end of a word it is a suffix without a tone.
const CHILDREN: &[&str] = &[
    "女儿",
    "婴儿",
    "幼儿",
    "孤儿",
    "胎儿",
    "健儿",
    "少儿",
    "小儿",
    "育儿",
    "男儿",
    "宠儿",
    "患儿",
    "弃儿",
    "新生儿",
    "混血儿",
    "妻儿",
    "孩儿",
    "托儿",
    "畸形儿",
    "早产儿",
    "幸运儿",
    "弄潮儿",
];

/// The reading of `c`, which no phrase decides, at place `at` (in characters) of `words[index]`; none if it is the usual
/// one.
pub fn reading(words: &[Word<'_>], index: usize, at: usize, c: char) -> Option<&'static str> {
    let word = words.get(index)?;
    let (first, last) = (at == 0, at + 1 == word.text.chars().count());
    match c {
        '得' if last => return de_of_result(words, index),
        '地' if first && last => return is_adverbial(words, index).then_some("de5"),
        '了' if last => return is_able(words, index).then_some("liao3"),
        '里' if last => return is_inside(words, index).then_some("li5"),
        '儿' if last && !first => return (!CHILDREN.contains(&word.text)).then_some("er5"),
        _ => {}
    }
    // 他教 in 他教我们 is in no dictionary: its characters count as words.
    let (first, last) = (first || !word.known, last || !word.known);
    let (before, after) = around(words, index, at, c);
    let holds = |near: &Near| match near {
        After(texts) => last && texts.iter().any(|text| before.ends_with(text)),
        Before(texts) => first && texts.iter().any(|text| after.starts_with(text)),
        Alone => first && last,
    };
    RULES.iter().find(|(of, _, near)| of.starts_with(c) && holds(near)).map(|(_, reading, _)| *reading)
}

/// The text before and after a character, a few words of it.
fn around(words: &[Word<'_>], index: usize, at: usize, c: char) -> (String, String) {
    let text = words[index].text;
    let byte = text.char_indices().nth(at).map_or(0, |(byte, _)| byte);
    let mut before: String = words[index.saturating_sub(2)..index].iter().map(|word| word.text).collect();
    before.push_str(&text[..byte]);
    let mut after = text[byte + c.len_utf8()..].to_owned();
    after.extend(words[index + 1..].iter().take(2).map(|word| word.text));
    (before, after)
}

/// 得: between a verb and how it is done `de5`; must, `dei3`; to get, its usual `de2`.
fn de_of_result(words: &[Word<'_>], index: usize) -> Option<&'static str> {
    if words[index].text != "得" {
        // 跑得, which is in no dictionary: a verb with 得.
        return (!words[index].known).then_some("de5");
    }
    let before = index.checked_sub(1).map_or("", |before| words[before].tag);
    let Some(next) = words.get(index + 1) else { return Some("de5") };
    if !before.is_empty() && !before.starts_with(['r', 'd', 'n', 't', 'c']) {
        return Some("de5");
    }
    let gets = next.text.starts_with(['了', '到', '过']) || next.tag.starts_with(['m', 'n']);
    (!gets && next.tag.starts_with(['v', 'd', 'p', 'c', 'a'])).then_some("dei3")
}

/// 地 after a word that tells how, before what is done.
fn is_adverbial(words: &[Word<'_>], index: usize) -> bool {
    let Some(before) = index.checked_sub(1).map(|before| words[before]) else { return false };
    let doubled = before.text.chars().count() > 1 && before.text.chars().next() == before.text.chars().nth(1);
    let how = doubled || before.tag.starts_with(['a', 'd', 'z', 'i', 'l', 'v', 'o', 'b']);
    how && words.get(index + 1).is_some_and(|next| next.tag.starts_with(['v', 'd', 'p', 'a', 'r', 'i', 'l', 'z']))
}

/// 里 after a noun, but not the unit of length and not 哪里.
fn is_inside(words: &[Word<'_>], index: usize) -> bool {
    let text = words[index].text;
    if text == "里" {
        return index.checked_sub(1).is_some_and(|before| words[before].tag.starts_with(['n', 's', 't', 'r']));
    }
    let before = text.trim_end_matches('里').chars().next_back();
    before.is_some_and(|c| !"公英海华千万百十几两半数多余哪故邻乡".contains(c))
}

/// 了 in 吃不了, 做得了.
fn is_able(words: &[Word<'_>], index: usize) -> bool {
    let (before, _) = around(words, index, words[index].text.chars().count() - 1, '了');
    let single_de =
        words[index].text == "得了" || index.checked_sub(1).is_some_and(|before| words[before].text == "得");
    (before.ends_with('不') || single_de) && before.chars().count() > 1
}
