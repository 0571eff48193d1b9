"""An agent whose room is told who speaks instead of hearing it; everything else is the agent's own."""

import threading
import time
from collections.abc import Callable
from typing import Any

import agent.insight
import agent.observe.live
import tongtang
from agent.service import AgentService
from contract.observation import Observation

PART_S = 0.5
EVERY_S = 1.0
LATE_S = 3.0
VOICES: dict[str, tuple[str, ...]] = {
    "lead": ("teacher",) * 6 + ("silence", "silence", "student", "silence", "silence", "silence"),
    "receiving-1": ("silence",) * 10 + ("student", "silence"),
}
"""Over and over, half a second each: she speaks 3 s, after a second a pupil does, and half a second later a far one."""


class Scripted:
    """An observer in whose room the script is spoken."""

    def __init__(
        self,
        room: str,
        on_observation: Callable[[Observation], None],
        session_t: Callable[[int], float],
        boot: str,
    ) -> None:
        self._script = VOICES[room]
        self._tell = on_observation
        self._t = session_t
        self._boot = boot
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def feed_frame(self, *_: object) -> None:
        pass

    def feed_block(self, *_: object) -> None:
        pass

    def feed_played(self, *_: object) -> None:
        pass

    def figures(self) -> dict[str, Any]:
        return {}

    def _run(self) -> None:
        part = max(0, int(self._t(time.monotonic_ns()) / PART_S))  # after a start in mid-lesson: from now on
        while not self._stopping.wait(0.05):
            now_ns = time.monotonic_ns()
            now_s = self._t(now_ns)
            while (part + 1) * PART_S <= now_s:
                t = part * PART_S
                self._tell(
                    Observation(
                        kind="voice",
                        t=t,
                        mono_ns=now_ns - round((now_s - t) * 1e9),
                        boot=self._boot,
                        seconds=PART_S,
                        confidence=0.9,
                        value={"voice": self._script[part % len(self._script)]},
                    )
                )
                part += 1


def scripted(self: AgentService, **more: Any) -> Scripted:
    """What the service makes in place of its observer."""
    return Scripted(self._identity.room, more["on_observation"], more["session_t"], self._report.boot)


if __name__ == "__main__":
    agent.insight.EVERY_S = EVERY_S
    agent.observe.live.LATE_S = LATE_S
    AgentService._make_observer = scripted
    tongtang.main()
