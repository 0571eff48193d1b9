"""From a draft to sessions with a real hub and real processes, some of which are killed on the way."""

import datetime as dt
import os
import signal
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import psutil
import pytest

from contract.keys import new_device_key, public_pem
from hub.founding import init
from hub.schedule.calendars.occurrences import Occurrence
from hub.schedule.generate import planted
from hub.schedule.terms import Term
from hub.store.occurrences import OccurrenceRecord
from hub.store.plan_facts import FactChange, NewImport
from hub.store.store import Store
from tests.hub_api.commands.running import running

pytestmark = pytest.mark.timeout(300)
PLANS = "/api/v1/plan/plans"
SETTINGS = """
data = "{data}"
broker = "amqtt"
[http]
port = 0
[mqtt]
port = 0
tls = false
"""
DISTRICT, HIDDEN = planted(5, 14, 18, 1)
DAY_S = 86_400.0


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A hub that knows a term which began this week."""
    data = tmp_path / "data"
    path = tmp_path / "hub.toml"
    path.write_text(SETTINGS.format(data=data.as_posix()))
    (tmp_path / "token").write_text(init(data).token or "")
    today = dt.datetime.now(ZoneInfo("Asia/Shanghai")).date()
    term = Term(id="now", first_day=today - dt.timedelta(days=today.weekday()), weeks=20)
    with opened(data) as store:
        change = FactChange("term", term.id, None, term.model_dump_json())
        store.plan_facts.apply(NewImport("operator", "by hand", "json", "", time.time()), [change])
    return path


class opened:
    """The hub's database, while no hub has it."""

    def __init__(self, data: Path) -> None:
        self.store = Store.open(f"sqlite:///{data}/hub.db")

    def __enter__(self) -> Store:
        return self.store

    def __exit__(self, *_: object) -> None:
        self.store.close()


def client(hub, config: Path) -> httpx.Client:
    token = (config.parent / "token").read_text()
    return httpx.Client(base_url=hub.where["http"], headers={"Authorization": f"Bearer {token}"}, timeout=30)


def asked(answer: httpx.Response):
    assert answer.is_success, answer.text
    return answer.json()


def until(holds, seconds: float = 90.0):
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.1)
    return found


def the_solver_of(pid: int) -> psutil.Process | None:
    children = psutil.Process(pid).children(recursive=True)
    return next((one for one in children if "hub.schedule.desk.child" in one.cmdline()), None)


def agreed(http: httpx.Client, plan: str) -> None:
    view = asked(http.post(f"{PLANS}/{plan}/propose"))
    for school in view["schools"]:
        asked(http.post(f"{PLANS}/{plan}/approvals", json={"school": school["school"], "approved": True}))
    assert asked(http.post(f"{PLANS}/{plan}/approvals", json={"approved": True}))["state"] == "approved"


def test_a_killed_solver_leaves_the_draft_and_a_killed_hub_makes_every_lesson_once(config: Path, tmp_path: Path):
    data = tmp_path / "data"
    followed = Counter(one.lesson for one in HIDDEN.served)
    shared = next(one for one in HIDDEN.served if one.lesson is not None and followed[one.lesson] > 1)
    without = next(one for one in DISTRICT.rooms if one.id == shared.room)
    with running(config, data) as hub:
        http = client(hub, config)
        for room in (one for one in DISTRICT.rooms if one != without):
            new = {"device": room.id, "room": room.id, "name": room.name, "public_key": public_pem(new_device_key())}
            asked(http.post("/api/v1/devices", json=new))
        new = {"term": "now", "first_week": 1, "last_week": 4} | {
            name: made.model_dump(mode="json") for name, made in (("district", DISTRICT), ("plan", HIDDEN))
        }
        plan = asked(http.post(PLANS, json=new))["plan"]
        before = asked(http.get(f"{PLANS}/{plan}/file"))

        asked(http.post(f"{PLANS}/{plan}/solve", json={"seconds": 600}))
        solver = until(lambda: the_solver_of(hub.where["pid"]))
        until(lambda: asked(http.get(f"{PLANS}/{plan}/solve"))["told"])
        assert solver.nice() > psutil.Process(hub.where["pid"]).nice()
        solver.send_signal(signal.SIGKILL)
        ended = until(lambda: (one := asked(http.get(f"{PLANS}/{plan}/solve")))["state"] == "failed" and one)
        assert ended["words"] == "the process that solved it was killed (SIGKILL); the draft is as it was"
        assert asked(http.get(f"{PLANS}/{plan}/file")) == before

        agreed(http, plan)
        assert asked(http.post(f"{PLANS}/{plan}/publish", json={}))["added"] > 0
        until(lambda: asked(http.get("/api/v1/sessions")))
        os.kill(hub.where["pid"], signal.SIGKILL)  # in the middle of making them

    (data / "hub.json").unlink()
    with opened(data) as store:
        expected = {one.occurrence.id for one in near(store) if can_be_held(one.occurrence, without.id)}
        assert expected
    with running(config, data) as hub:
        http = client(hub, config)
        until(lambda: expected <= noted(data).keys())
        words = {one["kind"]: one["words"] for one in asked(http.get("/api/v1/alerts"))}["rooms-without-device"]
        assert f"1 rooms have lessons in the plan and no device ({without.name or without.id})" in words

    with opened(data) as store:
        made = [one.order.session for one in store.sessions.due(4e9) if not one.order.cancelled]
        assert sorted(made) == sorted(noted(data).values())


def near(store: Store) -> list[OccurrenceRecord]:
    """Lessons that must be sessions by now."""
    now = time.time()
    return store.occurrences.between(now + 600, now + 13.9 * DAY_S)


def can_be_held(lesson: Occurrence, without: str) -> bool:
    return (
        lesson.lead is not None and lesson.lead.room != without and {one.room for one in lesson.receiving} != {without}
    )


def noted(data: Path) -> dict[str, str]:
    """Sessions by lesson, read beside the hub that writes them."""
    with closing(sqlite3.connect(f"file:{data}/hub.db?mode=ro", uri=True)) as database:
        return dict(database.execute("SELECT id, session FROM occurrence WHERE session IS NOT NULL"))
