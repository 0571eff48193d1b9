"""How late this machine is: real-time tests on a machine that does other things as well say nothing."""

import threading
import time

STEP_S = 0.01
LATE_S = 0.025
BUSY = 0.01
"""A machine on which so large a share of short waits ends late cannot hold a lesson in real time."""


class Lateness:
    """Counts, in a thread, the short waits that end late. A context manager."""

    def __init__(self):
        self.waits = self.late = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def share(self):
        """Of the waits so far, those that ended late."""
        return self.late / max(1, self.waits)

    @property
    def busy(self):
        """Whether this machine was too busy to judge by."""
        return self.share > BUSY

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _run(self):
        while not self._stop.is_set():
            begin = time.monotonic()
            time.sleep(STEP_S)
            self.waits += 1
            self.late += time.monotonic() - begin > STEP_S + LATE_S
