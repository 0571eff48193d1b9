"""Calendars over HTTP: whoever has the token reads, what changed is read again, a revoked one says so."""

import datetime as dt
from collections.abc import Iterator

import httpx
import icalendar
import pytest

from hub.api.signin import TRIES
from hub.schedule.calendars.occurrences import expand
from hub.schedule.terms import Term
from hub.store.occurrences import Laid
from tests.hub.schedule.calendars.small import SHANGHAI, district, plan
from tests.hub_api.district import District
from tests.hub_api.district import district as district_of

PLAIN = "/api/v1/plan/calendars"


def to_come() -> Term:
    today = dt.datetime.now(SHANGHAI).date()
    return Term(id="now", first_day=today + dt.timedelta(days=7 - today.weekday()), weeks=4)


def publish(hub: District, day: int = 3) -> None:
    weeks = range(1, 5)
    found = expand(to_come(), district(), plan(day), weeks, SHANGHAI)
    hub.parts.store.occurrences.publish([Laid("p1", "now", weeks, found)], hub.parts.clock.now())


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    """One hub for all: its tests change different lessons."""
    with district_of(tmp_path_factory.mktemp("hub")) as made_hub:
        publish(made_hub)
        yield made_hub


def made(hub: District, kind: str = "room", who: str = "two-a", **more: str) -> dict:
    answer = hub.http().post(PLAIN, json={"kind": kind, "who": who, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def subscribed(hub: District, token: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{hub.url}/calendars/{token}.ics", headers={k.replace("_", "-"): v for k, v in headers.items()})


def events(answer: httpx.Response) -> dict[str, icalendar.Event]:
    assert answer.status_code == 200, answer.text
    return {str(one["uid"]).split("@")[0]: one for one in icalendar.Calendar.from_ical(answer.content).walk("VEVENT")}


def test_whoever_has_the_address_reads_the_calendar(planned: District):
    one = made(planned, words="王老师的手机")
    assert one["address"] == f"{planned.url}/calendars/{one['token']}.ics"
    assert one["webcal"] == one["address"].replace("http", "webcal", 1)
    assert one["qr_svg"].startswith("<svg")
    answer = httpx.get(one["address"])
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert set(events(answer)) >= {"now~english~w01", "now~english~w03", "now~open~q4~w02"}
    head = httpx.head(one["address"])
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", answer.headers["etag"])
    assert answer.content == planned.http().get(f"{PLAIN}/room/two-a").content
    listed = next(each for each in planned.http().get(PLAIN).json() if each["id"] == one["id"])
    assert (listed["words"], listed["kind"], listed["who"]) == ("王老师的手机", "room", "two-a")
    assert listed["read"] is not None
    assert one["token"] not in planned.http().get(PLAIN).text


@pytest.mark.parametrize(("kind", "who"), [("teacher", "li"), ("class", "two-3-2"), ("school", "one")])
def test_teachers_classes_and_schools_have_calendars_too(planned: District, kind: str, who: str):
    assert events(subscribed(planned, made(planned, kind, who)["token"]))


def test_a_program_that_asks_again_is_told_that_nothing_changed(planned: District):
    token = made(planned, "room", "two-b")["token"]
    first = subscribed(planned, token)
    tag, modified = first.headers["etag"], first.headers["last-modified"]
    again = subscribed(planned, token, If_None_Match=f'"other", W/{tag}')
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert subscribed(planned, token, If_Modified_Since=modified).status_code == 304
    assert subscribed(planned, token, If_None_Match='"other"', If_Modified_Since=modified).status_code == 200
    assert subscribed(planned, token, If_Modified_Since="yesterday").status_code == 200
    planned.parts.store.occurrences.cancel("now~english~w02", planned.parts.clock.now(), "停电")
    changed = subscribed(planned, token, If_None_Match=tag)
    assert changed.headers["etag"] != tag
    event = events(changed)["now~english~w02"]
    assert (str(event["status"]), event["sequence"]) == ("CANCELLED", 1)
    assert "停电" in str(event["description"])


def test_a_moved_lesson_is_the_same_event_at_another_time(planned: District):
    token = made(planned)["token"]
    before = events(subscribed(planned, token))["now~english~w03"]
    publish(planned, day=4)
    after = events(subscribed(planned, token))["now~english~w03"]
    assert (after["uid"], after["sequence"]) == (before["uid"], before["sequence"] + 1)
    assert after["dtstart"].dt - before["dtstart"].dt == dt.timedelta(days=1)


def test_a_revoked_token_opens_nothing_and_another_one_still_does(planned: District):
    gone, kept = made(planned), made(planned)
    revoked = planned.http().delete(f"{PLAIN}/{gone['id']}")
    assert revoked.json()["revoked"] is not None
    answer = subscribed(planned, gone["token"])
    assert (answer.status_code, "revoked" in answer.json()["error"]) == (410, True)
    assert subscribed(planned, kept["token"]).status_code == 200
    assert planned.http().delete(f"{PLAIN}/{'0' * 16}").status_code == 404


def test_guesses_are_bounded_and_whoever_has_a_token_never_waits(planned: District):
    token = made(planned)["token"]
    answers = [subscribed(planned, f"tc-guess-{number}") for number in range(TRIES + 1)]
    assert [one.status_code for one in answers] == [404] * TRIES + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert subscribed(planned, token).status_code == 200


def test_a_calendar_of_nobody_is_refused_in_words(planned: District):
    for refused in (
        planned.http().post(PLAIN, json={"kind": "room", "who": "two-z"}),
        planned.http().get(f"{PLAIN}/room/two-z"),
    ):
        assert (refused.status_code, refused.json()["error"]) == (
            404,
            "there is no room two-z; name it as the plan does",
        )
    assert planned.http().post(PLAIN, json={"kind": "cat", "who": "two-a"}).status_code == 422


def test_a_secret_address_stands_in_no_log(planned: District, monkeypatch, caplog):
    token = made(planned)["token"]

    def broken(*_args: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(planned.parts.store.occurrences, "of", broken)
    with caplog.at_level("DEBUG"):
        assert subscribed(planned, token).status_code == 500
    ours = "\n".join(one.getMessage() for one in caplog.records if not one.name.startswith("http"))
    assert "/calendars/... failed" in ours
    assert token not in ours
