"""A classroom machine and its hub, by code and certificate, over a closed broker: what goes wrong and mends itself."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy

from agent.certificate import load_certificate
from agent.identity import load_identity
from hub.backup.make import backup
from hub.backup.restore import restore
from hub.broker.embedded import find_mosquitto
from hub.fleet.authority import DAY_S, Authority
from hub.settings import load_settings
from tests.e2e import ctrl_c
from tests.e2e.district import UP_S, District, a_district

MINE = pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed; amqtt alone is tried")
BROKERS = ["amqtt", pytest.param("mosquitto", marks=MINE)]


class Room:
    """One room of a closed district, enrolled as a person at the machine would."""

    def __init__(self, district: District) -> None:
        self.district = district
        self.plan = district.plan.rooms[0]
        self.state = self.plan.folder / "state"

    def claim(self, *, confirm: bool = False) -> dict[str, Any]:
        asked = {"school": self.plan.school, "room": self.plan.room, "name": self.plan.name, "confirm": confirm}
        return self.post("/api/v1/claims", asked)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = httpx.post(f"{self.district.operator.url}{path}", json=body, headers=self._headers, timeout=20)
        assert answer.is_success, answer.text
        return answer.json()

    def get(self, path: str) -> Any:
        return httpx.get(f"{self.district.operator.url}{path}", headers=self._headers, timeout=20).json()

    def enrolling(self, *words: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "tongtang", "agent", "enrol", *words, "--config", str(self.plan.settings_file)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, preexec_fn=ctrl_c.heeded(), **pipes)

    def enrol(self) -> None:
        with self.enrolling(self.claim()["ticket"]) as process:
            said, wrong = process.communicate(timeout=60)
        assert process.returncode == 0, wrong
        assert f"in room {self.plan.room}" in said

    def start(self) -> None:
        self.district.start_room(self.plan.room)

    def online(self, within_s: float = UP_S) -> None:
        device = load_identity(self.state).device
        self.district.wait(lambda: device in self.district.operator.devices_online(), within_s, f"{device} is online")

    def expire(self, days_ago: float) -> str:
        """Put a certificate in place that has expired, here and in the hub's books; its serial."""
        me = load_identity(self.state)
        settings = load_settings(self.district.plan.hub_settings)
        ended = time.time() - days_ago * DAY_S
        issued = Authority.open(settings).sign_device(me.key.public_key(), me.device, ended - 30 * DAY_S)
        (self.state / "certificate.pem").write_text(issued.certificate_pem)
        engine = sqlalchemy.create_engine(settings.database_url)
        with closing(engine.raw_connection()) as books:
            books.cursor().execute("UPDATE certificate SET expires = ?", (ended,))
            books.commit()
        engine.dispose()
        return issued.serial

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.district.operator.token}"}


@contextmanager
def closed(out: Path, broker: str, program: str = "tongtang") -> Iterator[Room]:
    """A district with a closed broker and one room, which is not enrolled yet."""
    with a_district(out, broker, start=False, program=program) as district:
        settings = district.plan.hub_settings
        settings.write_text(settings.read_text().replace("tls = false", "tls = true"))
        district.start_hub()
        yield Room(district)


@pytest.mark.e2e
@pytest.mark.timeout(180)
@pytest.mark.parametrize("broker", BROKERS)
def test_certificates_that_expired_or_are_missing_are_renewed_by_the_service_itself(tmp_path: Path, broker: str):
    with closed(tmp_path / "out", broker) as room:
        room.enrol()
        old = room.expire(days_ago=60)
        room.start()
        room.online()
        fresh = load_certificate(room.state)
        assert fresh.serial != old
        assert fresh.days_left(time.time()) > 29
        assert "late-renewal" in {one["kind"] for one in room.get("/api/v1/alerts")}
        room.district.children.stop(room.plan.room)

        (room.state / "certificate.pem").unlink()
        room.start()
        room.district.wait(lambda: (room.state / "certificate.pem").exists(), UP_S, "there is a certificate again")
        room.online()
        room.district.children.stop(room.plan.room)

        room.expire(days_ago=200)
        room.start()
        room.district.wait(lambda: "gives no new certificate" in room.district.log(room.plan.room), UP_S, "it says so")
        time.sleep(1)
        assert room.district.operator.devices_online() == set()


@pytest.mark.e2e
@pytest.mark.timeout(180)
def test_a_printed_code_waits_for_an_operator_and_goes_on_by_itself_also_after_it_was_stopped(tmp_path: Path):
    with closed(tmp_path / "out", "amqtt") as room:
        ticket = room.claim(confirm=True)["ticket"]

        def machines() -> list[str]:
            return [one["key"] for one in room.get("/api/v1/claims") if one["used"]]

        with room.enrolling(ticket) as stopped:
            room.district.wait(machines, UP_S, "the machine has shown its code")
            assert stopped.stderr is not None
            told = stopped.stderr.readline()
            stopped.send_signal(signal.SIGINT)
            stopped.wait(timeout=60)
        assert stopped.returncode == 130
        assert "an operator must confirm" in told
        assert machines()[0] in told  # the person there and the operator see the same key

        with room.enrolling(ticket) as again:
            assert again.stderr is not None
            assert machines()[0] in again.stderr.readline()
            room.post(f"/api/v1/claims/{room.plan.room}/confirm")
            said, wrong = again.communicate(timeout=60)
        assert again.returncode == 0, wrong
        assert f"in room {room.plan.room}" in said
        room.start()
        room.online()


@pytest.mark.e2e
@pytest.mark.timeout(240)
@pytest.mark.parametrize("broker", BROKERS)
def test_a_revoked_machine_is_told_and_comes_back_with_a_new_code_and_a_new_key(tmp_path: Path, broker: str):
    with closed(tmp_path / "out", broker) as room:
        room.enrol()
        room.start()
        room.online()
        first = load_identity(room.state)
        room.post(f"/api/v1/devices/{first.device}/revoke")
        room.district.wait(
            lambda: "refuses us" in room.district.log(room.plan.room), UP_S, "it says that it is refused"
        )
        room.district.children.stop(room.plan.room)
        code = room.claim()["code"]
        with room.enrolling(code, "--hub", room.district.operator.url) as process:
            _, wrong = process.communicate(timeout=60)
        assert process.returncode == 2
        assert "--anew" in wrong
        with room.enrolling(code, "--hub", room.district.operator.url, "--anew") as process:
            _, wrong = process.communicate(timeout=60)
        assert process.returncode == 0, wrong
        second = load_identity(room.state)
        assert second.device != first.device
        assert second.key.public_key() != first.key.public_key()
        room.start()
        room.online()


@pytest.mark.e2e
@pytest.mark.timeout(240)
@pytest.mark.parametrize("broker", BROKERS)
def test_a_room_that_its_hub_has_forgotten_says_so_by_itself_and_so_does_the_hub(tmp_path: Path, broker: str):
    with closed(tmp_path / "out", broker) as room:
        books = tmp_path / "before.tar"
        backup(load_settings(room.district.plan.hub_settings), books, version="0.1.0", now=time.time())
        room.enrol()
        room.start()
        room.online()
        room.district.children.stop("hub")
        data = room.district.plan.hub_folder
        data.rename(tmp_path / "lost")
        restore(books, data, version="0.1.0")
        room.district.start_hub()
        told = "was enrolled; make a new code"
        room.district.wait(lambda: told in room.district.log(room.plan.room), 90, "it says what happened")
        device = load_identity(room.state).device
        assert (device, "forgotten-device") in {(one["device"], one["kind"]) for one in room.get("/api/v1/alerts")}
        room.district.children.stop(room.plan.room)
        code = room.claim()["code"]
        with room.enrolling(code, "--hub", room.district.operator.url, "--anew") as process:
            _, wrong = process.communicate(timeout=60)
        assert process.returncode == 0, wrong
        assert room.get("/api/v1/alerts") == []
        room.start()
        room.online()
