"""Ctrl-C for programs that tests start."""

import os
import signal
from collections.abc import Callable


def heeded() -> Callable[[], object] | None:
    """What a child does before it becomes the program (`preexec_fn`), so that Ctrl-C reaches it.

    Whoever runs the tests in the background of a shell has SIGINT ignored, and children inherit that.
    """
    return None if os.name != "posix" else lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
