"""Starts the agent's own child processes, all in the same way."""

import os
import subprocess
from collections.abc import Sequence

NO_WINDOW: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)
"""Windows would open a console for it, over the slides."""
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Read by NumPy's libraries when they are loaded: their threads wait in a loop for more to multiply, and took 13 % of a
core, beside the 19 % of everything else."""


def start_child(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a process that is talked with over its standard input and output; its words go where ours go.

    Raises:
        OSError: it cannot be started.
    """
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        creationflags=NO_WINDOW,
        env={**os.environ, **ONE_THREAD},
    )
