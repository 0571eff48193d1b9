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


class Turns:
    """Notices where two machines, or two programs, are one device in turn. Not thread-safe.

    It is told births alone, in the order in which they came: a hello is on another road and may come late.
    """

    def __init__(self) -> None:
        self._lives: dict[str, tuple[str, str]] = {}
        """The last two incarnations of each device, the newest last."""

    def words(self, before: DeviceRecord, birth: DeviceState) -> str:
        """What the birth of a device shows, in words; empty where it shows nothing odd."""
        earlier, last = self._lives.get(birth.device, ("", ""))
        # A program that was followed by another does not come back: incarnations are minted at each start.
        back = birth.incarnation not in {"", last} and birth.incarnation == earlier
        if birth.incarnation != last:
            self._lives[birth.device] = (last, birth.incarnation)
        machine = birth.machine[:LONGEST_MACHINE]
        if machine and before.machine and machine != before.machine:
            return cloned(birth.device, before.machine, machine)
        return copied(birth.device, before.machine) if back else ""


def cloned(device: str, *machines: str) -> str:
    """That two machines speak under one name; in one order, so that machines in turn repeat one alert."""
    one, other = (machine[:SHOWN] for machine in sorted(machines))
    return (
        f"device {device} speaks from machine {one} and from machine {other}: its disk was copied, or moved; "
        "where both machines are in use, enrol one of them anew; where one took the place of the other, clear this"
    )


def copied(device: str, machine: str) -> str:
    """That two programs speak under one name from machines that look the same."""
    name = machine[:SHOWN] or "unknown"
    return (
        f"device {device} is two programs at once, on machine {name} or on its like: its state folder was copied; "
        "enrol one of them anew"
    )
