from contract.clock import ClockRecord
from contract.observation import Observation
from contract.package import Manifest, Part
from contract.session import Policy, Role
from hub.archive.times import moment


def part(start_t: float, start_s: float, seconds: float, *, boot: str = "b1", index: int = 0) -> Part:
    """One that began at `start_s` of the device's clock, and was placed at `start_t` of the session."""
    return Part(
        track="camera",
        file=f"camera.{index}.mp4",
        index=index,
        boot=boot,
        start_mono_ns=round(start_s * 1e9),
        start_t=start_t,
        seconds=seconds,
    )


def manifest(*parts: Part) -> Manifest:
    return Manifest(
        session="s-2026-abcd",
        room="room-lead",
        role=Role.LEAD,
        device="device-lead",
        epoch=1_790_000_000.0,
        seconds=600.0,
        policy=Policy(record=True),
        clock=ClockRecord(boot="b1"),
        parts=parts,
    )


def seen(t: float, mono_s: float, boot: str = "b1") -> Observation:
    return Observation(kind="slide", t=t, mono_ns=round(mono_s * 1e9), boot=boot)


def test_within_a_part_it_is_the_moment_of_its_pictures_whatever_the_rooms_clock_said_later():
    room = manifest(part(3.0, 1000.0, 500.0))
    assert moment(seen(t=40.0, mono_s=1030.0), room) == 33.0  # the clock was set by 7 s in mid-part
    assert moment(seen(t=0.2, mono_s=1060.0), room) == 63.0


def test_without_a_part_of_that_boot_it_is_the_rooms_own_word():
    assert moment(seen(t=40.0, mono_s=1030.0), manifest()) == 40.0
    room = manifest(part(3.0, 1000.0, 500.0))
    assert moment(seen(t=40.0, mono_s=1030.0, boot="b2"), room) == 40.0
    assert moment(seen(t=-5.0, mono_s=992.0), room) == -5.0  # before anything was recorded


def test_between_two_parts_it_stays_between_them():
    room = manifest(part(0.0, 1000.0, 100.0), part(130.0, 1130.0, 100.0, index=1))
    assert moment(seen(t=110.0, mono_s=1110.0), room) == 110.0
    assert moment(seen(t=90.0, mono_s=1110.0), room) == 100.0
    assert moment(seen(t=900.0, mono_s=1110.0), room) == 130.0
    assert moment(seen(t=500.0, mono_s=1300.0), room) == 500.0  # after the last of them
