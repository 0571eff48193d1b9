"""What a presence tells of a device, and when it shows that its disk was copied."""

from dataclasses import replace

from contract.telemetry import DeviceState
from hub.store.devices import DeviceRecord

CLONED = "cloned-disk"
"""The alert that two machines speak in turn under one name."""
LONGEST_MACHINE = 64
SHOWN = 16
"""Signs of a machine's fingerprint that people are shown."""


def seen_after(known: DeviceRecord, state: DeviceState, now: float) -> DeviceRecord:
    """`known` after a presence; a death keeps boot, incarnation and version of the life it ends."""
    if state.online:
        return replace(
            known,
            machine=state.machine[:LONGEST_MACHINE] or known.machine,
            online=True,
            boot=state.boot,
            incarnation=state.incarnation,
            version=state.version,
            last_seen=now,
            why=state.why,
        )
    if state.incarnation and known.incarnation not in {"", state.incarnation}:
        return known  # the will of an earlier life, told late
    return replace(known, online=False, last_seen=now, why=state.why)


def cloned(device: str, *machines: str) -> str:
    """That two machines speak under one name; in one order, so that machines in turn repeat one alert."""
    one, other = (machine[:SHOWN] for machine in sorted(machines))
    return (
        f"device {device} speaks from machine {one} and from machine {other}: its disk was copied, or moved; "
        "where both machines are in use, enrol one of them anew; where one took the place of the other, clear this"
    )
