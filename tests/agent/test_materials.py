"""Materials are on the room's disk before the lesson, whole and right, whatever happens on the way."""

import hashlib
from pathlib import Path

import httpx
import pytest

from agent.materials import MaterialFolder, Prefetch
from agent.rounds import Looked
from contract.material import Material
from tests.hub_api.district import District, answering, make
from tests.patience import until

BYTES = bytes(range(256)) * 4000


@pytest.fixture
def hub(tmp_path: Path):
    (tmp_path / "hub").mkdir()
    made = make(tmp_path / "hub")
    made.register()
    with answering(made):
        yield made


class Room:
    """The receiving room of a district, with a real disk and a real connection."""

    def __init__(self, hub: District, root: Path) -> None:
        self.hub = hub
        self.folder = MaterialFolder(root, min_free_bytes=1 << 20)
        self.busy = False
        self.clock = hub.parts.clock.now
        self.free = 1 << 40
        self.trouble: list[str] = []
        self.prefetch = self.started_anew()

    def started_anew(self, url: str = "") -> Prefetch:
        self.prefetch = Prefetch(
            self.folder,
            httpx.Client(base_url=url or self.hub.url, timeout=10.0, trust_env=False),
            device=self.hub.receiving.id,
            token=self.hub.receiving.token,
            orders=self.orders,
            now=self.clock,
            quiet=lambda: not self.busy,
            free_bytes=lambda _folder: self.free,
            on_trouble=self.trouble.append,
        )
        return self.prefetch

    def orders(self):
        return [self.hub.parts.conductor.order(one.session) for one in self.hub.parts.conductor.views()]


@pytest.fixture
def room(hub: District, tmp_path: Path) -> Room:
    return Room(hub, tmp_path / "materials")


def attached(hub: District, session: str, name: str = "练习.pdf", data: bytes = BYTES) -> Material:
    with hub.http() as http:
        told = http.put(f"/api/v1/sessions/{session}/materials/{name}", content=data).json()
    return Material.model_validate(next(one for one in told if one["material"]["name"] == name)["material"])


def held(hub: District, session: str) -> list[str]:
    return [room for one in hub.parts.materials.of(session) for room in one.held]


def test_every_file_is_fetched_and_the_hub_is_told(room: Room, hub: District):
    session = hub.session(seconds=600)
    paper, empty = attached(hub, session), attached(hub, session, "空.txt", b"")
    assert room.prefetch.fetch_all() is Looked.DONE
    assert room.folder.path(paper).read_bytes() == BYTES
    assert room.folder.path(empty).read_bytes() == b""
    assert held(hub, session) == ["room-far", "room-far"]
    assert room.trouble == []


def test_a_fetch_that_was_cut_goes_on_where_it_stopped(room: Room, hub: District, tmp_path: Path):
    paper = attached(hub, hub.session(seconds=600))
    part = tmp_path / "materials" / f"{paper.sha256}.part"
    part.parent.mkdir()
    part.write_bytes(BYTES[:300_000])
    asked = []
    room.prefetch._client.event_hooks["request"].append(lambda request: asked.append(request.headers.get("range")))
    assert room.prefetch.fetch_all() is Looked.DONE
    assert room.folder.path(paper).read_bytes() == BYTES
    assert asked[0] == "bytes=300000-"


@pytest.mark.parametrize("left", [b"x" * 100, b"x" * len(BYTES), b"x" * (len(BYTES) + 5)])
def test_what_arrived_damaged_is_thrown_away_and_fetched_anew(room: Room, hub: District, tmp_path: Path, left: bytes):
    paper = attached(hub, hub.session(seconds=600))
    part = tmp_path / "materials" / f"{paper.sha256}.part"
    part.parent.mkdir()
    part.write_bytes(left)
    if room.prefetch.fetch_all() is Looked.FAILED:
        assert "arrived damaged" in room.trouble[0]
        assert room.prefetch.fetch_all() is Looked.DONE
    assert hashlib.sha256(room.folder.path(paper).read_bytes()).hexdigest() == paper.sha256


def test_a_file_that_was_changed_on_the_disk_is_noticed_at_the_next_start(room: Room, hub: District):
    session = hub.session(seconds=600)
    paper = attached(hub, session)
    assert room.prefetch.fetch_all() is Looked.DONE
    room.folder.path(paper).write_bytes(b"y" * len(BYTES))
    assert room.started_anew().fetch_all() is Looked.DONE
    assert room.folder.path(paper).read_bytes() == BYTES


def test_without_the_hub_it_says_so_once_and_what_is_here_stays(room: Room, hub: District):
    session = hub.session(seconds=600)
    paper = attached(hub, session)
    assert room.prefetch.fetch_all() is Looked.DONE
    attached(hub, session, "更多.pdf", b"more")
    away = room.started_anew("http://127.0.0.1:9")
    assert away.fetch_all() is Looked.FAILED
    assert away.fetch_all() is Looked.FAILED
    (words,) = room.trouble
    assert "cannot be reached" in words
    assert room.folder.path(paper) is not None


def test_a_disk_without_room_is_told_and_leaves_recording_its_share(room: Room, hub: District):
    paper = attached(hub, hub.session(seconds=600))
    room.free = (1 << 20) + 1000
    assert room.prefetch.fetch_all() is Looked.FAILED
    assert "has no room for 练习.pdf" in room.trouble[0]
    assert room.folder.path(paper) is None


def test_while_a_lesson_is_live_only_what_begins_soon_is_fetched(room: Room, hub: District):
    soon, later = attached(hub, hub.session(seconds=600)), None
    order = hub.parts.conductor.order(hub.parts.conductor.views()[0].session)
    later = order.model_copy(
        update={
            "session": "s-later-1",
            "epoch": order.epoch + 7_200,
            "materials": (Material(name="b", sha256=hashlib.sha256(b"").hexdigest(), bytes=0),),
        }
    )
    room.orders = lambda: [order, later]
    room.busy = True
    assert room.started_anew().fetch_all() is Looked.WAITING
    assert room.folder.path(soon) is not None
    assert room.folder.path(later.materials[0]) is None
    assert room.trouble == []


def test_a_lesson_that_begins_has_the_link_and_the_file_goes_on_after_it(room: Room, hub: District, tmp_path: Path):
    paper = attached(hub, hub.session(seconds=600))
    order = hub.parts.conductor.order(hub.parts.conductor.views()[0].session)
    later = order.model_copy(update={"epoch": order.epoch + 7_200})
    room.orders = lambda: [later]
    prefetch = room.started_anew()
    append = room.folder.append

    def then_a_lesson_begins(*piece):
        append(*piece)
        room.busy = True

    room.folder.append = then_a_lesson_begins
    assert prefetch.fetch_all() is Looked.WAITING
    begun = (tmp_path / "materials" / f"{paper.sha256}.part").stat().st_size
    assert 0 < begun < len(BYTES)
    room.folder.append, room.busy = append, False
    assert prefetch.fetch_all() is Looked.DONE
    assert room.folder.path(paper).read_bytes() == BYTES
    assert room.trouble == []


def test_a_clock_that_nobody_set_throws_no_file_away(room: Room, hub: District):
    paper = attached(hub, hub.session(seconds=600))
    assert room.prefetch.fetch_all() is Looked.DONE
    room.clock = lambda: None
    assert room.started_anew().fetch_all() is Looked.DONE
    assert room.folder.path(paper) is not None
    room.clock = lambda: hub.parts.clock.now() + 86_400.0
    assert room.started_anew().fetch_all() is Looked.DONE
    assert room.folder.path(paper) is None


def test_files_that_no_order_names_any_more_go(room: Room, hub: District):
    session = hub.session(seconds=600)
    paper = attached(hub, session)
    assert room.prefetch.fetch_all() is Looked.DONE
    hub.parts.conductor.provide(session, ())
    assert room.prefetch.fetch_all() is Looked.DONE
    assert room.folder.path(paper) is None


def test_the_thread_fetches_when_it_is_woken_and_ends(room: Room, hub: District):
    room.prefetch.start()
    session = hub.session(seconds=600)
    paper = attached(hub, session)
    room.prefetch.wake()
    until(lambda: held(hub, session) == ["room-far"])
    assert held(hub, session) == ["room-far"]
    assert room.folder.path(paper) is not None
    assert room.prefetch.stop()
