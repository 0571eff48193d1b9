"""A recorder that is not ours: it finds the calendar as Opencast's capture agents do, and reads it as strictly."""

import base64
import datetime as dt
from collections.abc import Iterator
from xml.etree import ElementTree as ET

import httpx
import pytest

from hub.api.signin import TRIES
from tests.hub_api.district import District, district
from tests.hub_api.routes.test_calendars import PLAIN, made, publish

ROOM = "two-b"
PERIOD = "{http://purl.org/dc/terms/}"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    """One hub for all: each test makes a token of its own."""
    with district(tmp_path_factory.mktemp("hub")) as made_hub:
        publish(made_hub)
        yield made_hub


@pytest.fixture
def token(hub: District) -> str:
    return made(hub, "room", ROOM)["token"]


def agent(hub: District, token: str) -> httpx.Client:
    return httpx.Client(base_url=hub.url, auth=("recorder", token))


def as_an_agent_reads(body: str) -> list[dict]:
    """Events by the plainest of readers: lines unfolded, split at the colon, times only where the key is bare."""
    found = []
    for block in body.replace("\r\n ", "").split("BEGIN:VEVENT\r\n")[1:]:
        event: dict = {"files": {}}
        for line in block.split("END:VEVENT")[0].split("\r\n"):
            key, _, value = line.partition(":")
            if key.startswith("ATTACH"):
                parameters = dict(one.split("=") for one in key.split(";")[1:])
                event["files"][parameters["X-APPLE-FILENAME"]] = base64.b64decode(value).decode("utf-8")
                event[f"kind of {parameters['X-APPLE-FILENAME']}"] = parameters["FMTTYPE"]
            elif key in {"DTSTART", "DTEND", "DTSTAMP"}:
                event[key] = dt.datetime.strptime(value, "%Y%m%dT%H%M%S%z")
            elif key:
                event[key] = value
        found.append(event)
    return found


def test_a_recorder_finds_the_calendar_and_learns_what_to_record(hub: District, token: str):
    with agent(hub, token) as http:
        registry = http.get("/services/available.json?serviceType=org.opencastproject.scheduler").json()
        service = registry["services"]["service"]
        assert (service["active"], service["online"]) == (True, True)
        answer = httpx.get(f"{service['host']}{service['path']}/calendars?agentid={ROOM}", auth=("recorder", token))
    events = as_an_agent_reads(answer.text)
    planned = {one.occurrence.id: one.occurrence for one in hub.parts.store.occurrences.between(0, 1e12)}
    mine = {name: part for name, one in planned.items() for part in one.rooms if part.room == ROOM}
    assert {one["UID"] for one in events} == set(mine) != set()
    for event in events:
        part = mine[event["UID"]]
        assert (event["DTSTART"].timestamp(), event["DTEND"].timestamp()) == (part.epoch, part.ends)
        assert (event["LOCATION"], event["SUMMARY"]) == (ROOM, "英语 Unit 3")
        assert event["DTSTAMP"].tzinfo is not None
        assert event["kind of episode.xml"] == "application/xml"
        episode = ET.fromstring(event["files"]["episode.xml"])
        assert episode.tag == "{http://www.opencastproject.org/xsd/1.0/dublincore/}dublincore"
        said = {one.tag: one.text for one in episode}
        assert (said[f"{PERIOD}title"], said[f"{PERIOD}creator"], said[f"{PERIOD}spatial"]) == (
            "英语 Unit 3",
            "李静",
            ROOM,
        )
        begins, ends = (f"{event[key]:%Y-%m-%dT%H:%M:%SZ}" for key in ("DTSTART", "DTEND"))
        assert said[f"{PERIOD}temporal"] == f"start={begins}; end={ends}; scheme=W3C-DTF;"
        properties = event["files"]["org.opencastproject.capture.agent.properties"].splitlines()
        assert "capture.device.id=two-b" in properties
        assert r"event.title=\u82f1\u8bed Unit 3" in properties


def test_what_is_cancelled_and_what_lies_beyond_the_cutoff_is_not_there(hub: District, token: str):
    with agent(hub, token) as http:
        whole = http.get(f"/recordings/calendars?agentid={ROOM}")
        first, *_, last = sorted(as_an_agent_reads(whole.text), key=lambda one: one["DTSTART"])
        cutoff = round(last["DTSTART"].timestamp() * 1000) - 1
        near = as_an_agent_reads(http.get(f"/recordings/calendars?agentid={ROOM}&cutoff={cutoff}").text)
        assert last["UID"] not in {one["UID"] for one in near}
        tag = whole.headers["etag"]
        unchanged = http.get(f"/recordings/calendars?agentid={ROOM}", headers={"If-None-Match": tag})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        hub.parts.store.occurrences.cancel(first["UID"], hub.parts.clock.now())
        after = http.get(f"/recordings/calendars?agentid={ROOM}", headers={"If-None-Match": tag})
        assert first["UID"] not in {one["UID"] for one in as_an_agent_reads(after.text)}


@pytest.mark.parametrize("cutoff", ["-1", "9" * 400, "soon", ""])
def test_a_cutoff_that_is_no_moment_is_refused(hub: District, token: str, cutoff: str):
    with agent(hub, token) as http:
        assert http.get(f"/recordings/calendars?agentid={ROOM}&cutoff={cutoff}").status_code == 422


def test_what_a_recorder_says_of_itself_stands_beside_its_token(hub: District, token: str):
    with agent(hub, token) as http:
        admin = http.get("/services/available.json?serviceType=org.opencastproject.capture.admin").json()
        path = admin["services"]["service"]["path"]
        said = http.post(f"{path}/agents/{ROOM}", data={"state": "idle", "address": "http://recorder"})
        assert (said.status_code, said.text) == (200, "two-b set to idle")
        as_parts = http.post(f"{path}/recordings/now~english~w01", files={"state": (None, "capturing")})
        assert as_parts.status_code == 200
        assert http.post(f"{path}/agents/{ROOM}", data={"state": "<b>"}).status_code == 422
    told = hub.http().get(PLAIN).json()[0]["recorder"]
    assert (told["state"], told["recording"], told["recording_state"]) == ("idle", "now~english~w01", "capturing")


PATHS = (
    f"/recordings/calendars?agentid={ROOM}",
    "/services/available.json?serviceType=org.opencastproject.scheduler",
)
POSTS = (f"/capture-admin/agents/{ROOM}", "/capture-admin/recordings/now~english~w01")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_the_rooms_token_nothing_answers(hub: District, token: str, method: str):
    school = made(hub, "school", "two")["token"]
    headers = [
        {},
        {"Authorization": "Digest username=x"},
        {"Authorization": "Basic !!"},
        {"Authorization": f"Bearer {token}"},
        hub.headers,
        {"Authorization": "Basic " + base64.b64encode(f"recorder:{school}".encode()).decode()},
        {"Authorization": "Basic " + base64.b64encode(f"{token}:".encode()).decode()},
    ]
    for path in PATHS if method == "GET" else POSTS:
        for carried in headers:
            answer = httpx.request(
                method, hub.url + path, headers=carried, data={"state": "idle"} if method == "POST" else None
            )
            assert answer.status_code == 401, (path, carried)
            assert answer.headers["www-authenticate"].startswith("Basic ")


def test_a_token_is_of_one_room_and_ends_when_it_is_revoked(hub: District, token: str):
    with agent(hub, token) as http:
        other = http.get("/recordings/calendars?agentid=two-a")
        assert (other.status_code, other.json()["error"]) == (403, "this token is of room two-b, not of two-a")
        assert http.post("/capture-admin/agents/two-a", data={"state": "idle"}).status_code == 403
        missing = http.get("/services/available.json?serviceType=org.opencastproject.ingest")
        assert (missing.status_code, "is not offered here" in missing.json()["error"]) == (404, True)
        hub.http().delete(f"{PLAIN}/{hub.http().get(PLAIN).json()[0]['id']}")
        assert http.get(PATHS[0]).status_code == 401


def test_a_recorder_with_a_wrong_password_waits_and_its_neighbour_does_not(hub: District, token: str):
    with agent(hub, "tc-wrong") as http:
        answers = [http.get(PATHS[0]).status_code for _ in range(TRIES + 1)]
    assert set(answers) == {401, 429}
    assert answers[-1] == 429
    with agent(hub, token) as http:
        assert http.get(PATHS[0]).status_code == 200
