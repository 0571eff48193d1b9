"""Which packages must go, and when; and the sweep that lets them go."""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from agent.record.store import PackageRef, PackageStore, entries_of, manifest_of, receipt_of
from agent.record.trouble import PackageUnusable
from contract.envelope import PublicKey
from contract.package import FileEntry, Receipt
from contract.session import Policy

log = logging.getLogger(__name__)

DAY_S = 86_400.0
EXPIRED = "its time was over by the session's policy"
UPLOADED = "the hub holds it, by its receipt"


@dataclass(frozen=True, slots=True)
class Kept:
    """What the decision needs to know of one package."""

    ref: PackageRef
    current: bool
    """Its session is being held, or may still be."""
    sealed: bool
    ends: float
    """End of its session, in seconds of hub UTC."""
    policy: Policy
    files: frozenset[FileEntry] = frozenset()
    """Every file as it is on disk, the manifest included; empty where nobody looked."""
    receipt: Receipt | None = None
    """A receipt whose signature is the hub's."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """A package that must go, and why."""

    ref: PackageRef
    why: str


def covers(receipt: Receipt, files: Collection[FileEntry]) -> bool:
    """Whether the hub holds exactly these files, each with the same size and hash."""
    return bool(files) and len(receipt.files) == len(files) and set(receipt.files) == set(files)


def due(packages: Sequence[Kept], now: float | None, *, keep_uploaded: bool) -> tuple[Deletion, ...]:
    """Decide what must be deleted.

    Args:
        packages: all that are kept.
        now: seconds of hub UTC; None where the device does not know the time, and then nothing expires.
        keep_uploaded: whether packages that the hub holds stay here until they expire.
    """
    found = []
    for one in packages:
        days = one.policy.delete_after_days
        if one.current:
            continue
        if days is not None and now is not None and now >= one.ends + days * DAY_S:
            found.append(Deletion(one.ref, EXPIRED))
        elif one.sealed and not keep_uploaded and one.receipt is not None and covers(one.receipt, one.files):
            found.append(Deletion(one.ref, UPLOADED))
    return tuple(found)


class Sweeper:
    """Looks through the store and deletes what is due. Blocks on the disk: call it in a thread, about once an hour."""

    def __init__(
        self,
        store: PackageStore,
        *,
        hub_key: Callable[[], PublicKey | None],
        now: Callable[[], float | None],
        current: Callable[[], Collection[str]],
        keep_uploaded: bool = False,
    ) -> None:
        """Prepare.

        Args:
            store: where the packages are.
            hub_key: the key that receipts are signed with; None before enrolment.
            now: seconds of hub UTC; None where the device does not know the time.
            current: sessions that are held now or may still be.
            keep_uploaded: whether packages that the hub holds stay here until they expire.
        """
        self._store = store
        self._hub_key = hub_key
        self._now = now
        self._current = current
        self._keep_uploaded = keep_uploaded

    def sweep(self) -> tuple[Deletion, ...]:
        """Delete what is due; what cannot be deleted is logged and tried with the next sweep."""
        now = self._now()
        current = frozenset(self._current())
        kept = [one for ref in self._store.packages() if (one := self._look(ref, current)) is not None]
        gone = []
        for deletion in due(kept, now, keep_uploaded=self._keep_uploaded):
            try:
                self._store.delete(deletion.ref, deletion.why, now or 0.0)
            except OSError as error:
                log.warning("%s cannot be deleted yet: %s", deletion.ref, error)
            else:
                gone.append(deletion)
        return tuple(gone)

    def _look(self, ref: PackageRef, current: Collection[str]) -> Kept | None:
        try:
            manifest = manifest_of(self._store, ref)
            if manifest is None:
                return None
            key = self._hub_key()
            receipt = None
            if key is not None and manifest.sealed and not self._keep_uploaded:
                receipt = receipt_of(self._store, ref, key)
            files = entries_of(self._store, ref, manifest) if receipt is not None else ()
        except (PackageUnusable, OSError) as error:
            log.warning("%s stays: %s", ref, error)
            return None
        return Kept(
            ref=ref,
            current=ref.session in current,
            sealed=manifest.sealed,
            ends=manifest.epoch + manifest.seconds,
            policy=manifest.policy,
            files=frozenset(files),
            receipt=receipt,
        )
