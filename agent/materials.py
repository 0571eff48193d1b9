"""Materials of the sessions to come: fetched when no lesson needs the link, looked at, kept until nobody needs them."""

import hashlib
import logging
import os
import random
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx

from agent.record.tus import answer_words
from contract.material import Material, MaterialHeld
from contract.session import SessionOrder

log = logging.getLogger(__name__)

AHEAD_S = 14 * 86_400.0
"""Files of sessions that begin within this are fetched, in seconds."""
URGENT_S = 3_600.0
"""Files of a session that begins within this are fetched although a lesson is live."""
LOOK_S = 60.0
BACK_OFF_MOST_S = 300.0
PIECE_BYTES = 256 << 10
PART = ".part"


class MaterialTrouble(Exception):
    """A file cannot be fetched or kept now; the message says why."""


class HubAway(MaterialTrouble):
    """The hub cannot be reached: nothing can be fetched now."""


class MaterialFolder:
    """Files by their SHA-256. One that is there under its name was whole and right when it got it."""

    def __init__(self, root: Path, min_free_bytes: int) -> None:
        """Open it.

        Args:
            root: the folder.
            min_free_bytes: what is left free on its volume: recording goes first.
        """
        self._root = root
        self._min_free_bytes = min_free_bytes

    def path(self, material: Material) -> Path | None:
        """Where a file lies; None where it is not here whole."""
        path = self._root / material.sha256
        try:
            return path if path.stat().st_size == material.bytes else None
        except OSError:
            return None

    def begun(self, material: Material) -> int:
        """Bytes of a file that an earlier try left; 0 where it left none."""
        try:
            return (self._root / f"{material.sha256}{PART}").stat().st_size
        except OSError:
            return 0

    def room_for(self, material: Material, free_bytes: Callable[[Path], int]) -> None:
        """See that the disk has room for the rest of a file.

        Raises:
            MaterialTrouble: it has not.
        """
        self._root.mkdir(parents=True, exist_ok=True)
        rest = material.bytes - self.begun(material)
        if free_bytes(self._root) - rest < self._min_free_bytes:
            raise MaterialTrouble(f"the disk has no room for {material.name} ({material.bytes >> 20} MiB)")

    def append(self, material: Material, at: int, pieces: Sequence[bytes]) -> None:
        """Write what follows the first `at` bytes of a file; blocks on the disk."""
        with (self._root / f"{material.sha256}{PART}").open("ab") as file:
            file.truncate(at)
            file.seek(at)
            file.writelines(pieces)

    def finish(self, material: Material) -> Path:
        """Look at the hash and give the file its name.

        Raises:
            MaterialTrouble: it is not the file; what was fetched is thrown away.
        """
        part = self._root / f"{material.sha256}{PART}"
        part.touch()
        if not right(part, material):
            part.unlink(missing_ok=True)
            raise MaterialTrouble(f"{material.name} arrived damaged; it is fetched anew")
        with part.open("rb") as file:
            os.fsync(file.fileno())
        path = self._root / material.sha256
        part.replace(path)
        return path

    def forget(self, kept: frozenset[str]) -> None:
        """Delete every file whose hash is not among these."""
        for path in self._root.iterdir() if self._root.is_dir() else ():
            if path.name.removesuffix(PART) not in kept:
                path.unlink(missing_ok=True)

    def throw_away(self, material: Material) -> None:
        """Delete a file that is not what it was."""
        (self._root / material.sha256).unlink(missing_ok=True)


def right(path: Path, material: Material) -> bool:
    """Whether a file is what it should be; reads all of it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == material.sha256


class Prefetch:
    """A thread that has every file of the sessions to come, and tells the hub so."""

    def __init__(
        self,
        folder: MaterialFolder,
        client: httpx.Client,
        *,
        device: str,
        token: Callable[[], str],
        orders: Callable[[], Sequence[SessionOrder]],
        now: Callable[[], float],
        quiet: Callable[[], bool],
        free_bytes: Callable[[Path], int],
        on_trouble: Callable[[str], None],
        chance: random.Random | None = None,
    ) -> None:
        """Prepare.

        Args:
            folder: where the files are kept.
            client: has the hub's base URL and trust; used by this thread alone.
            device: identifier of this device.
            token: makes a device token that is valid now.
            orders: the orders that stand.
            now: seconds of hub UTC, as far as it is known.
            quiet: whether no lesson is live.
            free_bytes: what is free on a folder's volume.
            on_trouble: told once, in words, when a file cannot be had, and again only after it could.
            chance: source of the back-off's jitter.
        """
        self._folder = folder
        self._client = client
        self._device = device
        self._token = token
        self._orders = orders
        self._now = now
        self._quiet = quiet
        self._free_bytes = free_bytes
        self._on_trouble = on_trouble
        self._chance = chance or random.Random()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._failures = 0
        self._troubles: set[str] = set()
        self._told: set[tuple[str, str]] = set()
        self._thread = threading.Thread(target=self._run, name="materials", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def wake(self) -> None:
        """Look now: an order came, or the hub is back."""
        self._failures = 0
        self._wake.set()

    def stop(self, timeout_s: float = 5.0) -> bool:
        """End after the piece under way; returns whether the thread ended in time."""
        self._stopping.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        if self._thread.is_alive():
            return False
        self._client.close()
        return True

    def fetch_all(self) -> bool:
        """Have what is needed and forget what is not; returns whether nothing is missing."""
        orders = [order for order in self._orders() if order.materials and order.ends > self._now()]
        self._folder.forget(frozenset(one.sha256 for order in orders for one in order.materials))
        self._told &= {(order.session, one.sha256) for order in orders for one in order.materials}
        whole = True
        for order in sorted(orders, key=lambda one: one.epoch):
            starts_in_s = order.epoch - self._now()
            if starts_in_s > AHEAD_S:
                continue
            for material in order.materials:
                if self._stopping.is_set():
                    return whole
                if self._folder.path(material) is None and not self._quiet() and starts_in_s > URGENT_S:
                    whole = False
                    continue
                try:
                    self._have(order, material)
                except HubAway as error:
                    self._tell(f"materials of {order.title or order.session} are not here yet: {error}")
                    return False
                except (MaterialTrouble, OSError) as error:
                    whole = False
                    self._tell(f"{material.name} of {order.title or order.session} is not here yet: {error}")
        if whole:
            self._troubles.clear()
        return whole

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                whole = self.fetch_all()
            except Exception:
                log.exception("fetching materials met a fault; it goes on later")
                whole = False
            self._failures = 0 if whole else self._failures + 1
            self._wake.wait(self._pause_s())
            self._wake.clear()

    def _pause_s(self) -> float:
        if self._failures == 0:
            return LOOK_S
        return self._chance.uniform(0.5, min(BACK_OFF_MOST_S, 2.0 ** min(self._failures, 12)))

    def _have(self, order: SessionOrder, material: Material) -> None:
        said = (order.session, material.sha256)
        if said in self._told:
            if self._folder.path(material) is not None:
                return
            self._told.discard(said)
        path = self._folder.path(material)
        if path is not None and not right(path, material):  # the disk, or somebody, changed it
            self._folder.throw_away(material)
            path = None
        if path is None:
            self._fetch(material)
        self._say(order, material)
        self._told.add(said)

    def _fetch(self, material: Material) -> None:
        self._folder.room_for(material, self._free_bytes)
        begun = self._folder.begun(material)
        begun = begun if begun < material.bytes else 0
        headers = self._headers() | ({"Range": f"bytes={begun}-"} if begun else {})
        try:
            with self._client.stream("GET", f"/api/v1/materials/{material.sha256}", headers=headers) as response:
                if not response.is_success:
                    response.read()
                    raise MaterialTrouble(answer_words(response))
                at = begun if response.status_code == httpx.codes.PARTIAL_CONTENT else 0
                for piece in response.iter_bytes(PIECE_BYTES):
                    if self._stopping.is_set():
                        raise MaterialTrouble("the service ends; it goes on with the next start")
                    if at + len(piece) > material.bytes:
                        raise MaterialTrouble("the hub sends more than was announced")
                    self._folder.append(material, at, [piece])
                    at += len(piece)
        except httpx.HTTPError as error:
            raise HubAway(f"the hub cannot be reached: {error or type(error).__name__}") from error
        self._folder.finish(material)
        log.info("material %s (%s) is here", material.name, material.sha256[:12])

    def _say(self, order: SessionOrder, material: Material) -> None:
        part = order.room_of(self._device)
        if part is None:
            return
        held = MaterialHeld(session=order.session, room=part.room, sha256=material.sha256)
        try:
            response = self._client.post("/api/v1/materials/held", headers=self._headers(), json=held.model_dump())
        except httpx.HTTPError as error:
            raise HubAway(f"the hub cannot be reached: {error or type(error).__name__}") from error
        if not response.is_success:
            raise MaterialTrouble(answer_words(response))

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token()}"}

    def _tell(self, words: str) -> None:
        log.info(words)
        if words not in self._troubles:
            self._troubles.add(words)
            self._on_trouble(words)
