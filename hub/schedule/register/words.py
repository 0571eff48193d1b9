"""What is wrong with facts and files, as a key and values; told in the reader's language."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Words:
    """One sentence, or a part of one, before a language is chosen."""

    key: str
    """Of the catalogues in `texts`."""
    values: Mapping[str, "str | int | Words"] = field(default_factory=dict)

    def told(self, language: str) -> str:
        """In the reader's language; a value that is words itself is told in it, too."""
        values = {
            name: value.told(language) if isinstance(value, Words) else value for name, value in self.values.items()
        }
        return catalogue(language)[self.key].format(**values)


class Unfit(ValueError):
    """Something cannot be as it is said; whoever tells it in another language takes `what`."""

    def __init__(self, what: Words) -> None:
        super().__init__(what.told("en"))
        self.what = what


def words(key: str, **values: "str | int | Words") -> Words:
    """A sentence by its key.

    >>> words("kind.school").told("zh")
    '学校'
    """
    return Words(key, values)


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Every sentence by key, with `{name}` for what differs.

    Args:
        language: one of `LANGUAGES`; any other is English.
    """
    name = language if language in LANGUAGES else "en"
    found: dict[str, str] = json.loads((Path(__file__).parent / "texts" / f"{name}.json").read_text(encoding="utf-8"))
    return found
