"""Keeps an outbox within its bounds: how many bytes, how long, and what goes first where the disk is full."""

import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from agent.report.box import Box
from agent.report.boxfile import BALLAST_BYTES, WAL_BYTES, ballast_of, disk_free, is_full, lay_ballast, log_bytes

Done = TypeVar("Done")
KEEP_S = 7 * 86_400.0
NOTE_S = 600.0
"""How often it is noted what the hub has, in seconds."""
AGAIN_BYTES = 1 << 20
"""Room, on the disk and in the file, at which an outbox that was full takes rows again; less would flap."""
ROOM_BYTES = AGAIN_BYTES + BALLAST_BYTES + WAL_BYTES
"""What a full outbox asks the one of lesser worth to free."""
LEAST_ROWS = 500
"""The newest rows stay where the disk runs short, so that they can be sent at all; only a full disk takes them."""
STEP_ROWS = 200
STEP_PAUSE_S = 0.001
STEPS = 10
"""So many rows are deleted at a time, so many times a turn: whoever puts a row waits for one step at most."""
STEP_PAGES = 16
"""Pages cut off the file at a time; the log takes about twice as much, and must do with the room that it has."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one outbox may take."""

    cap_bytes: int = 64 << 20
    """Most bytes of rows; the oldest are given up beyond it, and the gap is declared."""
    keep_s: float = KEEP_S
    """How long rows that the hub has are kept, in seconds that the outbox is open."""
    floor_bytes: int = 0
    """What this outbox leaves free on the disk, as far as giving up rows helps."""


class Upkeep:
    """Everything that keeps one box small. Deletes in small steps, and holds the outbox's lock for one at a time."""

    def __init__(
        self,
        box: Box,
        path: Path | None,
        lock: threading.Lock,
        limits: Limits,
        *,
        lesser: Callable[[int], None] | None,
        on_room: Callable[[], None],
        say: Callable[[str], None],
        mono_s: Callable[[], float],
    ) -> None:
        """Prepare; `turn` does the work.

        Args:
            box: the rows.
            path: the file under them; None where they are in memory.
            lock: whoever uses the box holds it.
            limits: what the box may take.
            lesser: frees so many bytes of the disk by giving up rows that are worth less.
            on_room: told, in the lock, when a full disk takes rows again.
            say: told once for each thing that goes wrong, and once when it is well again.
            mono_s: a clock that nobody sets, in seconds.
        """
        self.full = False
        """Whether the disk took the last row."""
        self.dropped = 0
        """Rows given up since the service started."""
        self._box = box
        self._path = path
        self._lock = lock
        self._limits = limits
        self._lesser = lesser
        self._on_room = on_room
        self._say = say
        self._mono_s = mono_s
        self._told: set[str] = set()
        self._opened_s = mono_s() - box.lived_s
        self._note_due_s = mono_s()
        self._ended = False

    def turn(self) -> bool:
        """Do what is due; whether there is more to do."""
        more = self._trim(self._limits.floor_bytes, LEAST_ROWS)
        more |= self._make_room()
        more |= self._age()
        return more

    def give_way(self, free_bytes: int) -> None:
        """Give up rows, those that the hub has first, until so much of the disk is free."""
        if self._path is not None:
            self._trim(free_bytes, 0, steps=10 * STEPS)

    def shorten_log(self) -> None:
        """Fold the log where the other thread cannot keep up; in the lock.

        A log longer than the ballast could not be folded later.

        Raises:
            sqlite3.Error: the file does not take it.
        """
        if self._path is not None and log_bytes(self._path) > 2 * WAL_BYTES:
            self._box.fold()

    def fold(self, folding: sqlite3.Connection) -> None:
        """Fold the write-ahead log into the file, on a connection of its own so that `put` never waits for it."""
        if self._path is None or (log_bytes(self._path) < WAL_BYTES and not self.full):
            return
        try:
            folding.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except sqlite3.Error as error:
            self.troubled(error)

    def give_up_aside(self, rows: int) -> None:
        """So many rows never reached the file, and now it closes."""
        self.dropped += rows
        self._say(f"{rows} rows of {self._box.name} are given up: the disk took nothing to the end")

    def end(self) -> None:
        """Note for the next start how long the outbox was open; in the lock."""
        self._ended = True
        self._note()

    def troubled(self, error: sqlite3.Error) -> None:
        """Something does not work: tell it once, and remember where it is the disk that is full."""
        if not is_full(error):
            self.say_once(f"{self._box.name}: {error}")
        elif not self.full:
            self.full = True
            self._say(f"the disk is full: {self._box.name} takes no more rows until there is room ({error})")

    def say_once(self, words: str) -> None:
        """Tell something that need not be told again."""
        if words not in self._told:
            self._told.add(words)
            self._say(words)

    def _trim(self, floor_bytes: int, least_rows: int, steps: int = STEPS) -> bool:
        """Give up the oldest rows while there are too many, or the disk is too short; `least_rows` stay for the disk.

        Pages that are free inside the file go back to the disk before the next row does.
        """

        def step() -> bool:
            if self._box.bytes()[0] > self._limits.cap_bytes:
                return self._give_up(self._box.last)
            if self._path is None or disk_free(self._path) >= floor_bytes:
                return False
            return self._give_back() or self._give_up(self._box.last - least_rows)

        return self._in_steps(step, steps)

    def _make_room(self) -> bool:
        """Where the disk is full: lesser rows go first, then what the hub has; then rows are taken again."""
        if not self.full or self._path is None:
            return False
        path = self._path
        try:
            self._take_from_lesser(path)
        except OSError as error:
            self.say_once(f"the folder of {self._box.name} is gone: {error}")
            return False

        def step() -> bool:
            short, few = self._wanted(path)
            if not short and not few:
                return False
            return (short and self._give_back()) or self._give_up(self._box.acked)

        more = self._in_steps(step)
        self._in_steps(lambda: self._recover(path))
        return more

    def _take_from_lesser(self, path: Path) -> None:
        if self._lesser is None:
            return
        self._lesser(ROOM_BYTES)
        if disk_free(path) < WAL_BYTES and ballast_of(path).exists():
            ballast_of(path).unlink()  # that one's own ballast is gone: somebody else took its room
            self._lesser(ROOM_BYTES)

    def _wanted(self, path: Path) -> tuple[bool, bool]:
        """What is missing before rows are taken again: room on the disk, for log and ballast; or room at all."""
        free = disk_free(path) - (0 if ballast_of(path).exists() else BALLAST_BYTES)
        return free < WAL_BYTES, free + self._box.bytes()[1] < AGAIN_BYTES

    def _recover(self, path: Path) -> bool:
        """Take rows again once there is room, and put the ballast back first; nothing to repeat."""
        if any(self._wanted(path)) or not (ballast_of(path).exists() or lay_ballast(path)):
            return False
        self._box.note(self._mono_s() - self._opened_s)  # there is room; but a broken disk does not take this either
        self.full = False
        self._say(f"{self._box.name} takes rows again; {self.dropped} were given up")
        self._on_room()
        return False

    def _age(self) -> bool:
        """Note what the hub has by now, and let go of what it has had for long."""
        now_s = self._mono_s()
        if now_s >= self._note_due_s:
            self._note_due_s = now_s + min(NOTE_S, self._limits.keep_s / 20)
            with self._lock:
                self._note()
        long_ago_s = now_s - self._opened_s - self._limits.keep_s
        return self._in_steps(lambda: self._give_up(self._box.passed(long_ago_s)))

    def _in_steps(self, step: Callable[[], bool], steps: int = STEPS) -> bool:
        """Do `step` while it has more to do, a few times; whether that was not enough."""
        for _ in range(steps):
            with self._lock:
                try:
                    if self._ended or not step():
                        return False
                except sqlite3.Error as error:
                    self.troubled(error)
                    return False
                except OSError as error:
                    self.say_once(f"the folder of {self._box.name} is gone: {error}")
                    return False
            time.sleep(STEP_PAUSE_S)  # whoever waits to put a row goes first
        return True

    # In the lock.

    def _give_up(self, upto: int) -> bool:
        """Delete a few of the oldest rows up to a place; False where none could be."""
        gone, lost = self._with_ballast(lambda: self._box.evict(STEP_ROWS, upto))
        if self.full:
            self._box.fold(whole=True)
        if lost:
            self.dropped += lost
            self.say_once(f"{self._box.name} has no more room; its oldest rows are given up and the gap declared")
        return gone > 0

    def _give_back(self) -> bool:
        """Cut a few free pages off the file; False where there are none."""
        return self._box.bytes()[1] > 0 and self._with_ballast(lambda: self._box.give_back(STEP_PAGES))

    def _with_ballast(self, act: Callable[[], Done]) -> Done:
        """Do something that makes room but needs a little first: where the disk has none, the ballast's."""
        try:
            return act()
        except sqlite3.OperationalError as error:
            if self._path is None or not is_full(error) or not ballast_of(self._path).exists():
                raise
            self.troubled(error)
            ballast_of(self._path).unlink()
            return act()

    def _note(self) -> None:
        try:
            self._box.note(self._mono_s() - self._opened_s)
        except sqlite3.Error as error:
            self.troubled(error)
