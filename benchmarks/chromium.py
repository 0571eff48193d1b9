"""A receiving room in headless Chromium: joins, and tells what was presented and how the sound fared.

python -m benchmarks.chromium SOCKET

As a process it serves the Unix socket for one sender, as `benchmarks.room_receiver` does; signals go through the
browser's own pipes, so nothing but media crosses the network that it stands in.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from playwright.async_api import Page, Route, async_playwright

from benchmarks.heard import Heard, heard
from benchmarks.picture import WIDTH
from benchmarks.wire import LINE_MAX, hear, tell
from tests.browser.browser import ARGUMENTS, chromium_path

MEDIA_ARGUMENTS = (
    "--disable-features=WebRtcHideLocalIpsWithMdns",  # nobody answers multicast DNS here
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
)
ADDRESS = "http://localhost/"
"""Of the page; it is served from here, not from a network, and counts as a secure place."""
SCRIPT = Path(__file__).with_name("chromium_page.js")
PAGE = "<!doctype html><video autoplay playsinline width=320 height=180></video><script>{script}</script>"
"""Small on the screen: painting it in software is not what is measured."""
PINGS = 10
"""Questions for the page's clock; the quickest answer counts."""


class ChromiumMissing(Exception):
    """There is no Chromium on this machine."""


class ChromiumRoom:
    """One page of a browser. A new join is a new page load."""

    def __init__(self, page: Page, painted_width: int) -> None:
        self._page = page
        self._painted_width = painted_width

    async def offer(self) -> dict[str, Any]:
        """Load the page anew and make an offer: `sdp`, and `tracks` by mid."""
        await self._page.goto(ADDRESS)
        made: dict[str, Any] = await self._page.evaluate("width => offer(width)", self._painted_width)
        return made

    async def accept(self, sdp: str) -> None:
        """Take the answer."""
        await self._page.evaluate("sdp => accept(sdp)", sdp)

    async def seen(self) -> dict[str, Any]:
        """What the page noted since its offer, in this machine's monotonic ns.

        Returns:
            `pictures`: (when presented, age in ms); `presented`: how many the browser presented up to each of them,
            which are more where it had no time to tell the page of each; `widths` of the pictures; `figures`: (when,
            what the browser counts of `audio` and `video`, as in WebRTC's inbound-rtp statistics).
        """
        origin_ns = await self._origin_ns()
        noted = await self._page.evaluate("({pictures: room.pictures, figures: room.figures})")
        pictures = [(origin_ns + round(at * 1e6), painted) for at, painted, _, _ in noted["pictures"]]
        return {
            "pictures": [(at, ((at // 100_000 - painted) & 0xFFFF_FFFF) / 10) for at, painted in pictures],
            "presented": [presented for _, _, presented, _ in noted["pictures"]],
            "widths": sorted({width for *_, width in noted["pictures"]}),
            "figures": [(origin_ns + round(at * 1e6), kinds) for at, kinds in noted["figures"]],
        }

    async def _origin_ns(self) -> int:
        """The monotonic time at which the page's clock began; right to half the quickest question's way, 1 ms or so."""
        best_ns, origin_ns = 1 << 62, 0
        for _ in range(PINGS):
            asked_ns = time.monotonic_ns()
            page_ms = await self._page.evaluate("performance.now()")
            took_ns = time.monotonic_ns() - asked_ns
            if took_ns < best_ns:
                best_ns, origin_ns = took_ns, asked_ns + took_ns // 2 - round(page_ms * 1e6)
        return origin_ns


@asynccontextmanager
async def chromium_room(painted_width: int = WIDTH) -> AsyncIterator[ChromiumRoom]:
    """A browser with a room in it.

    Args:
        painted_width: width of the pictures into which the time was painted.

    Raises:
        ChromiumMissing: there is none.
    """
    path = chromium_path()
    if path is None:
        raise ChromiumMissing("no Chromium on the PATH")

    body = PAGE.format(script=SCRIPT.read_text(encoding="utf-8"))

    async def serve(route: Route) -> None:
        await route.fulfill(body=body, content_type="text/html; charset=utf-8")

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *MEDIA_ARGUMENTS])
        try:
            # A page that may use a camera is told of every network, not only of the one with a default route.
            context = await browser.new_context(permissions=["camera", "microphone"])
            page = await context.new_page()
            await page.route("**/*", serve)
            yield ChromiumRoom(page, painted_width)
        finally:
            await browser.close()


def concealed(peer: dict[str, Any], begin_ns: int, end_ns: int) -> float:
    """Share of the sound played in [begin, end) that Chromium made up because it had none: 0 to 1; 1 where none came.

    Another measure than that of `benchmarks.heard`, which knows what was said: concealedSamples over
    totalSamplesReceived.
    """
    audio = [kinds["audio"] for at, kinds in peer["figures"] if begin_ns <= at < end_ns and "audio" in kinds]
    if not audio:
        return 1.0
    played, made_up = (audio[-1][key] - audio[0][key] for key in ("totalSamplesReceived", "concealedSamples"))
    return made_up / played if played else 1.0


def heard_by_chromium(peer: dict[str, Any], begin_ns: int, end_ns: int) -> Heard:
    """Judge what Chromium presented in [begin, end), monotonic ns."""
    seen = heard({"pictures": peer["pictures"], "sounds": []}, begin_ns, end_ns)
    counted = [
        count for (at, _), count in zip(peer["pictures"], peer["presented"], strict=True) if begin_ns <= at < end_ns
    ]
    frames = counted[-1] - counted[0] + 1 if counted else 0
    return replace(seen, frames=frames, sound_lost=concealed(peer, begin_ns, end_ns))


async def main(socket: str) -> None:
    done = asyncio.Event()
    async with chromium_room() as room:

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await hear(reader)
                await tell(writer, await room.offer())
                await room.accept((await hear(reader))["sdp"])
                await hear(reader)
                await tell(writer, {"peers": [await room.seen()]})
            finally:
                done.set()

        async with await asyncio.start_unix_server(serve, socket, limit=LINE_MAX):
            print("listening", flush=True)
            await done.wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
