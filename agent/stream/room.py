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

from agent.stream.peer import Peer, PeerContext, PeerFigures
from contract.session import Role, RoomOrder, SessionOrder
from contract.signal import Answer, Offer
from contract.signal import Peer as PeerSignal

log = logging.getLogger(__name__)

ANSWER_S = 5.0
"""An offer that is not answered within this is made anew."""
SILENCE_S = 3.0
"""A peer from which nothing came for this long is lost."""
FIRST_PACKET_S = 6.0
"""A peer must send something within this after the answer."""
WATCH_S = 0.25
RETRY_MAX_S = 5.0
OFFER_VALID_S = 30.0


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
        mono_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        others = [room.room for room in order.rooms if room.room != me.room]
        heard = others if me.role is Role.LEAD else [order.lead.room]
        self.figures: dict[str, PeerFigures] = {room: PeerFigures() for room in heard}
        """What came from each counterpart, by room."""
        self.states: dict[str, PeerState] = dict.fromkeys(heard, PeerState.WAITING)
        self._order = order
        self._me = me
        self._context = context
        self._send = send
        self._on_change = on_change
        self._mono_ns = mono_ns
        self._peers: dict[str, Peer] = {}
        self._answers: dict[str, Answer] = {}
        self._offers: asyncio.Queue[Offer] = asyncio.Queue(16)
        self._answered: dict[str, asyncio.Future[str]] = {}
        self._incarnations: dict[str, str] = {}
        self._rejoin = asyncio.Event()

    async def run(self) -> None:
        """Join and stay joined until cancelled."""
        try:
            if self._me.role is Role.LEAD:
                await self._answer_all()
            else:
                await self._stay_joined(self._order.lead.room)
        finally:
            await asyncio.gather(*(peer.close() for peer in self._peers.values()))
            self._peers.clear()

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
        """Another room told where it stands; a service that was started anew must be joined anew."""
        known = self._incarnations.get(peer.room)
        self._incarnations[peer.room] = peer.incarnation
        if known is not None and known != peer.incarnation:
            self._rejoin.set()

    async def _stay_joined(self, room: str) -> None:
        failures = 0
        while True:
            self._rejoin.clear()
            held = await self._join(room)
            failures = 0 if held else failures + 1
            pause_s = random.uniform(0.05, min(RETRY_MAX_S, 0.2 * 1.7**failures))
            await asyncio.sleep(pause_s)

    async def _join(self, room: str) -> bool:
        """One attempt, for as long as it holds. Returns whether it ever held."""
        attempt = secrets.token_hex(8)
        peer = Peer(room, attempt, self._context, self.figures[room], self._mono_ns)
        self._peers[room] = peer
        answered = self._answered[attempt] = asyncio.get_running_loop().create_future()
        try:
            self._set(room, PeerState.JOINING)
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
            return await self._hold(room, peer)
        except TimeoutError:
            log.info("%s does not answer yet", room)
            return False
        except ValueError as error:
            log.warning("the answer of %s cannot be used: %s", room, error)
            return False
        finally:
            del self._answered[attempt]
            await peer.close()
            if self._peers.get(room) is peer:
                del self._peers[room]
            self._set(room, PeerState.LOST)

    async def _hold(self, room: str, peer: Peer) -> bool:
        held = False
        accepted_ns = self._mono_ns()
        while not peer.failed.is_set() and not self._rejoin.is_set():
            await asyncio.sleep(WATCH_S)
            now = self._mono_ns()
            if peer.last_packet_ns is None:
                if now - accepted_ns > FIRST_PACKET_S * 1e9:
                    break
                continue
            if not held:
                held = True
                self._set(room, PeerState.CONNECTED)
            if now - peer.last_packet_ns > SILENCE_S * 1e9:
                break
        return held

    async def _answer_all(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch(), name="stream.watch")
            while True:
                offer = await self._offers.get()
                await self._answer(offer)

    async def _answer(self, offer: Offer) -> None:
        room = offer.sender
        known = self._answers.get(room)
        if known is not None and known.attempt == offer.attempt:
            self._send(known, OFFER_VALID_S)
            return
        old = self._peers.pop(room, None)
        if old is not None:
            await old.close()
        peer = Peer(room, offer.attempt, self._context, self.figures[room], self._mono_ns)
        self._set(room, PeerState.JOINING)
        try:
            sdp = await peer.answer(offer.sdp, offer.tracks)
        except (ValueError, IndexError, AttributeError, TypeError) as error:
            # aiortc's SDP parser raises any of these on a foreign or damaged offer.
            log.warning("the offer of %s cannot be used: %s", room, error)
            await peer.close()
            self._set(room, PeerState.LOST)
            return
        self._peers[room] = peer
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
        while True:
            await asyncio.sleep(WATCH_S)
            now = self._mono_ns()
            for room, peer in list(self._peers.items()):
                silent = peer.last_packet_ns is not None and now - peer.last_packet_ns > SILENCE_S * 1e9
                if peer.failed.is_set() or silent:
                    self._set(room, PeerState.LOST)
                elif peer.last_packet_ns is not None:
                    self._set(room, PeerState.CONNECTED)

    def _set(self, room: str, state: PeerState) -> None:
        if self.states[room] is not state:
            self.states[room] = state
            self._on_change()
