"""Tells whoever shows the district that something changed."""

import threading
from collections.abc import Callable

Listener = Callable[[str], object]
"""Is handed what changed: a session's id, or a device's. Called from any thread; must return at once."""


class Changes:
    """Hands each change to every listener. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` at each change from now on; returns what ends it."""
        with self._lock:
            self._listeners.append(listener)

        def leave() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return leave

    def tell(self, what: str) -> None:
        """Something about session or device `what` changed."""
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener(what)
