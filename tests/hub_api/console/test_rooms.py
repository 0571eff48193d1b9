"""Rooms tell in English what went less well; the Chinese console tells it in Chinese."""

import re
from pathlib import Path

import pytest

import agent
import hub
from hub.console.texts.rooms import LONGEST, catalogue, said
from hub.fleet.presence import cloned

KNOWN = catalogue("zh")
ALERTS = catalogue("zh", "alerts")
FIELD = re.compile(r"\{\w+\}")
SYSTEM = {"No space left on device", "Read-only file system", "Input/output error"}
"""Sentences of the operating system."""


@pytest.mark.parametrize(
    "words, told",
    [
        ("nothing was recorded", "没有录到任何内容"),
        ("camera:0 stopped giving pictures; check its cable", "camera:0 没有画面，请检查连接线"),
        (
            "mic:A gives no sound any more; check its cable; a stand-in is sent and it is tried again until it is back",
            "mic:A 没有声音，请检查连接线；暂以替代画面或静音代替，并持续重试",
        ),
        (
            "the camera recording stopped: No space left on device; free space on the disk, it goes on by itself",
            "camera 录制已停止：磁盘已满；请清理磁盘空间，之后会自动继续",
        ),
        (
            "nothing is recorded yet: only 3 MiB are free; the lesson goes on, and it is tried again",
            "尚未开始录制：只剩 3 MiB 可用；课程继续，稍后自动重试",
        ),
        (
            "screen:0 is back; mic:A is back; camera:0 stopped giving pictures; check its cable; something new",
            "screen:0 已恢复；mic:A 已恢复；camera:0 没有画面，请检查连接线；something new",
        ),
    ],
)
def test_what_a_room_says_is_read_in_chinese(words, told):
    assert said(words, "zh") == told
    assert said(words, "en") == words


def test_a_sentence_that_nobody_knows_is_shown_as_it_came():
    for words in ("", "今天下雨", "something new happened", "{0.__class__}", "is back", "x" * (LONGEST + 1)):
        assert said(words, "zh") == words


def test_what_a_room_says_cannot_make_the_hub_work_for_long_or_fail():
    nested = "nothing is recorded yet: " * 60 + "x"
    assert said(nested + "; the lesson goes on, and it is tried again" * 10, "zh")
    assert said("{what} is back", "zh") == "{what} 已恢复"


def test_chinese_sentences_hold_what_the_english_ones_hold():
    for words, told in [*KNOWN.items(), *ALERTS.items()]:
        assert sorted(FIELD.findall(words)) == sorted(FIELD.findall(told)), words


@pytest.mark.parametrize("package, sentences", [(agent, KNOWN.keys() - SYSTEM), (hub, ALERTS.keys())])
def test_every_sentence_of_a_catalogue_is_still_said_where_it_comes_from(package, sentences):
    written = "\n".join(path.read_text(encoding="utf-8") for path in Path(package.__file__).parent.rglob("*.py"))
    # Adjacent literals are one sentence, whatever line they stand on.
    joined = re.sub(r'"\s*\n\s*f?"', "", written)
    for words in sentences:
        for part in FIELD.split(words):
            assert part in joined, words


def test_an_alert_is_read_in_chinese():
    told = said(cloned("room-301", "b" * 20, "a" * 20), "zh")
    assert told.startswith("终端 room-301 先后由机器 aaaaaaaaaaaaaaaa 和机器 b")
