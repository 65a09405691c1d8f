//! What is said: sentences as answers have them, with many p, b and m in all places of a word.

use super::voices::Language;

const ENGLISH: &[&str] = &[
    "My brother put the paper cups back on the top shelf.",
    "People may pay by card, by phone or with a bank note.",
    "The museum opens at seven, but the best paintings come in May.",
    "Please bring me a map of the park and a cup of pepper tea.",
    "Maybe Bob can help Pam with the problem about the pump.",
    "The summer camp begins in the middle of September.",
    "A big bumble bee bumped into my purple umbrella.",
    "Remember to compare both prices before you buy a computer.",
    "He stopped the bus, jumped up and grabbed the rubber ball.",
    "Some members of the group will present a simple plan tomorrow.",
    "I am happy to explain how the time table works.",
    "The blue boat moved slowly past the empty harbor.",
    "Mix the butter with brown sugar, then add an apple and some mint.",
    "Your number is on the package, above the company name.",
    "My favorite memory is a picnic by the bright blue bay.",
    "Perhaps the printer is out of paper, or the lamp is broken.",
    "Both maps show the same bridge beside the public swimming pool.",
    "From the top of the mountain you may see a hundred ships.",
    "Peter, please pick up the phone, my mother is calling.",
    "The baker makes plum jam and pumpkin bread for lunch.",
    "A small lamb slept among the bushes near the farm.",
    "It is possible to book a room for up to eight people.",
    "We import most of our bamboo from a company in Panama.",
    "Good morning, my name is Bill, and I am pleased to meet you.",
];

const CHINESE: &[&str] = &[
    "妈妈买了八个苹果和一包面包。",
    "明天我们坐公共汽车去博物馆，门票很便宜。",
    "爸爸每天早上跑步，跑完步喝一杯蜂蜜水。",
    "他把白色的帽子放在门边的木板上。",
    "北京的秋天很美，爬山的人特别多。",
    "请你帮我把这本书搬到办公室旁边。",
    "外面下着大暴雨，没有办法打排球。",
    "朋友们拍了很多漂亮的照片，大家都非常满意。",
    "这瓶葡萄酒比那瓶贵一百块钱，不过味道更美妙。",
    "妹妹不怕冷，背着书包慢慢地爬上山坡。",
    "我明白你的意思，麻烦你再补充一遍。",
    "码头旁边停着八百条木船，没有人看管。",
    "每个部门都必须派一名代表报名。",
    "猫趴在棉被上面，梦见一盘美味的胖鱼。",
    "别忘了买票，迟到的人不能免费进门。",
    "播音员普通话很标准，我们都明白她的描述。",
    "这部片子拍得不错，评论家们十分佩服。",
    "把门关上，免得蚊子和蜜蜂飞进房间里面。",
    "白马跑得比黑马慢一点，但是毛色更漂亮。",
    "奶奶包的饺子皮薄馅多，邻居们都想品尝。",
    "面试安排在明天上午，请不要忘记带毕业证书。",
    "篮球比赛八点半开始，冰棒和面包卖得很快。",
    "爬山的时候，伯伯拿出地图，慢慢地辨别方向。",
    "服务员把菜单摆在木头桌面上，马上给我们倒茶。",
];

/// The texts of a language, at most so many.
pub fn of(language: Language, most: usize) -> impl Iterator<Item = &'static str> {
    let all = match language {
        Language::English => ENGLISH,
        Language::Chinese => CHINESE,
    };
    all.iter().copied().take(most)
}

/// One after the other, the languages by turns, without an end.
pub fn by_turns() -> impl Iterator<Item = (Language, &'static str)> {
    let pairs = ENGLISH.iter().zip(CHINESE);
    let all: Vec<_> = pairs.flat_map(|(en, zh)| [(Language::English, *en), (Language::Chinese, *zh)]).collect();
    all.into_iter().cycle()
}
