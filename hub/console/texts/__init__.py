"""The console's words, one catalogue a language, the same keys in each."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.requests import Request

from hub.console.texts.rooms import said

LANGUAGES = ("zh", "en")
LANGUAGE_COOKIE = "tongtang-language"


class Texts:
    """One language's words by key. An unknown key is an error, so that no page shows a key."""

    def __init__(self, language: str, words: Mapping[str, str]) -> None:
        self.language = language
        self._words = words

    def __call__(self, key: str, **values: Any) -> str:
        """The words under `key`, with `{name}` filled in.

        Raises:
            KeyError: there is no such key.
        """
        return self._words[key].format(**values) if values else self._words[key]

    def has(self, key: str) -> bool:
        """Whether there are words under `key`."""
        return key in self._words

    def said(self, words: str) -> str:
        """A room's own sentence, as far as it is known."""
        return said(words, self.language)

    def under(self, start: str) -> dict[str, str]:
        """Words whose key begins with `start`, keyed by the rest."""
        return {key.removeprefix(start): text for key, text in self._words.items() if key.startswith(start)}


def load_texts() -> dict[str, Texts]:
    """Every language."""
    return {language: Texts(language, _words(language)) for language in LANGUAGES}


def _words(language: str) -> dict[str, str]:
    """The pages' words, and those of the reports."""
    words: dict[str, str] = {}
    for name in (
        f"{language}.json",
        f"report.{language}.json",
        f"plan.{language}.json",
        f"repair.{language}.json",
        f"calendars.{language}.json",
        f"month.{language}.json",
        f"facts.{language}.json",
    ):
        words |= json.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))
    return words


def language_of(request: Request, default: str) -> str:
    """The language a page is wanted in: `?lang=`, then the cookie, then what the browser prefers, then `default`."""
    for wanted in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if wanted in LANGUAGES:
            return wanted
    for preferred in request.headers.get("accept-language", "").split(","):
        language = preferred.split(";")[0].split("-")[0].strip().lower()
        if language in LANGUAGES:
            return language
    return default
