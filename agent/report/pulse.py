"""The report's own thread: asks for the hub's time, sends signals again, saves the clock, forgets old orders."""

import logging
import threading
import time

from agent.report.clock import HubClock
from agent.report.courier import Courier
from agent.report.orders import OrderShelf

log = logging.getLogger(__name__)

BURST = 5
"""Clock questions at each connect ..."""
BURST_S = 0.1
"""... this far apart, in seconds ..."""
CLOCK_S = 15.0
"""... and then one every so many seconds."""
SAVE_S = 60.0
"""Seconds between two saves of the clock's map."""


class Pulse:
    """Does what is due, and waits until something is again."""

    def __init__(self, clock: HubClock, courier: Courier, orders: OrderShelf) -> None:
        self._clock = clock
        self._courier = courier
        self._orders = orders
        self._anew = False
        self._burst = 0
        self._clock_due_s = 0.0
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="report.pulse", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def burst(self) -> None:
        """The hub is there: several questions for its time, beginning with the next round. Any thread."""
        self._anew = True

    def wake(self) -> None:
        """Something is due earlier than was said."""
        self._wake.set()

    def stop(self) -> None:
        """End the thread; may be called twice, and without a start."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def save_clock(self) -> None:
        """Write the clock's map down."""
        try:
            self._clock.save()
        except OSError as error:
            log.warning("the clock's map is not saved: %s", error)

    def _run(self) -> None:
        save_due = time.monotonic() + SAVE_S
        while not self._stopping.is_set():
            now = time.monotonic()
            if self._anew:
                self._anew, self._burst, self._clock_due_s = False, BURST, now
            if now >= self._clock_due_s:
                self._ask_time(now)
            if now >= save_due:
                self.save_clock()
                self._orders.forget_past(self._clock.now())
                save_due = now + SAVE_S
            again = min(self._courier.tick(), self._clock_due_s - now, save_due - now)
            if self._wake.wait(max(0.01, again)):
                self._wake.clear()

    def _ask_time(self, now_s: float) -> None:
        self._burst = max(0, self._burst - 1)
        self._clock_due_s = now_s + (BURST_S if self._burst else CLOCK_S)
        self._clock.follow_wall()
        self._courier.ask_time()
