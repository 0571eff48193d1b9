"""Keeps one room joined with the others of its session, whatever happens on the way.

A receiving room offers to the lead room and offers anew when nothing comes any more or
the lead room's service was started anew; the lead room answers whoever offers. Repeating
an offer does no harm: the same attempt gets the same answer.
"""

import asyncio
import logging
import random
import secrets
import time
from collections.abc import Callable
from enum import StrEnum

from agent.stream.figures import PeerFigures
from agent.stream.ladder import Look
from agent.stream.ladders import Ladders, LossShare, OnRung
from agent.stream.peer import Peer, PeerContext, ago_s
from contract.session import Role, RoomOrder, SessionOrder
from contract.signal import Answer, Offer
from contract.signal import Peer as PeerSignal

log = logging.getLogger(__name__)

ANSWER_S = 5.0
"""An offer that is not answered within this is made anew."""
SILENCE_S = 1.0
"""A peer from which nothing came for this long is lost; sound comes every 20 ms."""
FIRST_PACKET_S = 6.0
"""A peer must send something within this after the answer."""
GONE_S = 30.0
"""A lost connection is kept for this long: when the link comes back, so does it, without a new join."""
WATCH_S = 0.1
"""How often connections are looked at."""
LOOK_S = 0.2
"""How often the ladders are looked at."""
RETRY_MAX_S = 3.0
"""The longest pause between two tries to join."""
OFFER_VALID_S = 30.0
"""Offers and answers are of no use after this."""


class PeerState(StrEnum):
    """How the connection with one other room stands."""

    WAITING = "waiting"
    """Nothing asked or answered yet."""
    JOINING = "joining"
    """Offer and answer are under way."""
    CONNECTED = "connected"
    """Sound and pictures come."""
    LOST = "lost"
    """Nothing comes any more; joining anew."""


SendSignal = Callable[[Offer | Answer, float], None]
"""Sends a signal, valid for so many seconds."""


class RoomStream:
    """The connections of one room in one lesson. Owns its peers; ends as one."""

    def __init__(
        self,
        order: SessionOrder,
        me: RoomOrder,
        context: PeerContext,
        send: SendSignal,
        on_change: Callable[[], None],
        on_rung: OnRung = lambda _room, _stand, _before: None,
        mono_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        others = [room.room for room in order.rooms if room.room != me.room]
        heard = others if me.role is Role.LEAD else [order.lead.room]
        self.figures: dict[str, PeerFigures] = {room: PeerFigures() for room in heard}
        """What came from each counterpart, by room."""
        self.states: dict[str, PeerState] = dict.fromkeys(heard, PeerState.WAITING)
        self.ladders = Ladders(me.role, heard, mono_ns() / 1e9, on_rung)
        """On which rung the lesson stands with each counterpart."""
        self._losses = {room: LossShare() for room in heard}
        self._order = order
        self._me = me
        self._context = context
        self._send = send
        self._on_change = on_change
        self._mono_ns = mono_ns
        self._peers: dict[str, Peer] = {}
        self._joining: dict[str, Peer] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._answers: dict[str, Answer] = {}
        self._offers: asyncio.Queue[Offer] = asyncio.Queue(16)
        self._answered: dict[str, asyncio.Future[str]] = {}
        self._incarnations: dict[str, str] = {}
        self._rejoin = asyncio.Event()

    async def run(self) -> None:
        """Join and stay joined until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._look_after(), name="stream.look")
                if self._me.role is Role.LEAD:
                    tasks.create_task(self._watch(), name="stream.watch")
                    tasks.create_task(self._answer_all(), name="stream.answer")
                else:
                    tasks.create_task(self._stay_joined(self._order.lead.room), name="stream.join")
        finally:
            for peer in (*self._peers.values(), *self._joining.values()):
                self._let_go(peer)
            await asyncio.gather(*self._closing, return_exceptions=True)

    def take_offer(self, offer: Offer) -> None:
        """An offer came for this room."""
        if self._me.role is not Role.LEAD or offer.sender not in self.figures:
            log.warning("an offer from %s does not belong into session %s", offer.sender, self._order.session)
            return
        try:
            self._offers.put_nowait(offer)
        except asyncio.QueueFull:
            log.warning("too many offers at once; the one of %s is dropped and will come again", offer.sender)

    def take_answer(self, answer: Answer) -> None:
        """An answer came for this room; one to an older attempt is of no use any more."""
        waiting = self._answered.get(answer.attempt)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer.sdp)

    def take_peer(self, peer: PeerSignal) -> None:
        """Another room told where it stands; a lead room's service that was started anew must be joined anew."""
        if peer.room not in self.figures:
            return  # another receiving room: nothing connects us with it
        known = self._incarnations.get(peer.room)
        self._incarnations[peer.room] = peer.incarnation
        if known is not None and known != peer.incarnation:
            self._rejoin.set()

    async def _look_after(self) -> None:
        """Look at each link a few times a second, and do what its ladder says."""
        while True:
            now = self._mono_ns()
            for room, figures in self.figures.items():
                peer = self._peers.get(room) or self._joining.get(room)
                lost = self._losses[room].share(figures.sound_lost, now / 1e9)
                if peer is None:
                    ages = ago_s(figures.last_sound_ns, now), ago_s(figures.last_picture_ns, now)
                    self.ladders.look(room, Look(False, *ages, sound_lost=lost), now / 1e9)
                else:
                    peer.obey(self.ladders.look(room, peer.look(lost), now / 1e9))
            await asyncio.sleep(LOOK_S)

    async def _stay_joined(self, room: str) -> None:
        """Hold a connection; where it is lost, join anew beside it, and keep whichever comes to life first."""
        current: Peer | None = None
        trying: asyncio.Task[Peer | None] | None = None
        failures, next_try_ns = 0, 0
        try:
            while True:
                now = self._mono_ns()
                if self._rejoin.is_set():
                    self._rejoin.clear()
                    self._let_go(self._peers.pop(room, None))  # the other service was started anew
                    current, next_try_ns = None, now
                if trying is not None and trying.done():
                    joined, trying = trying.result(), None
                    if joined is not None:
                        self._let_go(current)
                        current, failures = joined, 0
                        self._peers[room] = joined
                    else:
                        failures += 1
                        pause_s = random.uniform(0.05, min(RETRY_MAX_S, 0.2 * 1.7**failures))
                        next_try_ns = now + round(pause_s * 1e9)
                if current is not None and self._heard(current, now):
                    self._set(room, PeerState.CONNECTED)
                    if trying is not None:
                        trying.cancel()
                        trying = None
                else:
                    self._set(room, PeerState.JOINING if current is None else PeerState.LOST)
                    if trying is None and now >= next_try_ns:
                        trying = asyncio.create_task(self._join(room), name=f"stream.join.{room}")
                    if current is not None and _silent_s(current, now) > GONE_S:
                        self._let_go(self._peers.pop(room, None))
                        current = None
                await asyncio.sleep(WATCH_S)
        finally:
            if trying is not None:
                trying.cancel()
                await asyncio.gather(trying, return_exceptions=True)
            self._let_go(self._peers.pop(room, None))

    async def _join(self, room: str) -> Peer | None:
        """One attempt. Returns the peer once something comes from it, or None where nothing did."""
        attempt = secrets.token_hex(8)
        peer = Peer(room, attempt, self._context, self.figures[room], self._mono_ns)
        answered = self._answered[attempt] = asyncio.get_running_loop().create_future()
        alive = False
        try:
            sdp, tracks = await peer.offer()
            offer = Offer(
                device=self._me.device,
                session=self._order.session,
                sender=self._me.room,
                to=room,
                attempt=attempt,
                sdp=sdp,
                tracks=tracks,
            )
            self._send(offer, OFFER_VALID_S)
            await peer.accept(await asyncio.wait_for(answered, ANSWER_S))
            alive = await self._comes_to_life(peer)
        except TimeoutError:
            log.info("%s does not answer yet", room)
        except ValueError as error:
            log.warning("the answer of %s cannot be used: %s", room, error)
        finally:
            del self._answered[attempt]
            if not alive:
                self._let_go(peer)
        return peer if alive else None

    async def _comes_to_life(self, peer: Peer) -> bool:
        deadline = self._mono_ns() + round(FIRST_PACKET_S * 1e9)
        while self._mono_ns() < deadline and not peer.failed.is_set():
            if peer.last_packet_ns is not None:
                return True
            await asyncio.sleep(WATCH_S / 5)
        return False

    async def _answer_all(self) -> None:
        while True:
            await self._answer(await self._offers.get())

    async def _answer(self, offer: Offer) -> None:
        room = offer.sender
        known = self._answers.get(room)
        if known is not None and known.attempt == offer.attempt:
            self._send(known, OFFER_VALID_S)
            return
        peer = Peer(room, offer.attempt, self._context, self.figures[room], self._mono_ns)
        try:
            sdp = await peer.answer(offer.sdp, offer.tracks)
        except ValueError as error:
            log.warning("the offer of %s cannot be used: %s", room, error)
            self._let_go(peer)
            return
        self._let_go(self._joining.get(room))
        self._joining[room] = peer
        answer = Answer(
            device=self._me.device,
            session=self._order.session,
            sender=self._me.room,
            to=room,
            attempt=offer.attempt,
            sdp=sdp,
        )
        self._answers[room] = answer
        self._send(answer, OFFER_VALID_S)

    async def _watch(self) -> None:
        """Of two connections with one room the new one stays once it has come to life."""
        while True:
            await asyncio.sleep(WATCH_S)
            now = self._mono_ns()
            for room in self.figures:
                joining, current = self._joining.get(room), self._peers.get(room)
                if joining is not None and joining.last_packet_ns is not None:
                    self._let_go(current)
                    current = self._peers[room] = self._joining.pop(room)
                elif joining is not None and now - joining.began_ns > (ANSWER_S + FIRST_PACKET_S) * 1e9:
                    self._let_go(self._joining.pop(room))
                if current is not None and _silent_s(current, now) > GONE_S:
                    self._let_go(self._peers.pop(room))
                    current = None
                self._set(room, self._state(current, joining=room in self._joining, now=now))

    def _state(self, peer: Peer | None, *, joining: bool, now: int) -> PeerState:
        if peer is not None and self._heard(peer, now):
            return PeerState.CONNECTED
        if joining:
            return PeerState.JOINING
        return PeerState.WAITING if peer is None else PeerState.LOST

    def _heard(self, peer: Peer, now: int) -> bool:
        return not peer.failed.is_set() and _silent_s(peer, now) < SILENCE_S

    def _let_go(self, peer: Peer | None) -> None:
        """Close a peer beside what goes on."""
        if peer is not None:
            task = asyncio.create_task(peer.close(), name=f"stream.close.{peer.room}")
            self._closing.add(task)
            task.add_done_callback(self._closed)

    def _closed(self, task: asyncio.Task[None]) -> None:
        self._closing.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s: the connection could not be closed", task.get_name(), exc_info=error)

    def _set(self, room: str, state: PeerState) -> None:
        if self.states[room] is not state:
            self.states[room] = state
            self._on_change()


def _silent_s(peer: Peer, now_ns: int) -> float:
    """How long nothing came from a peer, in seconds."""
    since = peer.last_packet_ns if peer.last_packet_ns is not None else peer.began_ns
    return (now_ns - since) / 1e9
