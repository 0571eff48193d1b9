"""What the teacher's screen is told."""

import asyncio
from pathlib import Path

from agent.identity import Identity
from agent.lesson import Lesson


class Teacher:
    """Turns what lesson and link say into the state of the teacher's screen."""

    def __init__(self, socket: Path, token: Path, identity: Identity) -> None:
        self._socket, self._token, self._identity = socket, token, identity

    async def run(self) -> None:
        """Serve the screen until cancelled."""
        await asyncio.Event().wait()

    def hub(self, *, connected: bool) -> None:
        """The hub came into reach, or went."""

    def show(self, lesson: Lesson | None) -> None:
        """Show a lesson, or that there is none."""
