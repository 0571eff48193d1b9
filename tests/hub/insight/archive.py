"""An archive with packages in it, as the hub keeps them."""

from pathlib import Path

from contract.clock import ClockRecord, Segment
from contract.envelope import sign
from contract.keys import new_hub_key
from contract.package import MANIFEST, TIMELINE, Manifest, Receipt
from contract.session import Policy, Role
from hub.archive.store import FolderStore, PackageId
from tests.hub_api.district import entry

KEY = new_hub_key()


def manifest_of(session: str, room: str, role: Role = Role.LEAD, *, seconds: float = 600.0) -> Manifest:
    return Manifest(
        session=session,
        room=room,
        role=role,
        device=room,
        epoch=1_790_000_000.0,
        seconds=seconds,
        policy=Policy(observe=True, upload=True),
        clock=ClockRecord(boot="b", segments=(Segment(mono_ns=0, there_ns=0, error_ns=1_000_000),)),
    )


def archived(
    archive: Path, manifest: Manifest, timeline: bytes | None, *, complete: bool = True, scratch: Path | None = None
) -> FolderStore:
    """Put a package into the archive; without its receipt where it is not complete."""
    store = FolderStore(archive)
    place = PackageId(manifest.session, manifest.room)
    scratch = scratch or archive.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    held = {} if timeline is None else {TIMELINE: timeline}
    for name, data in held.items():
        (scratch / name).write_bytes(data)
    files = tuple(entry(scratch / name) for name in held)
    (scratch / MANIFEST).write_text(manifest.model_copy(update={"files": files}).model_dump_json(by_alias=True))
    every = (*files, entry(scratch / MANIFEST))
    for one in every:
        store.take_in(place, one, scratch / one.name)
    if complete:
        given = Receipt(session=place.session, room=place.room, device=manifest.device, stored=1.0, files=every)
        store.keep(place, every, sign(given, KEY, 1.0, 60.0))
    return store
