"""What rooms say of themselves, and the hub of them, in the reader's language.

Agents tell in English sentences, made where the trouble is; so do the hub's alerts. The catalogues hold their
patterns; a sentence that they do not know is shown as it came. What stands inside a sentence may be a sentence itself.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_FIELD = re.compile(r"\{(\w+)\}")
LONGEST = 1500
"""Characters of a sentence that is looked up; a longer one is none of ours."""
BETWEEN = "; "
"""Between sentences, and inside of them."""
SENTENCES = {"words", "why"}
"""Fields that hold a sentence; others hold a name, a number or a system's message."""
PARTS_OF_ONE = 6
PARTS_MOST = 60
DEEPEST = 4
"""Sentences inside sentences."""


def said(words: str, language: str, depth: int = 0) -> str:
    """What a room said, one sentence or several in a row, in `language`; as it came where it is not known."""
    parts = words.split(BETWEEN)
    if language == "en" or len(words) > LONGEST or len(parts) > PARTS_MOST or depth > DEEPEST:
        return words
    told: list[str] = []
    at, known = 0, False
    while at < len(parts):
        for end in range(min(at + PARTS_OF_ONE, len(parts)), at, -1):
            if (one := _one(BETWEEN.join(parts[at:end]), language, depth)) is not None:
                break
        told.append(parts[at] if one is None else one)
        at, known = (at + 1, known) if one is None else (end, True)
    return "；".join(told) if known else words


def _one(sentence: str, language: str, depth: int) -> str | None:
    for pattern, told in _patterns(language):
        if (found := pattern.fullmatch(sentence)) is not None:
            return told.format(**{name: said(part, language, depth + 1) for name, part in found.groupdict().items()})
    return None


def catalogue(language: str, whose: str = "rooms") -> Mapping[str, str]:
    """Sentences as they are written, with `{name}` for what differs, and what they are in `language`.

    Args:
        language: not English.
        whose: `rooms` for what agents say, `alerts` for what the hub says of them.
    """
    path = Path(__file__).with_name(f"{whose}.{language}.json")
    known: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return known


@cache
def _patterns(language: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    # The one with most words of its own first: {words}; ... would else take what is more than it.
    both = {**catalogue(language), **catalogue(language, "alerts")}
    sentences = sorted(both.items(), key=lambda one: -len(_FIELD.sub("", one[0])))
    return tuple((_pattern(sentence), told) for sentence, told in sentences)


def _pattern(sentence: str) -> re.Pattern[str]:
    parts = _FIELD.split(sentence)
    return re.compile("".join(_field(part) if at % 2 else re.escape(part) for at, part in enumerate(parts)))


def _field(name: str) -> str:
    return f"(?P<{name}>.+)" if name in SENTENCES else f"(?P<{name}>(?:(?!{BETWEEN}).)+)"
