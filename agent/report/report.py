"""The whole report side of one agent: outboxes, link, courier, clock and health, started and stopped as one."""

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Any

from agent.identity import Identity
from agent.machine import fingerprint
from agent.platform import boot_id
from agent.report import health
from agent.report.clock import HubClock
from agent.report.courier import Courier
from agent.report.link import Lane, Link
from agent.report.orders import OrderShelf
from agent.report.outbox import Outbox
from agent.report.reporter import Ledger, Reporter, make_good
from agent.settings import AgentSettings
from contract import topics
from contract.envelope import Envelope, EnvelopeRefused
from contract.session import SessionOrder
from contract.signal import Hello, Order, Signal
from contract.telemetry import DeviceState

log = logging.getLogger(__name__)

BURST = 5
"""Clock questions at each connect ..."""
BURST_S = 0.1
"""... this far apart, in seconds ..."""
CLOCK_S = 15.0
"""... and then one every so many seconds."""
SAVE_S = 60.0
"""Seconds between two saves of the clock's map."""
HELLO_VALID_S = 600.0


class Report:
    """What the service and the lesson talk to the hub through.

    Callbacks are called on the report's threads and must return at once; an asyncio
    owner hands over with `loop.call_soon_threadsafe`.
    """

    def __init__(
        self,
        identity: Identity,
        settings: AgentSettings,
        *,
        incarnation: str,
        version: str = "",
        boot: str | None = None,
        chance: random.Random | None = None,
    ) -> None:
        """Open the outboxes and the shelf of orders; nothing is sent yet.

        Args:
            identity: this device.
            settings: the agent's settings.
            incarnation: minted by the service each time it starts.
            version: of the agent, told to the hub.
            boot: this boot's identity; read from the system where not given.
            chance: jitter of reconnects.
        """
        self.on_signal: Callable[[Signal], None] = lambda _signal: None
        """Takes each signal of the hub but orders, once."""
        self.on_order: Callable[[SessionOrder], None] = lambda _order: None
        """Takes each order that is newer than what was held; it is on disk by then."""
        self.on_hub: Callable[[bool], None] = lambda _connected: None
        """Told when the hub comes into reach and when it goes."""
        state = settings.state
        self.boot = boot or boot_id()
        self.incarnation = incarnation
        self._device = identity.device
        self._settings = settings
        machine = fingerprint(state)
        # A device that was enrolled anew under another name begins new streams: the hub knows each by its device.
        self._machine, owner = machine, f"{machine} {identity.device}"
        self._telemetry = Outbox(state / "telemetry.db", machine=owner, cap_bytes=settings.report.telemetry_cap_bytes)
        self._events = Outbox(state / "event.db", machine=owner, cap_bytes=settings.report.event_cap_bytes)
        if settings.report.ledger:
            make_good(state / "produced", (self._telemetry, self._events))
        self._ledger = Ledger(state / "produced" / f"{incarnation}.txt") if settings.report.ledger else None
        self.clock = HubClock(state / "clock.json", self.boot)
        self.reporter = Reporter(
            self._telemetry, self._events, device=identity.device, boot=self.boot, ledger=self._ledger
        )
        self.orders = OrderShelf(state / "orders", identity.hub_key, identity.device)
        self._link = self._made_link(identity, version, chance)
        self.courier = Courier(identity.device, identity.key, identity.hub_key, self._link.publish_signal, self.clock)
        self._health = health.Health(self._probes())
        self._hub_online = True
        self._connected = False
        self._connected_since = time.time()
        self._burst = 0
        self._clock_due_s = 0.0
        self._stopping = threading.Event()
        self._draining = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._pulse, name="report.pulse", daemon=True)
        self._wire()

    @property
    def connected(self) -> bool:
        """Whether the hub is in reach, as far as the broker knows."""
        return self._connected

    def start(self) -> None:
        """Begin to connect and to report; returns at once and tries for ever."""
        self._link.start()
        self._thread.start()

    def drain(self, within_s: float) -> bool:
        """Wait until the hub has everything, at most `within_s` seconds; False where something is left."""
        self._telemetry.flush()
        self._events.flush()
        until = time.monotonic() + within_s
        while self.waiting():
            if time.monotonic() >= until:
                return False
            time.sleep(0.02)
        return True

    def waiting(self) -> int:
        """Rows and signals that the hub has not confirmed."""
        return self._telemetry.depth().rows + self._events.depth().rows + self.courier.waiting()

    def stop(self, drain_s: float | None = None) -> bool:
        """Drain for a while, say goodbye and end; False where something waits for the next start.

        May be called twice.
        """
        if self._stopping.is_set():
            return True
        wanted = self._settings.report.drain_s if drain_s is None else drain_s
        self._draining.set()  # no new samples: whoever drains must come to an end
        done = self.drain(wanted if self._link.up else 0.0)
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        self._link.stop()
        self._save_clock()
        self._telemetry.close()
        self._events.close()
        if self._ledger is not None:
            self._ledger.close()
        return done

    def hello(self) -> None:
        """Tell the hub which orders we hold, so that it sends what is newer."""
        hello = Hello(device=self._device, boot=self.boot, incarnation=self.incarnation, orders=self.orders.revs())
        self.courier.send(hello, HELLO_VALID_S, key="hello")

    # Wiring.

    def _made_link(self, identity: Identity, version: str, chance: random.Random | None) -> Link:
        hub = self._settings.hub
        birth = DeviceState(
            device=identity.device,
            online=True,
            boot=self.boot,
            incarnation=self.incarnation,
            version=version,
            machine=self._machine,
        )
        return Link(
            birth,
            hub.mqtt_host or identity.mqtt_host,
            hub.mqtt_port or identity.mqtt_port,
            (
                Lane(topics.event(identity.device), self._events),
                Lane(topics.tele(identity.device), self._telemetry),
            ),
            keepalive_s=hub.keepalive_s,
            retry_cap_s=hub.retry_cap_s,
            chance=chance,
        )

    def _wire(self) -> None:
        self._link.on_up = self._up
        self._link.on_down = self._down
        self._link.on_hub = self._hub
        self._link.on_signal = self.courier.arrived
        self.courier.on_signal = self._signal
        self.courier.on_order = self._order
        self.courier.on_pending = self._wake.set

    def _probes(self) -> tuple[Callable[[], dict[str, Any]], ...]:
        return (
            health.processor,
            health.memory,
            health.temperature,
            lambda: health.disk(self._settings.state),
            lambda: health.outbox("telemetry", self._telemetry.depth(), time.time()),
            lambda: health.outbox("event", self._events.depth(), time.time()),
            lambda: health.clock(self.clock, time.monotonic_ns()),
            lambda: {"link_up": self._link.up},
        )

    def _up(self) -> None:
        away_s = round(time.time() - self._connected_since, 1)
        self._greet()
        self._reach()
        self.reporter.event("link.up", {"away_s": away_s})

    def _down(self) -> None:
        self.courier.down()
        self._hub_online = True
        self._reach()
        if not self._draining.is_set():
            self.reporter.event("link.down")

    def _hub(self, online: bool) -> None:  # noqa: FBT001  the link's callback
        self._hub_online = online
        if online and self._link.up:
            self._greet()
        self._reach()

    def _greet(self) -> None:
        self._burst = BURST
        self._clock_due_s = 0.0
        self.courier.up()
        self.hello()

    def _reach(self) -> None:
        connected = self._link.up and self._hub_online
        if connected != self._connected:
            self._connected, self._connected_since = connected, time.time()
            self.on_hub(connected)

    def _signal(self, signal: Signal) -> None:
        self.on_signal(signal)

    def _order(self, _order: Order, envelope: Envelope) -> None:
        try:
            kept = self.orders.keep(envelope)
        except EnvelopeRefused as error:
            log.warning("an order is left out: %s", error)
            return
        if kept is not None:
            self.on_order(kept.order)

    # The report's own thread.

    def _pulse(self) -> None:
        health_due = 0.0
        save_due = time.monotonic() + SAVE_S
        while not self._stopping.is_set():
            now = time.monotonic()
            if now >= self._clock_due_s:
                self._ask_time(now)
            if now >= health_due and not self._draining.is_set():
                self.reporter.telemetry("health", self._health.sample())
                health_due = now + self._settings.report.health_s
            if now >= save_due:
                self._save_clock()
                self.orders.forget_past(self.clock.now())
                save_due = now + SAVE_S
            again = min(self.courier.tick(), self._clock_due_s - now, max(health_due - now, 0.05), save_due - now)
            if self._wake.wait(max(0.01, again)):
                self._wake.clear()

    def _ask_time(self, now_s: float) -> None:
        self._burst = max(0, self._burst - 1)
        self._clock_due_s = now_s + (BURST_S if self._burst else CLOCK_S)
        self.clock.follow_wall()
        self.courier.ask_time()

    def _save_clock(self) -> None:
        try:
            self.clock.save()
        except OSError as error:
            log.warning("the clock's map is not saved: %s", error)
