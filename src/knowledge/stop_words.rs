//! Words that occur in any question whatever it is about, and those of small talk. A page is not found by them.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Without apostrophes, before stemming.
const ENGLISH: &str = "
    a about above after again ain all also although always am an and another any anybody anyone anything are arent as
    ask asked at away back be because been before being below best better between both bit but by came can cannot cant
    come comes coming could couldnt did didnt do does doesnt doing done dont down during each either else enough etc
    even ever every everybody everyone everything exactly explain few for from get gets getting give given gives go
    goes going gone gonna got had hadnt has hasnt have havent having he hear heard her here hers herself him himself
    his how however i if im in instead into is isnt it its itself just kind kinda know known knows least less let lets
    like likes little look looking lot lots made make makes making many may maybe me mean meaning means might mind mine
    more most much must my myself need needs neither never next no nobody none nor not nothing now of off often oh on
    once one ones only or other others our ours out over own perhaps please possible put quite rather re really right
    said same saw say says see seem seems seen shall she should shouldnt show so some somebody someone something
    sometimes somewhere soon sort still stuff such sure take taken takes talk tell than that thats the their theirs them
    then there therefore these they thing things think this those though through thus till to together told too took
    toward towards try trying under until unless up upon us use used using usually very via want wanted wants was
    wasnt way we well went were werent what whatever when whenever where whether which while who whoever whole whom
    whose why will with within without wont word words would wouldnt yes yet you your yours yourself
    ahead course hello hey hi bye goodbye morning afternoon evening night today tonight tomorrow yesterday thanks thank
    ok okay alright sorry pardon excuse welcome good great fine nice cool lovely wonderful perfect glad happy helpful
    help helps nope yeah yep um uh hmm hm well
    moment minute second wait repeat understand understood slowly slower louder joke name old new time people person
    real favourite favorite
";

/// Pairs of characters.
const CHINESE: &str = "
    怎么 怎样 如何 什么 哪里 哪儿 哪个 哪些 为何 为什 多少 几个 几点 是否 可以 能够 可能 需要 应该 必须 想要 知道 觉得
    告诉 帮忙 帮我 帮助 一下 一个 一些 一点 一样 有点 有些 有没 没有 不是 不要 不能 不会 不到 还有 还是 或者 以及 并且
    但是 因为 所以 如果 虽然 然后 现在 今天 明天 昨天 刚才 已经 正在 马上 一直 特别 非常 比较 真的 这个 那个 这些 那些
    这里 那里 这样 那样 我们 你们 他们 她们 它们 咱们 大家 自己 别人 东西 事情 问题 时候 地方 方面 情况 办法 怎办 么办
    你好 您好 早上 上好 晚上 下午 中午 再见 谢谢 多谢 感谢 不好 好意 意思 对不 不起 没关 关系 没事 好的 请问 麻烦 名字
    喜欢 说话 再说 听见 听到 听清 清楚 明白 一遍 慢点 等等 等一 讲讲 聊聊 聊天 笑话 最喜
";

/// Characters that are seldom part of a word that says something; a pair with one of them is left out.
const CHARACTERS: &str =
    "的了吗呢吧啊呀嘛哦嗯哈么我你您他她它们这那哪谁啥很太也都就又再是有和与或被把让给为而且但若则些怎要想几";

static WORDS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| ENGLISH.split_whitespace().chain(CHINESE.split_whitespace()).collect());

static STOP_CHARACTERS: LazyLock<HashSet<char>> = LazyLock::new(|| CHARACTERS.chars().collect());

pub fn is_stop_word(word: &str) -> bool {
    WORDS.contains(word)
}

pub fn is_stop_character(c: char) -> bool {
    STOP_CHARACTERS.contains(&c)
}
