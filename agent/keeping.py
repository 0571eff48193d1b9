"""What happens to lesson packages after the lesson: upload, receipt, deletion at expiry."""

import asyncio
import logging
from collections.abc import Callable, Collection
from pathlib import Path

from agent.hubdoor import hub_client
from agent.identity import Identity, device_token
from agent.record.expiry import Sweeper
from agent.record.store import FolderStore, PackageRef, manifest_of
from agent.record.trouble import RecordTrouble
from agent.record.upload import Uploader
from agent.recording import seal_left_behind
from agent.report.clock import HubClock
from contract.package import Manifest, Receipt

log = logging.getLogger(__name__)

SWEEP_S = 3600.0


class Keeping:
    """Owns the uploader and the sweeper of one classroom."""

    def __init__(
        self,
        store: FolderStore,
        identity: Identity,
        clock: HubClock,
        *,
        quiet: Callable[[], bool],
        current: Callable[[], Collection[str]],
        on_uploaded: Callable[[PackageRef, Receipt], None],
        on_trouble: Callable[[str], None],
        keep_uploaded: bool,
        upload_bps: int = 0,
        ca: Path | None = None,
    ) -> None:
        """Prepare.

        Args:
            store: where the packages are.
            identity: whose tokens open the hub.
            clock: the hub's time.
            quiet: whether no lesson is live.
            current: sessions that are held now or may still be.
            on_uploaded: told of each receipt, on the uploader's thread.
            on_trouble: told once of each trouble, in words, on the uploader's thread.
            keep_uploaded: whether packages stay here after their receipt, until they expire.
            upload_bps: most bit/s of an upload; 0: as much as there is.
            ca: file of the authority that signed the hub's certificate; None where this system knows it.

        Raises:
            agent.identity.HubUntrusted: `ca` cannot be used.
        """
        self._store = store
        self._current = current
        self._client = hub_client(identity, ca, clock.heard_now)
        self._uploader = Uploader(
            store,
            self._client,
            token=lambda: device_token(identity, clock.now()),
            hub_key=lambda: identity.hub_key,
            quiet=quiet,
            now=clock.heard_now,
            on_uploaded=on_uploaded,
            on_trouble=on_trouble,
            keep_uploaded=keep_uploaded,
            most_bps=upload_bps,
        )
        self._sweeper = Sweeper(
            store, hub_key=lambda: identity.hub_key, now=clock.heard_now, current=current, keep_uploaded=keep_uploaded
        )

    async def run(self) -> None:
        """Upload and sweep until cancelled."""
        self._uploader.start()
        try:
            while True:
                await asyncio.to_thread(self._sweep)
                await asyncio.sleep(SWEEP_S)
        finally:
            await asyncio.to_thread(self._uploader.stop)
            self._client.close()

    def wake(self) -> None:
        """A package was sealed, or the hub is back."""
        self._uploader.wake()

    def sealed(self) -> list[Manifest]:
        """Manifests of all sealed packages; blocks on the disk."""
        return [manifest for manifest in self._manifests() if manifest.sealed]

    def seal_left_behind(self) -> None:
        """Seal drafts of sessions that nobody holds any more: an earlier run of the agent never came back in time."""
        for manifest in self._manifests():
            if manifest.sealed or manifest.session in self._current():
                continue
            ref = PackageRef(manifest.session, manifest.room)
            try:
                seal_left_behind(self._store, ref)
            except RecordTrouble as error:
                log.warning("%s stays a draft: %s", ref, error)

    def _sweep(self) -> None:
        try:
            for gone in self._sweeper.sweep():
                log.info("%s deleted: %s", gone.ref, gone.why)
        except (RecordTrouble, OSError) as error:  # a disk in trouble must not end the service, and a lesson with it
            log.warning("packages are not looked through now: %s", error)

    def _manifests(self) -> list[Manifest]:
        found = []
        for ref in self._store.packages():
            try:
                manifest = manifest_of(self._store, ref)
            except RecordTrouble as error:
                log.warning("%s is left alone: %s", ref, error)
                continue
            if manifest is not None:
                found.append(manifest)
        return found
