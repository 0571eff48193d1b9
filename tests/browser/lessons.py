"""A district with something to see: a finished lesson with recordings, one that runs, one to come."""

import time
from pathlib import Path

from contract.observation import Observation
from contract.package import MANIFEST, Gap, Part
from contract.result import Latency, ReceivedFrom, RoomResult
from contract.session import Role
from contract.signal import RoomReport
from contract.state import SessionState
from contract.telemetry import DeviceState, Row
from hub.store.rows import Arrived
from tests.browser.recordings import record
from tests.hub_api.archive.test_intake import send
from tests.hub_api.district import District, package

SECONDS = 12.0
APART_S = 0.4
"""The far room's recording begins this much later in session time."""


def finished_lesson(hub: District, folder: Path) -> str:
    """A lesson that both rooms recorded and uploaded; the far room's camera broke off once."""
    hub.parts.clock.behind_s = 5400
    session = hub.session(seconds=SECONDS, title="八年级数学 · 勾股定理")
    for state in (SessionState.READYING, SessionState.READY, SessionState.LIVE):
        report(hub, hub.lead, session, state)
        report(hub, hub.receiving, session, state)
    hub.parts.clock.behind_s = 0.0
    _lead(hub, folder / "lead", session)
    _far(hub, folder / "far", session)
    for device, where in ((hub.lead, folder / "lead"), (hub.receiving, folder / "far")):
        for path in sorted(where.iterdir()):
            if path.name != MANIFEST:
                send(hub, device, session, path)
        send(hub, device, session, where / MANIFEST)
    hub.parts.conductor.tick()
    return session


def running_lesson(hub: District) -> str:
    """A lesson that both rooms are in."""
    hub.parts.clock.behind_s = 300
    session = hub.session(seconds=2400, title="七年级英语 · Unit 5")
    for state in (SessionState.READYING, SessionState.READY, SessionState.LIVE):
        report(hub, hub.lead, session, state)
        report(hub, hub.receiving, session, state)
    hub.parts.clock.behind_s = 0.0
    hub.parts.conductor.tick()
    for device, other in ((hub.lead, hub.receiving), (hub.receiving, hub.lead)):
        _figures(hub, device.id, other.room, session)
    says_how_it_goes(hub, session)
    return session


def says_how_it_goes(hub: District, session: str, talk_share: float = 0.724, seq: int = 2) -> None:
    """The lead room tells how the lesson goes."""
    share = {"unit": "share", "coverage": 0.97, "interval_s": 0.032, "confidence": 0.9}
    figures = {
        "talk_share": share | {"value": talk_share},
        "far_share": share | {"value": None, "coverage": 0.61, "confidence": None, "reason": "coverage"},
        "longest_wait": share | {"value": 4.2, "unit": "s"},
    }
    data = {"session": session, "room": hub.lead.room, "t": 295, "start_t": 0, "end_t": 276, "figures": figures}
    device = hub.lead.id
    row = Row(
        stream=f"st-{device}",
        seq=seq,
        first=1,
        id=f"i-{seq}",
        kind="lesson.insight",
        boot="b",
        mono_ns=1,
        wall=0.0,
        data=data,
    )
    hub.parts.store.rows.take([Arrived(device, "tele", row, time.time())])


def _figures(hub: District, device: str, other: str, session: str) -> None:
    latency = Latency(p50=38, p95=61, error=0.5)
    received = ReceivedFrom(sender=other, video_frames=7390, audio_seconds=295.8, latency_ms=latency, join_ms=140)
    result = RoomResult(video_frames_sent=7425, received=(received,))
    data = {"session": session, "result": result.model_dump(by_alias=True)}
    row = Row(
        stream=f"st-{device}", seq=1, first=1, id="p-1", kind="lesson.live", boot="b", mono_ns=1, wall=0.0, data=data
    )
    hub.parts.store.rows.take([Arrived(device, "tele", row, time.time())])


def _lead(hub: District, folder: Path, session: str) -> None:
    folder.mkdir(parents=True)
    record(folder / "camera.mp4", SECONDS, "lead", (90, 60, 30), sound_hz=330)
    record(folder / "slides.mp4", SECONDS, "slides", (70, 90, 40), sound_hz=None)
    seen = [("speech", 0.6, 2.1, {}), ("speech", 3.4, 3.0, {}), ("speech", 8.2, 1.4, {})]
    seen += [("slide", 0.0, 0.0, {"index": 0}), ("slide", 4.1, 0.0, {"index": 1}), ("slide", 9.0, 0.0, {"index": 2})]
    finish(hub.lead, Role.LEAD, folder, session, seen, [("camera", 0, 0.0, SECONDS), ("slides", 0, 0.0, SECONDS)], hub)


def _far(hub: District, folder: Path, session: str) -> None:
    folder.mkdir(parents=True)
    record(folder / "camera.mp4", 6.0, "far", (40, 40, 90), sound_hz=440)
    record(folder / "camera.1.mp4", 5.0, "far, part 2", (40, 60, 110), sound_hz=440)
    seen = [("speech", 2.8, 0.5, {}), ("speech", 7.0, 1.0, {}), ("speech", 10.0, 0.8, {})]
    parts = [("camera", 0, APART_S, 6.0), ("camera", 1, 7.0, 5.0)]
    gaps = (Gap(track="camera", start_t=6.4, end_t=7.0, why="the agent was started anew"),)
    finish(hub.receiving, Role.RECEIVING, folder, session, seen, parts, hub, gaps)


def finish(device, role, folder, session, seen, parts, hub, gaps=(), seconds=SECONDS) -> None:
    """Write what one room has of a lesson beside its recordings, seal it, and have the room say so."""
    lines = [
        Observation(kind=kind, t=t, mono_ns=0, seconds=length, confidence=0.9, value=value)
        for kind, t, length, value in seen
    ]
    (folder / "timeline.jsonl").write_text("".join(line.model_dump_json() + "\n" for line in lines))
    (folder / "quality.jsonl").write_text("{}\n")
    manifest = tuple(
        Part(
            track=track,
            file=f"{track}.{index}.mp4" if index else f"{track}.mp4",
            index=index,
            boot="b1",
            start_mono_ns=0,
            start_t=start,
            seconds=length,
            sound=track == "camera",
            width=640,
            height=360,
            closed="end",
        )
        for track, index, start, length in parts
    )
    other = hub.receiving if device is hub.lead else hub.lead
    received = ReceivedFrom(
        sender=other.room,
        video_frames=297,
        audio_seconds=11.9,
        latency_ms=Latency(p50=31, p95=48, error=0.4),
        join_ms=140,
    )
    result = RoomResult(video_frames_sent=300, received=(received,))
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    package(folder, device, role, session, files, seconds=seconds, parts=manifest, gaps=gaps, result=result)
    report(hub, device, session, SessionState.SEALED, result=result)


def report(hub: District, device, session: str, state: SessionState, **more: object) -> None:
    """A room tells where it stands."""
    told = RoomReport(
        device=device.id, session=session, room=device.room, rev=1, state=state, incarnation=device.id, **more
    )
    hub.parts.conductor.handle(told, time.time())


def present(hub: District) -> None:
    """Both rooms are there."""
    for device in (hub.lead, hub.receiving):
        state = DeviceState(device=device.id, online=True, boot="b", incarnation=device.id, version="0.1.0")
        hub.parts.devices.present([state])
