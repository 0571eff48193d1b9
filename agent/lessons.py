"""The lessons of one room: one for each order that is due, held until nothing is left to do."""

import asyncio
import logging
from collections.abc import Callable

from agent.house import House
from agent.keeping import Keeping
from agent.lesson import REPORT_VALID_S, Lesson
from agent.record.store import PackageRef
from contract.session import SessionOrder
from contract.signal import Answer, Offer, RoomReport, Signal
from contract.signal import Peer as PeerSignal
from contract.state import FINAL, SessionState

log = logging.getLogger(__name__)

LEFT_BEHIND_S = 3600.0
"""An order whose session ended longer ago than this is not held any more."""
BUSY = frozenset({SessionState.READYING, SessionState.READY, SessionState.LIVE, SessionState.ENDING})


class Lessons:
    """Begins a lesson with its order and forgets it at its end; belongs to the event loop of the service."""

    def __init__(self, device: str, room: str, house: House, keeping: Keeping, now: Callable[[], float]) -> None:
        """Begin with none.

        Args:
            device: identifier of this device.
            room: identifier of the room it stands in.
            house: what each lesson is handed.
            keeping: looks after the packages that lessons leave.
            now: hub UTC as far as it is known, in seconds.
        """
        self._device = device
        self._room = room
        self._house = house
        self._keeping = keeping
        self._now = now
        self._held: dict[str, Lesson] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    @property
    def sessions(self) -> frozenset[str]:
        """Sessions that are held now or may still be; any thread may ask."""
        return frozenset(self._running)

    @property
    def live(self) -> bool:
        """Whether a lesson has devices open; any thread may ask."""
        return any(lesson.state in BUSY for lesson in list(self._held.values()))

    @property
    def foremost(self) -> Lesson | None:
        """What the teacher's screen is to show; None between lessons."""
        busy = [lesson for lesson in self._held.values() if lesson.state is not SessionState.SCHEDULED]
        return busy[-1] if busy else None

    def take_order(self, order: SessionOrder) -> None:
        """Hold what is ordered, or change what is held."""
        held = self._held.get(order.session)
        if held is not None:
            held.take_order(order)
            return
        room = order.room_of(self._device)
        if room is None or not self._worth_holding(order):
            return
        lesson = Lesson(order, room, self._house)
        self._held[order.session] = lesson
        task = asyncio.create_task(lesson.run(), name=f"lesson.{order.session}")
        self._running[order.session] = task
        task.add_done_callback(lambda _: self._ended(order.session))

    def take_signal(self, signal: Signal) -> None:
        """Hand a signal about another room to its lesson; others are not for lessons."""
        if not isinstance(signal, Offer | Answer | PeerSignal):
            return
        lesson = self._held.get(signal.session)
        if lesson is None:
            log.info("a %s for session %s, which is not held here", signal.kind, signal.session)
            return
        lesson.take_signal(signal)

    def uploaded(self, session: str) -> None:
        """The hub's receipt for a package came: nothing is left to do."""
        lesson = self._held.pop(session, None)
        if lesson is not None:
            lesson.uploaded()
            self._house.on_change()

    def tell_sealed(self) -> None:
        """Tell of packages that an earlier run sealed, for the hub may not have heard of them; blocks on the disk."""
        for manifest in self._keeping.sealed():
            told = RoomReport(
                device=self._device,
                session=manifest.session,
                room=manifest.room,
                rev=1,
                state=SessionState.SEALED if manifest.policy.upload else SessionState.UPLOADED,
                incarnation=self._house.incarnation,
                result=manifest.result,
            )
            self._house.send(told, REPORT_VALID_S, f"room:{manifest.session}")

    async def end(self) -> None:
        """Interrupt every lesson; one that is live goes on with the next start of the service."""
        doing = list(self._running.values())
        for task in doing:
            task.cancel()
        await asyncio.gather(*doing, return_exceptions=True)

    def _worth_holding(self, order: SessionOrder) -> bool:
        if order.cancelled:
            return False
        over_s = self._now() - order.ends
        if over_s <= 0:
            return True
        folder = self._house.store.folder(PackageRef(order.session, self._room))
        sealed = any(manifest.session == order.session for manifest in self._keeping.sealed())
        return over_s < LEFT_BEHIND_S and folder.exists() and not sealed

    def _ended(self, session: str) -> None:
        task = self._running.pop(session)
        lesson = self._held[session]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("lesson %s ended with a fault in the program", session, exc_info=error)
            lesson.give_up("a fault in the program ended the lesson; the log has it")
        if lesson.state in FINAL:
            del self._held[session]
        self._keeping.wake()
        self._house.on_change()
