"""Materials of the sessions to come: fetched when no lesson needs the link, looked at, kept until nobody needs them."""

import hashlib
import logging
import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx

from agent.record.tus import answer_words
from agent.rounds import Looked, Rounds
from contract.material import Material, MaterialHeld
from contract.session import SessionOrder

log = logging.getLogger(__name__)

AHEAD_S = 14 * 86_400.0
"""Files of sessions that begin within this are fetched, in seconds."""
URGENT_S = 3_600.0
"""Files of a session that begins within this are fetched although a lesson is live."""
PIECE_BYTES = 256 << 10
PART = ".part"


class MaterialTrouble(Exception):
    """A file cannot be fetched or kept now; the message says why."""


class HubAway(MaterialTrouble):
    """The hub cannot be reached: nothing can be fetched now."""


class NotNow(MaterialTrouble):
    """A lesson needs the link, or the service ends; what is here of a file stays, and it goes on from there."""


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
        now: Callable[[], float | None],
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
            now: seconds of hub UTC; None where the hub was not heard since this machine was started. A clock that
                nobody set must not say that a lesson is over, and throw its files away.
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
        self._rounds = Rounds("materials", self.fetch_all, chance)
        self._troubles: set[str] = set()
        self._told: set[tuple[str, str]] = set()

    def start(self) -> None:
        """Begin to look."""
        self._rounds.start()

    def wake(self) -> None:
        """Look now: an order came, or the hub is back."""
        self._rounds.wake()

    def stop(self, timeout_s: float = 5.0) -> bool:
        """End after the piece under way; returns whether the thread ended in time."""
        ended = self._rounds.stop(timeout_s)
        if ended:
            self._client.close()
        return ended

    def fetch_all(self) -> Looked:
        """Have what is needed, and forget what is not."""
        found: set[Looked] = set()
        for order in self._needed():
            for material in order.materials:
                if self._rounds.stopping.is_set():
                    return Looked.WAITING
                try:
                    self._have(order, material)
                except NotNow:
                    found.add(Looked.WAITING)
                except HubAway as error:
                    self._tell(f"materials of {order.title or order.session} are not here yet: {error}")
                    return Looked.FAILED
                except (MaterialTrouble, OSError) as error:
                    found.add(Looked.FAILED)
                    self._tell(f"{material.name} of {order.title or order.session} is not here yet: {error}")
        if not found:
            self._troubles.clear()
            return Looked.DONE
        return Looked.FAILED if Looked.FAILED in found else Looked.WAITING

    def _needed(self) -> list[SessionOrder]:
        """Orders of which files are fetched, the first lesson first; what no order to come names is forgotten."""
        now = self._now()
        orders = [one for one in self._orders() if one.materials and (now is None or one.ends > now)]
        if now is not None:
            self._folder.forget(frozenset(one.sha256 for order in orders for one in order.materials))
        self._told &= {(order.session, one.sha256) for order in orders for one in order.materials}
        near = [one for one in orders if now is None or one.epoch - now <= AHEAD_S]
        return sorted(near, key=lambda one: one.epoch)

    def _wait_for_quiet(self, order: SessionOrder) -> None:
        """Let a lesson have the link, unless the one that needs the file is about to begin.

        Raises:
            NotNow: it has to wait.
        """
        now = self._now()
        urgent = now is not None and order.epoch - now <= URGENT_S
        if self._rounds.stopping.is_set() or not (self._quiet() or urgent):
            raise NotNow(f"the files of {order.session} wait: a lesson is live, or the service ends")

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
            self._fetch(order, material)
        self._say(order, material)
        self._told.add(said)

    def _fetch(self, order: SessionOrder, material: Material) -> None:
        self._wait_for_quiet(order)
        self._folder.room_for(material, self._free_bytes)
        begun = self._folder.begun(material)
        if begun < material.bytes:
            self._download(order, material, begun)
        self._folder.finish(material)
        log.info("material %s (%s) is here", material.name, material.sha256[:12])

    def _download(self, order: SessionOrder, material: Material, begun: int) -> None:
        headers = self._headers() | ({"Range": f"bytes={begun}-"} if begun else {})
        try:
            with self._client.stream("GET", f"/api/v1/materials/{material.sha256}", headers=headers) as response:
                if not response.is_success:
                    response.read()
                    raise MaterialTrouble(answer_words(response))
                at = begun if response.status_code == httpx.codes.PARTIAL_CONTENT else 0
                for piece in response.iter_bytes(PIECE_BYTES):
                    self._wait_for_quiet(order)
                    if at + len(piece) > material.bytes:
                        raise MaterialTrouble("the hub sends more than was announced")
                    self._folder.append(material, at, [piece])
                    at += len(piece)
        except httpx.HTTPError as error:
            raise HubAway(f"the hub cannot be reached: {error or type(error).__name__}") from error

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
