//! Numbers, dates, times, money and units as they are said in Chinese. Pure.
//!
//! [`expression`] reads what stands at one place of a text, whose language is known to be Chinese there.

mod codes;
mod numbers;
pub mod units;

use self::numbers::{One, cardinal, digits};
use self::units::{currency, is_counted, unit};
use super::numbers::{self as written, Number, after_any};
use super::spelling::Expression;

/// Between the two ends of a range.
const TO: &str = "-~–—～−";
/// What stands before a digit as its sign.
const MINUS: &str = "-−";

/// What is said for the number or sign at byte `at` of `text`; none if it is left as it is.
pub fn expression(text: &str, at: usize) -> Option<Expression> {
    let mut reader = Reader { text, at, said: Vec::new() };
    let before = text[..at].chars().next_back();
    let first = text[at..].chars().next()?;
    if first.is_ascii_uppercase() && currency(&text[at..]).is_none() {
        return codes::train(before, &text[at..])
            .map(|(said, length)| Expression { end: at + length, said: vec![(at, said)] });
    }
    if !first.is_ascii_digit() && !reader.begins_number(before) {
        return sign(text, at, first);
    }
    if first.is_ascii_digit() && is_within(&text[..at]) {
        return None;
    }
    let read = reader.date() || reader.spelled(codes::telephone) || reader.quantities();
    read.then(|| reader.expression())
}

/// Whether a digit after `before` belongs to what was left as it is: `B12`, `GPT-4`, `1.2`.
fn is_within(before: &str) -> bool {
    let lettered = |text: &str| text.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let numbered = |text: &str| text.ends_with(|c: char| c.is_ascii_digit());
    lettered(before)
        || before.strip_suffix('-').is_some_and(lettered)
        || before.strip_suffix(['.', ',', ':']).is_some_and(numbered)
}

/// A sign between numbers or words.
fn sign(text: &str, at: usize, sign: char) -> Option<Expression> {
    let near = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit() || "%)(".contains(c));
    let beside = near(text[..at].trim_end().chars().next_back())
        && near(text[at + sign.len_utf8()..].trim_start().chars().next());
    let said = match sign {
        '=' => "等于",
        '≈' => "约等于",
        '≥' => "大于等于",
        '≤' => "小于等于",
        '×' => "乘",
        '÷' => "除以",
        '±' => "正负",
        '&' | '＆' => "和",
        '+' if beside || !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '+') => "加",
        '>' if beside => "大于",
        '<' if beside => "小于",
        _ => return None,
    };
    Some(Expression { end: at + sign.len_utf8(), said: vec![(at, said.to_owned())] })
}

struct Reader<'a> {
    text: &'a str,
    /// Up to here it is read.
    at: usize,
    said: Vec<(usize, String)>,
}

impl<'a> Reader<'a> {
    fn expression(self) -> Expression {
        Expression { end: self.at, said: self.said }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn before(&self) -> &'a str {
        &self.text[..self.at]
    }

    /// Says `said` for the next `length` bytes.
    fn say(&mut self, said: impl Into<String>, length: usize) {
        self.said.push((self.at, said.into()));
        self.at += length;
    }

    /// A sign or a currency before a digit.
    fn begins_number(&self, before: Option<char>) -> bool {
        let rest = self.rest();
        let digit = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        let free = before.is_none_or(|c| !c.is_ascii_alphanumeric() && !")%".contains(c));
        let signed = after_any(rest, MINUS).or_else(|| after_any(rest, "~+～"));
        free && signed
            .is_some_and(|rest| digit(rest) || currency(rest).is_some_and(|(_, length)| digit(&rest[length..])))
            || currency(rest).is_some_and(|(_, length)| digit(rest[length..].trim_start()))
    }

    /// Says what `spell` finds in what comes next.
    fn spelled(&mut self, spell: impl Fn(&str) -> Option<(String, usize)>) -> bool {
        let found = spell(self.rest());
        if let Some((said, length)) = found.clone() {
            self.say(said, length);
        }
        found.is_some()
    }

    fn date(&mut self) -> bool {
        let Some(([year, month, day], length)) = written::date(self.rest()) else { return false };
        let said = format!("{}年{}月{}日", digits(year, One::Yi), cardinal(month), cardinal(day));
        self.say(said, length);
        true
    }

    /// One quantity, or a range of them.
    fn quantities(&mut self) -> bool {
        if !self.quantity() {
            return false;
        }
        let spaces = self.rest().len() - self.rest().trim_start_matches(' ').len();
        let Some(after) = after_any(&self.rest()[spaces..], TO) else { return true };
        let ahead = after.trim_start_matches(' ');
        let digit = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        if !(digit(ahead)
            || after_any(ahead, MINUS).is_some_and(digit)
            || currency(ahead).is_some_and(|(_, length)| digit(&ahead[length..])))
        {
            return true;
        }
        let (said, sign) = (self.said.len(), self.at + spaces);
        self.at = self.text.len() - ahead.len();
        if self.quantity() {
            let equals = self.rest().trim_start_matches(' ').starts_with('=');
            self.said.insert(said, (sign, if equals { "减" } else { "到" }.to_owned()));
        } else {
            self.said.truncate(said);
            self.at = sign;
        }
        true
    }

    fn quantity(&mut self) -> bool {
        let negative = after_any(self.rest(), MINUS).is_some();
        if let Some(said) = [("-", "负"), ("−", "负"), ("+", "正"), ("~", "约"), ("～", "约")]
            .iter()
            .find_map(|(sign, said)| self.rest().starts_with(sign).then_some((*said, sign.len())))
        {
            self.say(said.0, said.1);
        }
        if let Some((name, length)) = currency(self.rest()) {
            return self.money(name, length);
        }
        if !negative && (self.time() || self.fraction() || self.dotted()) {
            return true;
        }
        let Some(number) = Number::parse(self.rest()) else { return false };
        self.number(number);
        true
    }

    fn money(&mut self, name: &str, sign: usize) -> bool {
        let start = self.at;
        let spaces = self.rest()[sign..].len() - self.rest()[sign..].trim_start_matches(' ').len();
        self.at += sign + spaces;
        let Some(number) = Number::parse(self.rest()) else {
            self.at = start;
            return false;
        };
        let more = &self.rest()[number.length..];
        let more = &more[..more.find(|c| !"百千万亿".contains(c)).unwrap_or(more.len())];
        let named = ["元", "块", "美元", "美金", "欧元", "英镑"];
        let is_named = named.iter().any(|name| self.rest()[number.length + more.len()..].starts_with(name));
        // 29.90 is 29.9.
        let fraction = number.fraction.map(|fraction| fraction.trim_end_matches('0')).filter(|f| !f.is_empty());
        let counted =
            if fraction.is_none() { two(number.whole, if more.is_empty() { "元" } else { more }) } else { None };
        let mut said = counted.unwrap_or_else(|| decimal(number.whole, fraction));
        said.push_str(more);
        if !is_named {
            said.push_str(name);
        }
        let length = number.length + more.len();
        self.said.push((start, said));
        self.at += length;
        true
    }

    fn time(&mut self) -> bool {
        let rest = self.rest();
        let Some((parts, length)) = written::clock(rest) else { return self.ratio() };
        let score = ["比分", "比", "比例", "比率"]
            .iter()
            .any(|word| self.before().trim_end_matches(['为', '是', ' ']).ends_with(word));
        if score {
            return self.ratio();
        }
        let [Some(hour), Some(minute), second] = parts else { return false };
        let half = &rest[length..];
        let lower: String = half.trim_start_matches(' ').chars().take(5).collect::<String>().to_ascii_lowercase();
        let noon = ["am", "a.m.", "pm", "p.m."].iter().find(|mark| {
            lower.strip_prefix(**mark).is_some_and(|after| !after.starts_with(|c: char| c.is_ascii_alphanumeric()))
        });
        let spaces = half.len() - half.trim_start_matches(' ').len();
        let length = length + noon.map_or(0, |mark| spaces + mark.len());
        let mut said = String::new();
        said.push_str(match noon.map(|mark| mark.starts_with('p')) {
            Some(true) if hour == 12 => "中午",
            Some(true) if (6..12).contains(&hour) => "晚上",
            Some(true) => "下午",
            Some(false) if hour < 6 || hour == 12 => "凌晨",
            Some(false) => "上午",
            None => "",
        });
        said.push_str(&if hour == 2 { "两".to_owned() } else { cardinal(&hour.to_string()) });
        said.push('点');
        match (minute, second) {
            (0, None) => {}
            (30, None) => said.push('半'),
            (minute, _) => {
                said.push_str(if minute < 10 && minute > 0 { "零" } else { "" });
                said.push_str(&format!("{}分", cardinal(&minute.to_string())));
            }
        }
        if let Some(second) = second {
            said.push_str(&format!("{}秒", cardinal(&second.to_string())));
        }
        self.say(said, length);
        true
    }

    /// 3:1 is 三比一.
    fn ratio(&mut self) -> bool {
        let rest = self.rest();
        let Some(one) = Number::parse(rest) else { return false };
        let Some(after) = after_any(&rest[one.length..], ":：") else { return false };
        let Some(other) = Number::parse(after) else { return false };
        if after_any(&after[other.length..], ":：").is_some_and(|after| written::digits(after) > 0) {
            return false;
        }
        let said = format!("{}比{}", decimal(one.whole, one.fraction), decimal(other.whole, other.fraction));
        self.say(said, rest.len() - after.len() + other.length);
        true
    }

    /// 1/2 is 二分之一.
    fn fraction(&mut self) -> bool {
        let rest = self.rest();
        let over = &rest[..written::digits(rest)];
        let Some(after) = rest[over.len()..].strip_prefix('/') else { return false };
        let under = &after[..written::digits(after)];
        let plain = |text: &str| (1..=4).contains(&text.len()) && !text.starts_with('0');
        if !plain(over) || !plain(under) || after[under.len()..].starts_with(['/', '.']) {
            return false;
        }
        self.say(format!("{}分之{}", cardinal(under), cardinal(over)), over.len() + 1 + under.len());
        true
    }

    /// 3.11.2 and other numbers with several points.
    fn dotted(&mut self) -> bool {
        let rest = self.rest();
        let mut end = written::digits(rest);
        let mut points = 0;
        while let Some(after) = rest[end..].strip_prefix('.')
            && written::digits(after) > 0
        {
            end += 1 + written::digits(after);
            points += 1;
        }
        if points < 2 {
            return false;
        }
        let said: Vec<String> = rest[..end].split('.').map(|group| digits(group, One::Yi)).collect();
        self.say(said.join("点"), end);
        true
    }

    /// A number and what it counts.
    fn number(&mut self, number: Number<'_>) {
        let rest = &self.rest()[number.length..];
        let after = rest.trim_start_matches(' ');
        let percent = per(after).or_else(|| {
            // 3-5%: said for both.
            let other = after_any(rest, TO)?;
            per(&other[Number::parse(other)?.length..]).map(|(said, _)| (said, 0))
        });
        if let Some((said, sign)) = percent {
            let length = if sign == 0 { number.length } else { number.length + rest.len() - after.len() + sign };
            self.say(format!("{said}{}", decimal(number.whole, number.fraction)), length);
            return;
        }
        let unit = unit(after);
        let counted = unit.map_or(after, |(name, _)| name);
        let said = codes::by_digits(self.before(), number, after)
            .or_else(|| two(number.whole, counted).filter(|_| number.fraction.is_none() && !self.is_ordinal()))
            .unwrap_or_else(|| decimal(number.whole, number.fraction));
        // After 第 and other numbers 200 is 二百.
        let said = if self.is_ordinal() { said.replace('两', "二") } else { said };
        self.say(said, number.length);
        if let Some((name, sign)) = unit {
            self.at += rest.len() - after.len();
            self.say(name, sign);
        }
    }

    /// Whether what comes next counts nothing: 第2, 星期2, 3万2.
    fn is_ordinal(&self) -> bool {
        let before = self.before().trim_end_matches(' ');
        ["第", "初", "星期", "礼拜", "周", "百", "千", "万", "亿", "十"].iter().any(|word| before.ends_with(word))
    }
}

fn per(text: &str) -> Option<(&'static str, usize)> {
    [("%", "百分之"), ("％", "百分之"), ("‰", "千分之")]
        .iter()
        .find_map(|(sign, said)| text.starts_with(sign).then_some((*said, sign.len())))
}

/// 两, if `whole` is 2 and counts what follows.
fn two(whole: &str, after: &str) -> Option<String> {
    (whole == "2" && is_counted(after)).then(|| "两".to_owned())
}

fn decimal(whole: &str, fraction: Option<&str>) -> String {
    let mut said = cardinal(whole);
    if let Some(fraction) = fraction {
        // 2.5 is 二点五.
        said = said.replace('两', "二");
        said.push('点');
        said.push_str(&digits(fraction, One::Yi));
    }
    said
}

#[cfg(test)]
mod tests {
    use crate::voice::normalize::for_speech;

    #[test]
    fn numbers_are_said_as_people_say_them() {
        for (written, spoken) in [
            ("一共12,345.6元", "一共一万二千三百四十五点六元"),
            ("2个人，200块，22个", "两个人，两百块，二十二个"),
            ("2月2号2年级，第2个，2年", "二月二号二年级，第二个，两年"),
            ("2.5个，1.05米", "二点五个，一点零五米"),
            ("气温-5度", "气温负五度"),
            ("3-5个，100~200元", "三到五个，一百到两百元"),
            ("-10℃~-5℃", "负十摄氏度到负五摄氏度"),
            ("大概1/2的人", "大概二分之一的人"),
            ("50%，3-5%，0.5%，5‰", "百分之五十，百分之三到百分之五，百分之零点五，千分之五"),
            ("3+5=8，8-3=5，2×3=6", "三加五等于八，八减三等于五，二乘三等于六"),
            ("比分3:1，16:9的屏幕", "比分三比一，十六比九的屏幕"),
            ("人口14亿，3.2万", "人口十四亿，三点二万"),
            ("１２３個", "一百二十三個"),
            ("版本3.11.2很新", "版本三点一一点二很新"),
        ] {
            assert_eq!(for_speech(written, "zh").as_str(), spoken);
        }
    }

    #[test]
    fn dates_and_times() {
        for (written, spoken) in [
            ("2026年11月22日", "二零二六年十一月二十二日"),
            ("今天是2026-11-22，2015/6/1", "今天是二零二六年十一月二十二日，二零一五年六月一日"),
            ("98年，07年，80年代，90后，30年，1000年", "九八年，零七年，八十年代，九零后，三十年，一千年"),
            ("2020-2026年", "二零二零到二零二六年"),
            ("10:30开始，14:05结束，2:00休息", "十点半开始，十四点零五分结束，两点休息"),
            ("3:30 pm见，5:00 am出发，8：15：20", "下午三点半见，凌晨五点出发，八点十五分二十秒"),
            ("9:00—18:00营业", "九点到十八点营业"),
        ] {
            assert_eq!(for_speech(written, "zh").as_str(), spoken);
        }
    }

    #[test]
    fn money_and_units() {
        for (written, spoken) in [
            ("¥29.90的衣服，$5的书，€20.50的票", "二十九点九元的衣服，五美元的书，二十点五欧元的票"),
            ("花了¥5万和$1.5亿，¥2", "花了五万元和一点五亿美元，两元"),
            ("重5kg，气温20°C，速度3km/h，面积100m²", "重五公斤，气温二十摄氏度，速度三公里每小时，面积一百平方米"),
            ("约 5 km 的路，2kg米", "约 五公里 的路，两公斤米"),
            ("5G网络，4K电视，16GB内存", "五G网络，四K电视，十六GB内存"),
        ] {
            assert_eq!(for_speech(written, "zh").as_str(), spoken);
        }
    }

    #[test]
    fn codes_are_said_digit_by_digit() {
        for (written, spoken) in [
            ("电话13800138000", "电话幺三八，零零幺三，八零零零"),
            ("座机010-12345678", "座机零幺零，幺二三四五六七八"),
            ("打400-800-1234或4008001234", "打四零零，八零零，幺二三四或四零零，八零零，幺二三四"),
            ("+86 138 0013 8000", "加八六，幺三八，零零幺三，八零零零"),
            ("打110或120，打3个电话", "打幺幺零或幺二零，打三个电话"),
            ("验证码是1024", "验证码是一零二四"),
            ("302房间，302路车，15路车", "三零二房间，三零二路车，十五路车"),
            ("G1234次列车", "G 幺二三四次列车"),
            ("身份证号110101199003071234", "身份证号一一零一零一一九九零零三零七一二三四"),
        ] {
            assert_eq!(for_speech(written, "zh").as_str(), spoken);
        }
    }

    #[test]
    fn the_language_around_a_number_decides() {
        for (language, written, spoken) in [
            ("zh", "我用GPU跑3个test模型", "我用GPU跑三个test模型"),
            ("en", "我用GPU跑3个test模型", "我用GPU跑三个test模型"),
            ("zh", "Windows 11 is good，但是我只用3次", "Windows 11 is good，但是我只用三次"),
            ("zh", "It costs $29.99.", "It costs 29 dollars 99."),
            ("zh", "MP3和GPT-4很好", "MP3和GPT-4很好"),
            ("zh", "2026", "两千零二十六"),
            ("en", "2026", "2026"),
            ("zh", "R&D部门 & 市场部", "R&D部门 和 市场部"),
            ("zh", "面包 + 牛奶，C++语言", "面包 加 牛奶，C++语言"),
            ("ja", "2026年3月", "2026年3月"),
            ("zh", "2026年です", "2026年です"),
            ("fr", "5 km", "5 km"),
        ] {
            assert_eq!(for_speech(written, language).as_str(), spoken, "{language}");
        }
    }

    /// Made of what numbers and signs are made of, in all orders: never a panic, and each byte from where it was.
    #[test]
    fn any_mixture_is_taken() {
        const PIECES: &[&str] = &[
            "1", "23", "2026", "-", ".", ",", ":", "：", "/", "%", "$", "¥", "~", " ", "+86", "km/h", "°C", "pm", "年",
            "第", "个", "电话", "US$", "a", "G", "½", "²", "🎉", "か", "０", "，",
        ];
        let mut state = 7_u32;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..10 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                text.push_str(PIECES[(state >> 16) as usize % PIECES.len()]);
            }
            for language in ["zh", "en"] {
                let spoken = for_speech(&text, language);
                let from: Vec<usize> = (0..spoken.as_str().len()).map(|at| spoken.from(at)).collect();
                assert!(from.is_sorted() && from.iter().all(|&from| from < text.len()), "{text:?} {spoken:?}");
            }
        }
    }
}
