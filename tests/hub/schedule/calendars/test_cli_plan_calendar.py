"""`tongtang plan calendar`: the commands, as somebody types them at the hub's own machine."""

import datetime as dt
import json
import struct
import time
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import icalendar
import pytest
from typer.testing import CliRunner

from hub.cli_plan import app
from hub.founding import init
from hub.schedule.calendars.occurrences import expand
from hub.schedule.terms import Term
from hub.settings import HubSettings
from hub.store.occurrences import Laid
from hub.store.store import Store
from tests.hub.schedule.calendars.small import SHANGHAI, district, plan


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A hub whose plan begins next week."""
    folder = tmp_path_factory.mktemp("hub") / "data"
    init(folder)
    store = Store.open(HubSettings(data=folder).database_url)
    now = dt.datetime.now(SHANGHAI)
    term = Term(id="now", first_day=now.date() + dt.timedelta(days=7 - now.weekday()), weeks=4)
    found = expand(term, district(), plan(), range(1, 5), SHANGHAI)
    store.occurrences.publish([Laid("p1", "now", range(1, 5), found)], now.timestamp())
    store.occurrences.cancel("now~english~w02", now.timestamp(), "停电")
    store.close()
    return folder


def say(data, *words):
    done = CliRunner().invoke(
        app, ["calendar", *[str(word) for word in words], *(["--data", str(data)] if data else [])]
    )
    return done.exit_code, done.stdout, done.stderr


def told(data, *words):
    code, out, err = say(data, *words, "--json")
    assert code == 0, err
    return json.loads(out)


def test_the_lessons_of_a_room_are_told_in_words_and_for_programs(data):
    code, out, _ = say(data, "room", "two-b")
    assert code == 0
    lines = out.splitlines()
    assert "第 1 周 周三 第 2 节  英语 Unit 3  窦店中心小学 双师教室二" in lines[0]
    assert "已取消：英语 Unit 3" in lines[1]
    lessons = told(data, "room", "two-b")["lessons"]
    assert [(one["week"], one["cancelled"], one["sequence"]) for one in lessons] == [
        (1, False, 0),
        (2, True, 1),
        (3, False, 0),
        (4, False, 0),
    ]


@pytest.mark.parametrize(("kind", "who"), [("teacher", "wang"), ("school", "one"), ("class", "two-3-1")])
def test_a_calendar_is_written_as_a_file(data, tmp_path, kind, who):
    out = tmp_path / "calendar.ics"
    answer = told(data, kind, who, "--out", out)
    found = icalendar.Calendar.from_ical(out.read_bytes()).walk("VEVENT")
    assert len(found) == len(answer["lessons"]) > 0
    assert answer["file"] == str(out)


def test_a_token_is_made_listed_and_revoked(data):
    made = told(data, "token", "room", "two-b", "--for", "王老师的手机", "--url", "https://hub.example")
    assert made["address"] == f"https://hub.example/calendars/{made['token']}.ics"
    assert made["webcal"].startswith("webcal://hub.example/")
    code, out, _ = say(data, "tokens")
    assert (code, "王老师的手机" in out, made["token"] in out) == (0, True, False)
    assert told(data, "revoke", made["id"])["revoked"] is not None
    assert told(data, "tokens")["tokens"][0]["revoked"] is not None
    code, _, err = say(data, "revoke", "0" * 16)
    assert (code, "there is no calendar token" in err) == (2, True)


@pytest.fixture
def in_kathmandu(monkeypatch):
    """A machine whose clock is a quarter of an hour beside everybody's."""
    with monkeypatch.context() as there:
        there.setenv("TZ", "Asia/Kathmandu")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("in_kathmandu")
def test_when_a_token_was_revoked_is_told_by_the_machines_clock(data):
    made = told(data, "token", "room", "two-b", "--url", "https://hub.example")
    revoked = told(data, "revoke", made["id"])["revoked"]
    local = dt.datetime.fromtimestamp(revoked, ZoneInfo("Asia/Kathmandu"))
    (line,) = (line for line in say(data, "tokens")[1].splitlines() if made["id"] in line)
    assert f"revoked {local:%Y-%m-%d %H:%M}" in line


def test_its_qr_code_is_drawn_as_a_picture_or_in_the_terminal(data, tmp_path):
    png, svg = tmp_path / "room.png", tmp_path / "room.svg"
    made = told(data, "token", "room", "two-b", "--qr", png, "--url", "https://hub.example")
    width, height = struct.unpack(">II", png.read_bytes()[16:24])
    assert width == height > 200
    assert told(None, "qr", made["address"], "--out", svg)["file"] == str(svg)
    assert ET.parse(svg).getroot().tag.endswith("svg")
    code, out, _ = say(None, "qr", made["address"])
    assert (code, "▄" in out) == (0, True)
    code, _, err = say(None, "qr", made["address"], "--out", tmp_path / "room.gif")
    assert (code, "must end in .svg or .png" in err) == (2, True)


def test_whom_nobody_knows_is_refused_in_words(data):
    for words in (("room", "two-z"), ("token", "teacher", "two-b")):
        code, _, err = say(data, *words)
        assert (code, "name it as the plan does" in err) == (2, True)
