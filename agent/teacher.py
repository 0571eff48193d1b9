"""What the teacher's screen is told: the lesson and the link, in words, in both languages."""

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

from agent.lesson import Lesson
from agent.overlay.socket import OverlayServer
from agent.overlay.state import OverlayState, PeerState
from contract.state import SessionState

log = logging.getLogger(__name__)

S = SessionState
LOOK_S = 1.0

WORDS: dict[SessionState, tuple[str, str]] = {
    S.SCHEDULED: ("等待上课", "Waiting for the lesson"),
    S.READYING: ("正在打开摄像头和麦克风", "Opening camera and microphone"),
    S.READY: ("本教室已就绪", "This room is ready"),
    S.LIVE: ("正在上课", "The lesson is on"),
    S.ENDING: ("下课，正在保存录像", "The lesson is over; saving the recording"),
    S.SEALED: ("录像已保存，等待上传", "The recording is saved and waits for its upload"),
    S.UPLOADED: ("录像已归档", "The recording is in the archive"),
    S.FAILED: ("本节课未能完成", "The lesson could not be held"),
    S.CANCELLED: ("本节课已取消", "The lesson was called off"),
}
ALONE = ("对方教室未连接，请本地教学", "The other room is not connected; please teach locally")
HUB_AWAY = ("中心未连接", "the hub is not in reach")


class Teacher:
    """Turns what lesson and link say into the state of the teacher's screen."""

    def __init__(self, socket: Path, token: Path, wall: Callable[[], float] = time.time) -> None:
        """Prepare.

        Args:
            socket: where the screen connects.
            token: file with its token.
            wall: this machine's wall clock, in seconds, for people.
        """
        self._server = OverlayServer(socket, token)
        self._wall = wall
        self._lesson: Lesson | None = None
        self._connected = False
        self._since = wall()

    async def run(self) -> None:
        """Serve the screen until cancelled; without a socket the lesson goes on all the same."""
        try:
            await self._server.start()
        except OSError as error:
            log.warning("the teacher's screen cannot be served: %s", error)
            return
        try:
            while True:
                self._update()
                await asyncio.sleep(LOOK_S)
        finally:
            await self._server.stop()

    def hub(self, *, connected: bool) -> None:
        """The hub came into reach, or went."""
        self._connected, self._since = connected, self._wall()
        self._update()

    def show(self, lesson: Lesson | None) -> None:
        """Show a lesson, or that there is none."""
        self._lesson = lesson
        self._update()

    def _update(self) -> None:
        self._server.update(overlay_state(self._lesson, connected=self._connected, since=self._since))


def overlay_state(lesson: Lesson | None, *, connected: bool, since: float) -> OverlayState:
    """The state of the screen.

    Args:
        lesson: what is being held; None between lessons.
        connected: whether the hub is in reach.
        since: since when, in seconds of the wall clock.
    """
    hub = "connected" if connected else "away"
    if lesson is None:
        zh, en = ("", "") if connected else HUB_AWAY
        return OverlayState(words_zh=zh, words_en=en, hub=hub, hub_since=since)
    names = {room.room: room.name or room.room for room in lesson.order.rooms}
    zh, en = WORDS[lesson.state]
    if lesson.state is S.LIVE and not lesson.joined:
        zh, en = ALONE
    if not connected:
        zh, en = f"{zh}；{HUB_AWAY[0]}", f"{en}; {HUB_AWAY[1]}"
    return OverlayState(
        session=lesson.order.session,
        title=lesson.order.title,
        state=lesson.state,
        words_zh=zh,
        words_en=en,
        recording=lesson.recorder is not None and lesson.recorder.recording,
        hub=hub,
        hub_since=since,
        peers=tuple(
            PeerState(room=room, name=names.get(room, room), state=state, connected=state == "connected")
            for room, state in lesson.connected.items()
        ),
    )
