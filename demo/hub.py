"""The demonstration's operator: asks the hub over HTTP, as any operator would."""

import json
import time
from pathlib import Path
from typing import Any

import httpx

from demo.plan import FPS, DemoPlan

START_S = 40.0


class HubSilent(Exception):
    """The hub did not answer, or answered no; the message says what."""


class Operator:
    """Talks to the demonstration's hub with an operator's token."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self.url = ""
        self.token = ""
        self.broker = ""
        self._http = httpx.Client(timeout=10.0, trust_env=False)

    def find(self) -> bool:
        """Whether the hub listens by now."""
        try:
            found = json.loads((self._data / "hub.json").read_text(encoding="utf-8"))
            self.token = (self._data / "operator.token").read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            return False
        self.url = str(found["http"])
        self.broker = str(found["broker"])
        try:
            return self._http.get(f"{self.url}/healthz").status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def devices_online(self) -> set[str]:
        """Devices that are connected."""
        return {one["device"] for one in self._get("/api/v1/devices") if one["online"]}

    def start(self, plan: DemoPlan) -> str:
        """Make the session; it starts at once. Returns its id."""
        body = {
            "title": "勾股定理",
            "start": "now",
            "lead_s": 4 + len(plan.rooms),  # all of them open their devices on this one machine
            "seconds": plan.seconds,
            "rooms": [{"room": room.room, "role": room.role} for room in plan.rooms],
            "policy": {"record": True, "observe": True, "upload": True, "watch": False},
            "video": list(plan.video),
            "video_bps": plan.video_bps,
            "fps": FPS,
        }
        return str(self._post("/api/v1/sessions", body)["session"])

    def session(self, session: str) -> dict[str, Any]:
        """Where the session stands."""
        found: dict[str, Any] = self._get(f"/api/v1/sessions/{session}")
        return found

    def end(self, session: str) -> None:
        """End the session, which has begun, now."""
        self._post(f"/api/v1/sessions/{session}/end", None)

    def call_off(self, session: str) -> None:
        """Call off a session that has not begun."""
        self._post(f"/api/v1/sessions/{session}/cancel", None)

    def stored_ids(self, device: str) -> list[str]:
        """Producers' ids of the rows that the hub stored."""
        return [str(one) for one in self._get("/api/v1/telemetry/ids", device=device)]

    def _get(self, path: str, **query: str) -> Any:
        return self._asked("GET", path, params=query)

    def _post(self, path: str, body: dict[str, Any] | None) -> Any:
        return self._asked("POST", path, json=body)

    def _asked(self, method: str, path: str, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        last: Exception | None = None
        for _ in range(3):
            try:
                answer = self._http.request(method, f"{self.url}{path}", headers=headers, **more)
            except httpx.HTTPError as error:
                last = error
                time.sleep(0.5)
                continue
            if answer.is_error:
                raise HubSilent(f"the hub refused {method} {path}: {answer.text[:300]}")
            return answer.json()
        raise HubSilent(f"the hub does not answer at {self.url}: {last}") from last
