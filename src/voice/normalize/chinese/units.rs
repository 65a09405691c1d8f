//! Words for currencies and units in Chinese, and the words that are counted with 两. Pure.

/// Signs before an amount; the longer ones first.
const CURRENCIES: &[(&str, &str)] = &[
    ("US$", "美元"),
    ("HK$", "港元"),
    ("NT$", "新台币"),
    ("¥", "元"),
    ("￥", "元"),
    ("$", "美元"),
    ("€", "欧元"),
    ("£", "英镑"),
    ("₩", "韩元"),
    ("₽", "卢布"),
    ("₹", "卢比"),
];

/// Units after a number; none is the beginning of one that stands further down.
const UNITS: &[(&str, &str)] = &[
    ("km/h", "公里每小时"),
    ("km²", "平方公里"),
    ("km2", "平方公里"),
    ("km", "公里"),
    ("kWh", "千瓦时"),
    ("kW", "千瓦"),
    ("kHz", "千赫"),
    ("kPa", "千帕"),
    ("kcal", "千卡"),
    ("kg", "公斤"),
    ("KG", "公斤"),
    ("mAh", "毫安时"),
    ("mL", "毫升"),
    ("ml", "毫升"),
    ("mm", "毫米"),
    ("mg", "毫克"),
    ("ms", "毫秒"),
    ("min", "分钟"),
    ("m/s", "米每秒"),
    ("m²", "平方米"),
    ("m³", "立方米"),
    ("㎡", "平方米"),
    ("m2", "平方米"),
    ("m3", "立方米"),
    ("m", "米"),
    ("cm²", "平方厘米"),
    ("cm³", "立方厘米"),
    ("cm", "厘米"),
    ("dB", "分贝"),
    ("GHz", "吉赫"),
    ("g", "克"),
    ("Hz", "赫兹"),
    ("h", "小时"),
    ("L", "升"),
    ("MHz", "兆赫"),
    ("MW", "兆瓦"),
    ("Mbps", "兆比特每秒"),
    ("nm", "纳米"),
    ("px", "像素"),
    ("s", "秒"),
    ("t", "吨"),
    ("V", "伏"),
    ("W", "瓦"),
    ("μm", "微米"),
    ("°C", "摄氏度"),
    ("℃", "摄氏度"),
    ("°F", "华氏度"),
    ("℉", "华氏度"),
    ("°", "度"),
    ("RMB", "元人民币"),
    ("CNY", "元人民币"),
    ("USD", "美元"),
    ("EUR", "欧元"),
    ("GBP", "英镑"),
    ("JPY", "日元"),
    ("HKD", "港元"),
];

/// What is counted with 两, and not with 二, by its beginning.
const COUNTED: &[&str] = &[
    "个",
    "只",
    "条",
    "张",
    "把",
    "位",
    "名",
    "本",
    "件",
    "台",
    "辆",
    "座",
    "家",
    "口",
    "头",
    "匹",
    "块",
    "片",
    "篇",
    "部",
    "种",
    "类",
    "样",
    "次",
    "回",
    "遍",
    "趟",
    "下",
    "年",
    "天",
    "周",
    "小时",
    "点",
    "分",
    "秒",
    "刻",
    "岁",
    "米",
    "公里",
    "公斤",
    "公分",
    "公顷",
    "公升",
    "斤",
    "元",
    "倍",
    "成",
    "边",
    "面",
    "层",
    "半",
    "段",
    "节",
    "首",
    "支",
    "枝",
    "瓶",
    "杯",
    "碗",
    "盘",
    "双",
    "对",
    "组",
    "批",
    "群",
    "队",
    "步",
    "句",
    "字",
    "页",
    "行",
    "列",
    "门",
    "间",
    "套",
    "排",
    "颗",
    "粒",
    "根",
    "滴",
    "棵",
    "朵",
    "道",
    "场",
    "届",
    "项",
    "份",
    "封",
    "顶",
    "架",
    "艘",
    "所",
    "国",
    "人",
    "者",
    "番",
    "季",
    "款",
    "股",
    "碟",
    "箱",
    "包",
    "盒",
    "袋",
    "桶",
    "串",
    "堆",
    "顿",
    "阵",
    "圈",
    "轮",
    "档",
    "厘米",
    "毫米",
    "吨",
    "升",
    "英里",
    "英镑",
    "美元",
    "欧元",
    "日元",
    "港元",
    "百",
    "千",
    "万",
    "亿",
    "克",
    "平方",
    "立方",
    "幅",
    "枚",
    "束",
    "丝",
    "代",
    "集",
    "度",
    "处",
    "声",
    "眼",
    "晚",
    "夜",
    "星期",
    "礼拜",
    "月份的",
];
/// What is not, though its beginning is.
const NUMBERED: &[&str] = &["年级", "分之", "点五", "米线", "月", "人转", "级"];

/// The currency whose sign `text` begins with: its name, and the length of the sign.
pub fn currency(text: &str) -> Option<(&'static str, usize)> {
    let found = CURRENCIES.iter().find(|(sign, _)| text.starts_with(sign));
    found.map(|(sign, name)| (*name, sign.len()))
}

/// The unit that `text` begins with: its name, and the length of its sign.
pub fn unit(text: &str) -> Option<(&'static str, usize)> {
    let whole = |sign: &str| {
        let next = text[sign.len()..].chars().next();
        let lettered = sign.ends_with(|c: char| c.is_ascii_alphanumeric());
        !(lettered && next.is_some_and(|c| c.is_ascii_alphanumeric() || c == '/' || c == '²' || c == '³'))
    };
    let found = UNITS.iter().find(|(sign, _)| text.starts_with(sign) && whole(sign));
    found.map(|(sign, name)| (*name, sign.len()))
}

/// Whether two of what `text` begins with are 两.
pub fn is_counted(text: &str) -> bool {
    let begins = |list: &[&str]| list.iter().any(|word| text.starts_with(word));
    begins(COUNTED) && !begins(NUMBERED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_whole_words() {
        assert_eq!(unit("km/h的"), Some(("公里每小时", 4)));
        assert_eq!(unit("m²"), Some(("平方米", 3)));
        assert_eq!(unit("mb"), None);
        assert_eq!(unit("G网络"), None);
        assert_eq!(unit("°C"), Some(("摄氏度", 3)));
    }

    #[test]
    fn two_of_a_kind_and_number_two() {
        assert!(["个人", "小时", "年", "点半", "百"].into_iter().all(is_counted));
        assert!(!["年级", "月", "号", "楼", "分之一", ""].into_iter().any(is_counted));
    }
}
