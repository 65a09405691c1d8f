#!/usr/bin/env python3
"""Writes src/voice/chinese/phrases.txt: the phrases whose reading is not that of their characters one by one.

Source: the phrases of pypinyin (MIT, https://github.com/mozillazg/python-pinyin, whose data are those of
https://github.com/mozillazg/phrase-pinyin-data, MIT). Run it with `pip install pypinyin==0.55.0`:

    tools/chinese-phrases.py path/to/jieba/dict.txt > src/voice/chinese/phrases.txt

The dictionary (jieba-rs's src/data/dict.txt) gives the order, the most frequent phrase of a reading first, and the words
on which the table is tried: phrases that are read like their characters are kept where they keep a shorter phrase from
being found in them. The changes of tone of 一 and 不 are left out; they are made by rule.
"""

import re
import sys

from pypinyin import Style, lazy_pinyin
from pypinyin.constants import PHRASES_DICT

HEAD = """\
# Phrases whose reading is not that of their characters one by one: for a character and its reading in them, the phrases,
# the most frequent first. Digits after a phrase are the places of the character in it, from zero, where it has several
# and not all are meant. The phrases under "=" are read like their characters. Written by tools/chinese-phrases.py.
#
# From pypinyin {version}, https://github.com/mozillazg/python-pinyin
# Copyright (c) 2016 mozillazg, 闲耘 <hotoo.cn@gmail.com>. Permission is hereby granted, free of charge, to any person
# obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without
# restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense,
# and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the
# following conditions: The above copyright notice and this permission notice shall be included in all copies or
# substantial portions of the Software. THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
# IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
# NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
# LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE
# SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE."""

# Readings in which pypinyin's data have the rarer one.
CORRECTIONS = {"落下": ["luo4", "xia4"]}


def is_han(text):
    return all("\u4e00" <= c <= "\u9fff" for c in text)


def reading(text):
    """With 一 and 不 as they are said alone."""
    if text in CORRECTIONS:
        return CORRECTIONS[text]
    said = lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True, v_to_u=True)
    alone = {"一": "yi1", "不": "bu4"}
    return [alone.get(c, syllable) for c, syllable in zip(text, said)] if len(said) == len(text) else None


class Table:
    def __init__(self):
        self.alone = {}
        self.phrases = {}
        self.longest = 1

    def one(self, char):
        if char not in self.alone:
            self.alone[char] = reading(char)[0]
        return self.alone[char]

    def add(self, phrase):
        self.phrases[phrase] = reading(phrase)
        self.longest = max(self.longest, len(phrase))

    def read(self, text):
        """The longest phrase at each place, else the character alone, as readings.rs does."""
        out, at = [], 0
        while at < len(text):
            for length in range(min(self.longest, len(text) - at), 1, -1):
                phrase = text[at : at + length]
                if phrase in self.phrases:
                    out += self.phrases[phrase]
                    at += length
                    break
            else:
                out.append(self.one(text[at]))
                at += 1
        return out


def main():
    frequency = {}
    for line in open(sys.argv[1], encoding="utf-8"):
        word, count, *_ = line.split(" ")
        frequency[word] = int(count)
    phrases = [phrase for phrase in PHRASES_DICT if len(phrase) > 1 and is_han(phrase) and reading(phrase)]
    table = Table()
    for phrase in phrases:
        if reading(phrase) != [table.one(c) for c in phrase]:
            table.add(phrase)
    while True:
        wrong = [phrase for phrase in phrases if table.read(phrase) != reading(phrase)]
        for word in frequency:
            if len(word) > 1 and is_han(word) and reading(word) != table.read(word):
                # The phrases that pypinyin finds in the word.
                inside = {word[a:b] for a in range(len(word)) for b in range(a + 2, len(word) + 1)}
                wrong += [phrase for phrase in inside if phrase in PHRASES_DICT and phrase not in table.phrases]
        if not wrong:
            break
        for phrase in wrong:
            table.add(phrase)

    groups = {}
    for phrase, said in table.phrases.items():
        changed = [(c, s) for c, s in zip(phrase, said) if s != table.one(c)]
        for char, syllable in dict.fromkeys(changed):
            places = [at for at, c in enumerate(phrase) if c == char and said[at] == syllable]
            all_meant = len(places) == phrase.count(char)
            mark = "" if all_meant else "".join(map(str, places))
            groups.setdefault(f"{char} {syllable}", []).append(phrase + mark)
        if not changed:
            groups.setdefault("=", []).append(phrase)
    import pypinyin

    print(HEAD.format(version=pypinyin.__version__))
    for head in sorted(groups):
        rank = lambda phrase: (-frequency.get(re.sub(r"\d", "", phrase), 0), phrase)
        print(f"{head}: {' '.join(sorted(groups[head], key=rank))}")


if __name__ == "__main__":
    main()
