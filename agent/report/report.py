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
from agent.report.clock import HubClock
from agent.report.courier import Courier
from agent.report.health.machine import MachineHealth, Run
from agent.report.health.wanted import Wanted
from agent.report.link import Link
from agent.report.orders import OrderShelf
from agent.report.outboxes import Outboxes
from agent.report.pulse import Pulse
from agent.settings import AgentSettings
from agent.trust import broker_trust
from contract.envelope import Envelope, EnvelopeRefused
from contract.session import SessionOrder
from contract.signal import Hello, Order, Signal
from contract.telemetry import DeviceState

log = logging.getLogger(__name__)

HELLO_VALID_S = 600.0
NEAR_S = 600.0
"""A lesson that begins within so many seconds is near."""
BEGINNING_S = 120.0
"""So many seconds before and after its beginning a lesson begins: nothing else happens then."""


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
        wanted: Wanted | None = None,
    ) -> None:
        """Open the outboxes and the shelf of orders; nothing is sent yet.

        Args:
            identity: this device.
            settings: the agent's settings.
            incarnation: minted by the service each time it starts.
            version: of the agent, told to the hub.
            boot: this boot's identity; read from the system where not given.
            chance: jitter of reconnects.
            wanted: devices of this machine that the room's source names.
        """
        self.on_signal: Callable[[Signal], None] = lambda _signal: None
        """Takes each signal of the hub but orders, once."""
        self.on_order: Callable[[SessionOrder], None] = lambda _order: None
        """Takes each order that is newer than what was held; it is on disk by then."""
        self.on_hub: Callable[[bool], None] = lambda _connected: None
        """Told when the hub comes into reach and when it goes."""
        self.on_refused: Callable[[], None] = lambda: None
        """Told each time the broker refuses this device for what it is."""
        self.boot = boot or boot_id()
        self.incarnation = incarnation
        self._settings = settings
        state, device = settings.state, identity.device
        run = Run(device, fingerprint(state), self.boot, incarnation, version)
        self._run = run
        self._outboxes = Outboxes(settings, device=device, machine=run.machine, boot=self.boot, incarnation=incarnation)
        self.reporter = self._outboxes.reporter
        self.clock = HubClock(state / "clock.json", self.boot)
        self.orders = OrderShelf(state / "orders", identity.hub_key, device)
        self._link = self._made_link(identity, chance)
        self.courier = Courier(device, identity.key, identity.hub_key, self._link.publish_signal, self.clock)
        self._pulse = Pulse(self.clock, self.courier, self.orders)
        self.health = MachineHealth(
            run,
            settings,
            self.reporter,
            self._outboxes.both,
            self.clock,
            self.orders,
            lambda: self._link.up,
            wanted or Wanted(),
        )
        self._hub_online = True
        self._connected = False
        self._connected_since = time.time()
        self._draining = threading.Event()
        self._stopped = False
        self._wire()

    @property
    def connected(self) -> bool:
        """Whether the hub is in reach, as far as the broker knows."""
        return self._connected

    def start(self) -> None:
        """Begin to connect and to report; returns at once and tries for ever."""
        self._link.start()
        self._pulse.start()
        self.health.start()

    def drain(self, within_s: float) -> bool:
        """Wait until the hub has everything, at most `within_s` seconds; False where something is left."""
        self._outboxes.flush()
        until = time.monotonic() + within_s
        while self.waiting():
            if time.monotonic() >= until:
                return False
            time.sleep(0.02)
        return True

    def waiting(self) -> int:
        """Rows and signals that the hub has not confirmed."""
        return self._outboxes.waiting() + self.courier.waiting()

    def stop(self, drain_s: float | None = None) -> bool:
        """Drain for a while, say goodbye and end; False where something waits for the next start.

        May be called twice.
        """
        if self._stopped:
            return True
        wanted = self._settings.report.drain_s if drain_s is None else drain_s
        self._draining.set()
        self.health.stop()  # no new samples: whoever drains must come to an end
        done = self.drain(wanted if self._link.up else 0.0)
        self._stopped = True
        self._pulse.stop()
        self._link.stop()
        self._pulse.save_clock()
        self.health.ended()
        self._outboxes.close()
        return done

    def handle(self, topic: str, take: Callable[[bytes], None]) -> None:
        """Hand each payload of one more topic to `take`, on the network thread; before `start` alone."""
        self._link.handle(topic, take)

    def publish(self, topic: str, data: bytes, *, retain: bool = False) -> bool:
        """Send a message that may be lost; False where there is no connection."""
        return self._link.publish(topic, data, retain=retain)

    def health_now(self) -> dict[str, Any]:
        """All that is known of this machine's health, looked at now; takes a few seconds at most."""
        return self.health.now()

    def hello(self) -> None:
        """Tell the hub which orders we hold, so that it sends what is newer."""
        hello = Hello(device=self._run.device, boot=self.boot, incarnation=self.incarnation, orders=self.orders.revs())
        self.courier.send(hello, HELLO_VALID_S, key="hello")

    def lesson_near(self) -> bool:
        """Whether a lesson of this room is live, or begins within ten minutes, as far as it is known here."""
        return self.orders.lesson_within(NEAR_S, self.clock.now())

    def lesson_begins(self) -> bool:
        """Whether a lesson of this room is about to begin, or has just begun."""
        now = self.clock.now()
        return any(abs(order.epoch - now) <= BEGINNING_S for order in self.orders.standing())

    def renewed(self, *, at_once: bool) -> None:
        """This device has a new certificate: connect with it, at once or when no lesson is near."""
        self._link.renewed(at_once=at_once)

    # Wiring.

    def _made_link(self, identity: Identity, chance: random.Random | None) -> Link:
        hub, run = self._settings.hub, self._run
        birth = DeviceState(
            device=run.device,
            online=True,
            boot=run.boot,
            incarnation=run.incarnation,
            version=run.version,
            machine=run.machine,
        )
        return Link(
            birth,
            hub.mqtt_host or identity.mqtt_host,
            hub.mqtt_port or identity.mqtt_port,
            self._outboxes.lanes(),
            tls=(lambda: broker_trust(self._settings.state, self.clock.heard_now)) if identity.mqtt_tls else None,
            urgent=self.lesson_near,
            keepalive_s=hub.keepalive_s,
            retry_cap_s=hub.retry_cap_s,
            chance=chance,
        )

    def _wire(self) -> None:
        self._link.on_up = self._up
        self._link.on_down = self._down
        self._link.on_hub = self._hub
        self._link.on_signal = self.courier.arrived
        self._link.on_refused = self._refused
        self.courier.on_signal = self._signal
        self.courier.on_order = self._order
        self.courier.on_pending = self._pulse.wake

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

    def _refused(self) -> None:
        self.on_refused()

    def _greet(self) -> None:
        self._pulse.burst()
        self.courier.up()
        self.hello()
        self.health.tell_all()

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
