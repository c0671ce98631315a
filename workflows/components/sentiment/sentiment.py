"""How a text feels, by counting words: a small component for `exec:sentiment`.

JSON on stdin: {"text": "…", "language": "en" | "zh" | null}. JSON on stdout: {"label", "score", "positive", "negative"}.
A failure ends with status 1 and {"error": {"code", "message"}} on stdout. Standard library only.
"""

import json
import re
import sys

# Words with a feeling. Small on purpose: the point is how a component is written, not how well it judges.
POSITIVE = {
    "en": "amazing beautiful best better bright brilliant calm cheerful clean clear delicious delight easy enjoy excellent "
    "fair fantastic fine free fresh friendly fun gentle glad good great happy helpful honest hope kind like love loved "
    "lucky nice perfect pleasant proud safe smart strong success thank thanks warm welcome win wonderful".split(),
    "zh": "好 喜欢 爱 开心 高兴 快乐 幸福 满意 优秀 漂亮 美丽 美好 精彩 棒 赞 成功 感谢 谢谢 希望 温暖 舒服 方便 友好 安全 完美".split(),
}
NEGATIVE = {
    "en": "afraid alone angry annoying awful bad boring broken cold cruel cry danger dangerous dark dead death difficult "
    "dirty disappointed fail failed failure fear hate hard horrible hurt ill lonely lose lost mad pain poor problem sad "
    "scared sick sorry stupid terrible tired ugly unhappy weak worse worst wrong".split(),
    "zh": "坏 讨厌 恨 难过 伤心 悲伤 生气 愤怒 失望 糟糕 差 丑 失败 害怕 恐惧 痛苦 孤独 危险 无聊 难受 抱歉 问题 垃圾 恶心 死".split(),
}
# What turns a word round, and how many words further.
NOT = {"en": {"not", "no", "never", "nothing", "isn't", "wasn't", "don't", "doesn't", "didn't", "can't", "won't"}, "zh": "不没无未别"}
REACH = 3
LONGEST = 200_000


class Refused(Exception):
    """The input makes no sense; the step fails with `invalid_input`."""


def read():
    try:
        given = json.load(sys.stdin)
    except ValueError as error:
        raise Refused(f"the input is not JSON: {error}") from None
    text = given.get("text") if isinstance(given, dict) else None
    if not isinstance(text, str):
        raise Refused('the field "text" must be a text')
    if len(text) > LONGEST:
        raise Refused(f"the text has more than {LONGEST} characters")
    return text


def english(text):
    """Feelings in English words: +1 and -1, turned round behind a negation."""
    positive, negative = set(POSITIVE["en"]), set(NEGATIVE["en"])
    turned = 0
    for word in re.findall(r"[a-z]+(?:'[a-z]+)?", text.lower().replace("’", "'")):
        value = (word in positive) - (word in negative)
        if value:
            yield word, -value if turned else value
        turned = REACH if word in NOT["en"] else max(0, turned - 1)


def chinese(text):
    """The same in Chinese, where nothing stands between words: the longest known word counts."""
    known = {word: 1 for word in POSITIVE["zh"]} | {word: -1 for word in NEGATIVE["zh"]}
    pattern = "|".join(sorted(map(re.escape, known), key=len, reverse=True))
    for match in re.finditer(pattern, text):
        before = text[max(0, match.start() - 2) : match.start()]
        turned = any(mark in before for mark in NOT["zh"])
        value = known[match.group()]
        yield match.group(), -value if turned else value


def judge(text):
    found = [*english(text), *chinese(text)]
    good = [word for word, value in found if value > 0]
    bad = [word for word, value in found if value < 0]
    score = round((len(good) - len(bad)) / len(found), 3) if found else 0.0
    label = "positive" if score > 0.1 else "negative" if score < -0.1 else "neutral"
    return {"label": label, "score": score, "positive": good[:20], "negative": bad[:20]}


def main():
    try:
        answer, status = judge(read()), 0
    except Refused as refused:
        answer, status = {"error": {"code": "invalid_input", "message": str(refused)}}, 1
    # Bytes, so that the machine's own encoding does not matter.
    sys.stdout.buffer.write(json.dumps(answer, ensure_ascii=False).encode())
    return status


if __name__ == "__main__":
    sys.exit(main())
