"""Keeps the chapters of all lessons up to date while the hub runs."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from pydantic import ValidationError

from hub.archive.refusals import ArchiveRefused
from hub.insight.contents import LessonContents
from hub.store.errors import DATABASE_TROUBLE

log = logging.getLogger(__name__)

ROUND_S = 600.0
"""Between two looks at all lessons, in seconds: as often as packages are looked at for their expiry."""
PAUSE_S = 0.05
"""Between two lessons, in seconds: after an upgrade there may be thousands, and a hub has other things to do."""
TROUBLE = (OSError, ArchiveRefused, ValidationError, *DATABASE_TROUBLE)


class ContentsUpkeep:
    """Derives the chapters of a lesson when a package of it arrives, and looks through all of them now and then."""

    def __init__(self, contents: LessonContents, also: Callable[[str], None] = lambda _session: None) -> None:
        """Prepare.

        Args:
            contents: the chapters.
            also: what else is derived of a lesson when a package of it has arrived.
        """
        self._contents = contents
        self._also = also
        self._arrived: set[str] = set()
        self._woken = asyncio.Event()

    def arrived(self, session: str) -> None:
        """A package of `session` is complete; on the event loop."""
        self._arrived.add(session)
        self._woken.set()

    async def run(self) -> None:
        """Look at once, then whenever a package has arrived, and every `ROUND_S` seconds, until cancelled."""
        while True:
            try:
                await asyncio.to_thread(self._contents.forget_deleted)
                self._arrived.update(await asyncio.to_thread(self._contents.outdated))
            except TROUBLE:
                log.exception("the chapters of lessons could not be looked through; trying again in %d s", ROUND_S)
            await self._take()
            with suppress(TimeoutError):
                async with asyncio.timeout(ROUND_S):
                    while True:
                        await self._woken.wait()
                        self._woken.clear()
                        await self._take()

    async def _take(self) -> None:
        """One lesson at a time: whoever ends the hub waits for no more than that."""
        while self._arrived:
            session = self._arrived.pop()
            try:
                await asyncio.to_thread(self._contents.derive, session)
                await asyncio.to_thread(self._also, session)
            except TROUBLE:
                log.exception(
                    "chapters and figures of %s could not be derived; they are when they are asked for", session
                )
            await asyncio.sleep(PAUSE_S)
