"""Observes one room: keeps the observing process alive and turns what it finds into observations."""

import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from agent.capture.frame import Block, Frame
from agent.observe.feed import Feed, FeedCounts, PictureTrack
from agent.observe.pace import Cadence, Pacer, Told
from agent.observe.people import BODIES_S
from agent.observe.view import UNTOLD, View
from agent.observe.words import Words
from agent.observe.worker import Worker
from contract.observation import Observation

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ObserverLimits:
    """What the observing process is allowed."""

    cpu_share: float = 0.25
    """Of one core, over a minute; over it is looked less often."""
    memory_bytes: int = 450 << 20
    """Resident memory; over it the process is replaced."""
    ping_s: float = 2.0
    """Time between two questions whether it lives."""
    hang_s: float = 15.0
    """Silence after which it counts as hung; a slow machine needs some seconds for one picture."""
    start_s: float = 60.0
    """The same until it is ready: a slow disk loads libraries and models for long."""
    flush_s: float = 5.0
    """Time it has at the end to work off what waits and to tell what is open."""
    back_off_s: float = 0.5
    """Wait before the first replacement; doubles each time."""
    back_off_cap_s: float = 30.0
    """Longest wait."""
    well_s: float = 60.0
    """After this long without trouble, waits are short again and trouble is news again."""
    look_s: float = 0.1
    """Time between two looks at the process."""


class ObserverState(StrEnum):
    """Where the observing process stands."""

    STARTING = "starting"
    """Being started; what is fed waits."""
    WELL = "well"
    """Observing."""
    WAITING = "waiting"
    """It died or hung; the next one starts after the back-off."""
    STOPPED = "stopped"
    """Over; nothing more is taken."""


@dataclass
class ObserverCounts:
    """What happened, for telemetry."""

    observations: int = 0
    replacements: int = 0
    """Times the process died, hung or grew too large and was replaced."""
    cpu_seconds: float = 0.0
    """CPU seconds of the observing processes, as they last told."""
    cpu_by_part: dict[str, float] = field(default_factory=dict)
    """The same by part of the process that runs, without what belongs to none (loading, the pipe)."""
    memory_bytes: int = 0
    """Resident memory of the process, when it was last looked at."""
    memory_peak_bytes: int = 0
    """The most of these."""
    fed: FeedCounts = field(default_factory=FeedCounts)


class Observer:
    """Feeds a process of its own with what the room shows and says; nothing here ever blocks capture.

    A process that dies, hangs or grows too large is replaced, and told once. Speech that was open then
    (at most 10 s) is lost; slides go on where they were.
    """

    def __init__(
        self,
        models: Path,
        *,
        on_observation: Callable[[Observation], None],
        on_trouble: Callable[[str], None],
        session_t: Callable[[int], float],
        boot: str,
        people_hz: float = 1.0,
        bodies_s: float = BODIES_S,
        slides_hz: float = 2.0,
        slide_text: bool = True,
        view: View = UNTOLD,
        face_model: Path | None = None,
        recogniser: Path | None = None,
        words: bool = True,
        limits: ObserverLimits | None = None,
    ) -> None:
        """Say what to do; `start` begins.

        Args:
            models: folder of installed models.
            on_observation: called on a thread of the observer with each observation; must return soon and not raise.
            on_trouble: the same, with a sentence for an operator; each trouble is told once.
            session_t: session time in seconds of a moment on the device's monotonic clock, in ns.
            boot: identifier of this boot of the device.
            people_hz: counts of people in a second.
            bodies_s: seconds between two looks for people from behind.
            slides_hz: looks at the slides in a second.
            slide_text: whether title and text of each slide are read.
            view: what of the camera's picture is what.
            face_model: a file of YuNet to find faces with; CenterFace does where there is none, or it is unusable.
            recogniser: manifest of a recogniser of speech that the operator supplied; without one no words are told.
            words: whether words are told at all; not where the teacher is not well told from pupils.
            limits: of the process.
        """
        self._models = models
        self._slide_text = slide_text
        self._view = view
        self._face_model = face_model
        self._on_observation = on_observation
        self._on_trouble = on_trouble
        self._session_t = session_t
        self._boot = boot
        self._limits = limits or ObserverLimits()
        self._full = Cadence(1 / people_hz, bodies_s, 1 / slides_hz)
        self._feed = Feed({"camera": self._full.people_s, "slides": self._full.slides_s})
        self._pacer = Pacer(self._limits.cpu_share)
        self._worker: Worker | None = None
        self._sees: dict[str, Any] = {}
        """What the process that runs can observe at all."""
        self.counts = ObserverCounts(fed=self._feed.counts)
        self.state = ObserverState.STARTING
        self.pid: int | None = None
        """Of the observing process, while there is one."""
        self._told: set[str] = set()
        self._cadence: dict[str, Any] = {}
        self._memory = ""
        self._cpu_before_s = 0.0
        self._cpu_now_s = 0.0
        self._stopping = threading.Event()
        self._telling = threading.Lock()
        self._words = Words(recogniser, tell=self._observed, trouble=self._trouble) if recogniser and words else None
        self._thread = threading.Thread(target=self._run, name="observe", daemon=True)

    def start(self) -> None:
        """Start the observing process; returns at once. What is fed meanwhile waits."""
        self._thread.start()
        if self._words is not None:
            self._words.start()

    def feed_frame(self, track: PictureTrack, frame: Frame) -> None:
        """Offer a frame, at the full rate and on the capture thread; never blocks."""
        self._feed.offer_frame(track, frame)

    def feed_block(self, block: Block) -> None:
        """Offer 20 ms of sound, on the capture thread; never blocks."""
        self._feed.offer_block(block)
        if self._words is not None:
            self._words.feed_block(block)

    def feed_played(self, block: Block) -> None:
        """Offer what the loudspeaker plays, on its audio callback; takes no lock."""
        self._feed.offer_played(block)

    def figures(self) -> dict[str, Any]:
        """What observing costs and what became of what was fed, as JSON values."""
        counts = self.counts
        return {
            "cpu_s": round(counts.cpu_seconds, 2),
            "by_part": dict(counts.cpu_by_part),
            "memory_mib": round(counts.memory_bytes / 2**20, 1),
            "memory_peak_mib": round(counts.memory_peak_bytes / 2**20, 1),
            "pictures": counts.fed.pictures,
            "replaced": counts.fed.replaced_pictures,
            "dropped_blocks": counts.fed.dropped_blocks,
            "processes": counts.replacements + 1,
            "cadence": self._pacer.level.value,
        }

    def feed_teacher(self, block: Block) -> None:
        """Offer what the teacher's own microphone hears, on its thread; never blocks."""
        self._feed.offer_teacher(block)

    def stop(self) -> None:
        """Work off what waits, tell what is open, and end; takes at most `flush_s` and a little.

        A recogniser may take as long again. All observations have been handed on when this returns. May be called
        twice, and without `start`.
        """
        self._feed.close()
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        if self._words is not None:
            self._words.stop(self._limits.flush_s)
        self.state = ObserverState.STOPPED

    def _run(self) -> None:
        attempt = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            why = self._one_life()
            if not why:
                break
            attempt = 1 if time.monotonic() - began > self._limits.well_s else attempt + 1
            self.state = ObserverState.WAITING
            self.counts.replacements += 1
            self._trouble("process", f"{why}; another takes its place, the lesson is not touched")
            wait_s = min(self._limits.back_off_cap_s, self._limits.back_off_s * 2 ** min(attempt - 1, 16))
            self._stopping.wait(wait_s)
        self.state = ObserverState.STOPPED

    def _one_life(self) -> str:
        """Run one process; return why it ended, or nothing when it was stopped."""
        self.state = ObserverState.STARTING
        try:
            worker = Worker(
                self._models,
                self._feed,
                self._take,
                self._memory,
                bodies_s=self._full.slowed(self._pacer.level).bodies_s,
                slide_text=self._slide_text,
                view=self._view,
                face_model=self._face_model,
            )
        except OSError as error:
            return f"the observing process cannot be started: {error}"
        self.pid, self._worker = worker.process.pid, worker
        why = self._watch(worker)
        if why:
            worker.kill()
        if not worker.join(self._limits.flush_s):
            self._trouble("end", "the observing process did not end in time; what it had not told is lost")
        self.pid = self._worker = None
        self._cpu_before_s += self._cpu_now_s
        self._cpu_now_s = 0.0
        return why

    def _watch(self, worker: Worker) -> str:
        """Look after the process until the end; return what is wrong with it, or nothing."""
        limits = self._limits
        began = pinged = time.monotonic()
        while not self._stopping.wait(limits.look_s):
            if worker.ended():
                return f"the observing process ended by itself (code {worker.process.returncode})"
            now = time.monotonic()
            ready = self.state is ObserverState.WELL
            if now - worker.heard_at > (limits.hang_s if ready else limits.start_s):
                return f"the observing process has not answered for {now - worker.heard_at:.0f} s"
            if now - pinged >= limits.ping_s:
                pinged = now
                worker.ping()
                used = self.counts.memory_bytes = worker.memory_bytes()
                self.counts.memory_peak_bytes = max(used, self.counts.memory_peak_bytes)
                if used > limits.memory_bytes:
                    return f"the observing process uses {used >> 20} MB, more than {limits.memory_bytes >> 20} MB"
            if ready and now - began > limits.well_s and "process" in self._told:
                self._told.discard("process")
                log.info("observing goes on")
        return ""

    def _take(self, told: dict[str, Any]) -> None:
        """Take one line of the process, on the reader's thread."""
        what = told["what"]
        if what == "finding":
            self._observed(told)
        elif what == "trouble":
            self._trouble(str(told["part"]), str(told["words"]))
        elif what == "memory":
            self._memory = json.dumps(told["memory"])
        elif what == "ready":
            self.state = ObserverState.WELL
            self._sees = told
            self._pacer.begin()
            self._tell_cadence()
        elif what == "pong" and self.state is ObserverState.WELL:
            self._pace(Told(time.monotonic(), told["cpu_s"], self.counts.fed.replaced_pictures, told["late"]))
        if "cpu_s" in told:
            self._cpu_now_s = float(told["cpu_s"])
            self.counts.cpu_seconds = self._cpu_before_s + self._cpu_now_s
            self.counts.cpu_by_part = told["by_part"]

    def _observed(self, told: dict[str, Any]) -> None:
        self._tell(told["kind"], told["mono_ns"], told["seconds"], told["confidence"], told["value"])
        if self._words is not None and told["kind"] == "voice" and told["value"]["voice"] == "teacher":
            self._words.feed_teacher(told["mono_ns"], told["seconds"])  # nobody else's words are made out

    def _tell(self, kind: str, mono_ns: int, seconds: float, confidence: float | None, value: dict[str, Any]) -> None:
        with self._telling:  # the recogniser's thread tells, too
            self.counts.observations += 1
            self._on_observation(
                Observation(
                    kind=kind,
                    t=self._session_t(mono_ns),
                    mono_ns=mono_ns,
                    boot=self._boot,
                    seconds=seconds,
                    confidence=confidence,
                    value=value,
                )
            )

    def _pace(self, told: Told) -> None:
        """Look less often where the machine is short, and more often again; on the reader's thread."""
        if not self._pacer.update(told):
            return
        cadence = self._full.slowed(self._pacer.level)
        self._feed.set_period("camera", cadence.people_s)
        self._feed.set_period("slides", cadence.slides_s)
        if self._worker is not None:
            self._worker.pace(cadence.bodies_s)
        log.info("observing goes on at the cadence `%s`: %s", self._pacer.level, self._pacer.why)
        self._tell_cadence()

    def _tell_cadence(self) -> None:
        """Say what is sampled how often, in seconds; None for what is not observed and so unknown."""
        level, now = self._pacer.level, self._full.slowed(self._pacer.level)
        cadence = {
            "speech_s": self._sees["speech_hop_s"],
            "people_s": now.people_s if self._sees["people"] else None,
            "board_s": now.bodies_s if self._sees["bodies"] else None,
            "slides_s": now.slides_s,
        }
        if self._pacer.why:
            cadence |= {"level": level.value, "why": self._pacer.why}
        if cadence != self._cadence:
            self._cadence = cadence
            self._tell("cadence", time.monotonic_ns(), 0.0, None, cadence)

    def _trouble(self, about: str, words: str) -> None:
        if about in self._told:
            log.debug("again: %s", words)
            return
        self._told.add(about)
        log.warning("%s", words)
        self._on_trouble(words)
