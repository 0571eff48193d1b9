"""A district for tests: one hub and some rooms as real processes, driven as an operator would."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from agent.registration import register
from agent.report.reporter import Ledger
from demo.hub import Operator
from demo.plan import DemoPlan, make_plan, prepare
from demo.processes import Children
from demo.summary import TelemetrySummary, count_telemetry

UP_S = 90.0
"""How long a process may take to come up; generous, because machines are busy."""
POLICY = {"record": True, "observe": True, "upload": True, "watch": False}


class District:
    """Starts, kills and starts anew; asks the hub; waits with a limit."""

    def __init__(self, plan: DemoPlan, broker: str, program: str) -> None:
        self.plan = plan
        prepare(plan, broker)
        self.children = Children(plan.out / "logs", program)
        self.operator = Operator(plan.hub_folder)

    def start_hub(self) -> None:
        settings = str(self.plan.hub_settings)
        if not (self.plan.hub_folder / "hub.key").exists():
            self.children.run("hub-init", "hub", "init", "--config", settings)
        self.children.start("hub", "hub", "run", "--config", settings)
        self.wait(self.operator.find, UP_S, "the hub listens")

    def start_rooms(self) -> None:
        for room in self.plan.rooms:
            state = room.folder / "state"
            register(state, self.operator.url, self.operator.token, room.device, room.room, room.name, room.school)
            self.start_room(room.room)
        self.wait_online()

    def start_room(self, room: str) -> None:
        self.children.start(room, "agent", "run", "--config", str(self.plan.out / room / "agent.toml"))

    def wait_online(self) -> None:
        devices = {room.device for room in self.plan.rooms}
        self.wait(lambda: devices <= self.operator.devices_online(), UP_S, "all rooms are online")

    def kill(self, name: str) -> None:
        self.children.kill(name)

    def new_session(self, seconds: float, *, in_s: float | None = None, mode: str = "delivery", **policy: Any) -> str:
        """Make a session that starts now, or in so many seconds."""
        body: dict[str, Any] = {
            "title": "测试课",
            "start": "now" if in_s is None else time.time() + in_s,
            "seconds": seconds,
            "mode": mode,
            "rooms": [{"room": room.room, "role": room.role} for room in self.plan.rooms],
            "policy": {**POLICY, **policy},
            "video": list(self.plan.video),
            "video_bps": self.plan.video_bps,
        }
        headers = {"Authorization": f"Bearer {self.operator.token}"}
        answer = httpx.post(f"{self.operator.url}/api/v1/sessions", json=body, headers=headers, timeout=20)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["session"])

    def view(self, session: str) -> dict[str, Any]:
        return self.operator.session(session)

    def room(self, session: str, room: str) -> dict[str, Any]:
        return next(one for one in self.view(session)["rooms"] if one["room"] == room)

    def wait_state(self, session: str, state: str, within_s: float) -> dict[str, Any]:
        """Wait until a session is in a state; `uploaded` means with the account of every room, which comes apart."""

        def there() -> bool:
            view = self.view(session)
            return view["state"] == state and (state != "uploaded" or all(room["result"] for room in view["rooms"]))

        self.wait(there, within_s, f"the session is {state}")
        return self.view(session)

    def wait_t(self, session: str, t: float) -> None:
        """Wait for session time `t` (by the hub's clock, which is this machine's)."""
        self.wait_until(self.view(session)["epoch"] + t)

    def wait_until(self, moment: float) -> None:
        """Wait for a moment, in seconds of UTC."""
        time.sleep(max(0.0, moment - time.time()))

    def wait(self, ready: Callable[[], bool], within_s: float, what: str) -> None:
        deadline = time.monotonic() + within_s
        while not ready():
            assert time.monotonic() < deadline, f"not within {within_s} s: {what}\n{self.logs()}"
            time.sleep(0.1)

    def telemetry(self) -> TelemetrySummary:
        """Ends the rooms, so that all is handed over, and counts."""
        self.children.stop(*(room.room for room in self.plan.rooms))
        rooms = self.plan.rooms
        produced = [one for room in rooms for one in Ledger.read(room.folder / "state" / "produced")]
        return count_telemetry(produced, [one for room in rooms for one in self.operator.stored_ids(room.device)])

    def archived(self, session: str, room: str) -> Path:
        return self.plan.hub_folder / "archive" / session / room

    def manifest(self, session: str, room: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.archived(session, room) / "manifest.json").read_text())
        return found

    def log(self, name: str) -> str:
        return (self.plan.out / "logs" / f"{name}.log").read_text(errors="replace")

    def logs(self) -> str:
        tails = []
        for path in sorted((self.plan.out / "logs").glob("*.log")):
            lines = path.read_text(errors="replace").splitlines()[-15:]
            tails.append("\n".join([f"== {path.name}", *lines]))
        return "\n".join(tails)


@contextmanager
def a_district(
    out: Path, broker: str = "amqtt", rooms: int = 2, start: bool = True, program: str = "tongtang"
) -> Iterator[District]:
    """A district in `out`, ended whatever happens; small pictures, because tests share the machine.

    `program` is the module that its processes run: `tongtang`, or one that does a little else.
    """
    plan = make_plan(out, seconds=10, rooms=rooms, lead="rehearsal", receiving="rehearsal")
    district = District(replace(plan, video=(640, 360), video_bps=500_000), broker, program)
    try:
        if start:
            district.start_hub()
            district.start_rooms()
        yield district
    finally:
        district.children.stop()
