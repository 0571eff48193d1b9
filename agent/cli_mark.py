"""`tongtang agent mark`: a chapter of the running lesson begins here."""

import asyncio
from pathlib import Path

from agent.overlay.client import OverlayRefused, set_mark
from agent.overlay.marks import TITLE_MAX, MarkAnswer
from agent.settings import AgentSettings


def marked(settings: AgentSettings, title: str) -> tuple[bool, str]:
    """Set a mark; whether it was taken, and a sentence for whoever asked."""
    shown = title.strip()
    if len(shown) > TITLE_MAX:
        return False, f"the title has {len(shown)} characters; at most {TITLE_MAX} are taken"
    where: tuple[Path, Path] = settings.overlay_socket, settings.overlay_token
    try:
        answer = asyncio.run(set_mark(*where, shown))
    except OverlayRefused as error:
        return False, str(error)
    return answer.answer is MarkAnswer.TAKEN, f"{answer.words_zh} · {answer.words_en}"
