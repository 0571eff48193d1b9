import json
import random
import threading
import time

import pytest

from agent.record import tus
from agent.record.store import FolderStore, PackageRef
from agent.record.upload import Uploader
from agent.rounds import Looked
from contract.envelope import sign
from contract.keys import new_hub_key
from contract.package import MANIFEST, Receipt
from contract.result import RoomResult
from contract.session import Policy
from tests.agent.record.packets import draft
from tests.agent.record.small_hub import SmallHub

REF = PackageRef("s-test-1", "room-a")
NOW = 1_700_000_100.0


@pytest.fixture
def hub(tmp_path):
    one = SmallHub(tmp_path / "hub")
    yield one
    one.stop()


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path / "packages")


def sealed(store, session="s-test-1", policy=None, size=300_000):
    policy = policy or Policy(record=True, observe=True, upload=True)
    book = draft(store.root, policy=policy, session=session)
    (book.folder / "camera.mp4").write_bytes(random.Random(1).randbytes(size))
    (book.folder / "timeline.jsonl").write_text('{"t":1}\n')
    return book.seal(4.0, (), RoomResult())


class Told:
    def __init__(self):
        self.uploaded, self.words = [], []


def uploader(store, hub, told=None, *, client=None, hub_key=None, **more):
    told = told or Told()
    key = (hub_key or hub.hub_key).public_key()
    more = {"token": hub.token, "quiet": lambda: True, **more}
    return Uploader(
        store,
        client or hub.client(),
        hub_key=lambda: key,
        now=lambda: NOW,
        on_uploaded=lambda ref, receipt: told.uploaded.append((ref, receipt)),
        on_trouble=told.words.append,
        chance=random.Random(1),
        **more,
    )


def test_a_package_goes_to_the_hub_and_leaves_on_its_receipt(store, hub):
    manifest, told = sealed(store), Told()
    assert uploader(store, hub, told).upload_all() is Looked.DONE
    ((ref, receipt),) = told.uploaded
    assert ref == REF
    assert set(receipt.files) > set(manifest.files)
    assert told.words == []
    assert store.packages() == ()
    archived = hub.root / "archive" / "s-test-1" / "room-a"
    assert sorted(path.name for path in archived.iterdir() if path.name[0] != ".") == [
        "camera.mp4",
        "manifest.json",
        "timeline.jsonl",
    ]
    line = json.loads((store.root / "deleted.jsonl").read_text())
    assert (line["session"], line["room"], line["at"], line["files"]) == ("s-test-1", "room-a", NOW, 5)
    assert len(set(hub.tokens)) == len(hub.tokens), "each request has a token of its own"


def test_a_package_stays_with_its_receipt_where_it_is_to_be_kept(store, hub):
    sealed(store)
    told = Told()
    assert uploader(store, hub, told, keep_uploaded=True).upload_all() is Looked.DONE
    assert (store.root / "s-test-1" / "room-a" / "receipt.json").exists()
    asked = len(hub.requests)
    assert uploader(store, hub, told, keep_uploaded=True).upload_all() is Looked.DONE  # after a restart
    assert len(hub.requests) == asked, "a package with a good receipt asks the hub for nothing"
    assert len(told.uploaded) == 2


def test_an_upload_takes_no_more_of_the_link_than_it_may(store, hub):
    sealed(store, size=300_000)
    begun = time.monotonic()
    assert uploader(store, hub, most_bps=1_600_000).upload_all() is Looked.DONE
    assert time.monotonic() - begun > 1.4, "300 kB at 1.6 Mbit/s take 1.5 s"


def test_only_sealed_packages_that_may_be_uploaded_are(store, hub):
    draft(store.root, session="s-draft-1")
    sealed(store, session="s-private-1", policy=Policy(record=True))
    assert uploader(store, hub).upload_all() is Looked.DONE
    assert hub.requests == []
    assert len(store.packages()) == 2


def test_a_broken_upload_goes_on_where_it_stopped_also_after_a_restart(store, hub, monkeypatch):
    monkeypatch.setattr(tus, "CHUNK_BYTES", 64 << 10)
    sealed(store)
    told = Told()
    chunks = []

    def quiet():
        chunks.append(1)
        return len(chunks) <= 4  # a lesson begins in mid-upload

    assert uploader(store, hub, told, quiet=quiet).upload_all() is Looked.WAITING
    assert told.words == []
    begun = json.loads((store.root / "s-test-1" / "room-a" / "upload.json").read_text())
    assert set(begun) == {"camera.mp4"}
    hub.stop()
    hub.start()
    before = len([one for one in hub.requests if one[0] == "PATCH"])
    assert before == 3
    assert uploader(store, hub, told).upload_all() is Looked.DONE
    after = [method for method, path in hub.requests[-20:]]
    assert "HEAD" in after
    assert len([one for one in hub.requests if one[0] == "PATCH"]) == 5 + 2
    assert store.packages() == ()


def test_bytes_that_change_on_the_way_are_refused_and_sent_again(store, hub):
    sealed(store, size=3000)
    told = Told()

    def flip(number, receive):
        async def flipped():
            message = await receive()
            if number == 1 and message.get("body"):
                message["body"] = bytes([message["body"][0] ^ 1]) + message["body"][1:]
            return message

        return flipped

    hub.break_chunk = flip
    one = uploader(store, hub, told)
    assert one.upload_all() is Looked.FAILED
    assert len(told.words) == 1
    assert "upload the file again" in told.words[0]
    assert store.packages() == (REF,)
    assert one.upload_all() is Looked.DONE
    assert store.packages() == ()
    assert len(told.uploaded) == 1


def test_a_hub_that_is_away_is_told_once_and_the_package_goes_when_it_is_back(store, hub):
    sealed(store)
    told = Told()
    hub.stop()
    one = uploader(store, hub, told)
    assert one.upload_all() is Looked.FAILED
    assert one.upload_all() is Looked.FAILED
    assert len(told.words) == 1
    assert "cannot be reached" in told.words[0]
    hub.start()
    one.start()
    one.wake()
    deadline = time.monotonic() + 10
    while not told.uploaded and time.monotonic() < deadline:
        time.sleep(0.02)
    assert one.stop()
    assert store.packages() == ()


def test_nothing_is_sent_while_a_lesson_is_live(store, hub):
    sealed(store)
    live = threading.Event()
    live.set()
    told = Told()
    one = uploader(store, hub, told, quiet=lambda: not live.is_set())
    assert one.upload_all() is Looked.WAITING
    assert hub.requests == []
    live.clear()
    assert one.upload_all() is Looked.DONE
    assert len(told.uploaded) == 1


class LyingClient:
    """The hub's own answers, but the receipt is another."""

    def __init__(self, client, receipt):
        self._client = client
        self._receipt = receipt

    def request(self, *args, **more):
        return self._client.request(*args, **more)

    def get(self, path, **more):
        import httpx

        if path.endswith("/receipt"):
            answer = self._client.get(path, **more)
            return httpx.Response(200, text=self._receipt(answer.text))
        return self._client.get(path, **more)


def test_a_receipt_with_another_hash_keeps_the_recording(store, hub):
    sealed(store)
    told = Told()

    def other_hash(text):
        receipt = Receipt.model_validate_json(json.loads(text)["body"])
        first = receipt.files[0].model_copy(update={"sha256": "0" * 64})
        changed = receipt.model_copy(update={"files": (first, *receipt.files[1:])})
        return sign(changed, hub.hub_key, NOW, 1000).to_json().decode()

    one = uploader(store, hub, told, client=LyingClient(hub.client(), other_hash))
    assert one.upload_all() is Looked.FAILED
    assert one.upload_all() is Looked.FAILED
    assert store.packages() == (REF,)
    assert (store.root / "s-test-1" / "room-a" / "camera.mp4").stat().st_size == 300_000
    assert len(told.words) == 1
    assert "kept" in told.words[0]


@pytest.mark.parametrize("receipt", ["", "{}", "another key", "another room", "fewer files"])
def test_a_receipt_that_is_not_the_hubs_for_this_package_keeps_the_recording(store, hub, receipt):
    sealed(store)
    told = Told()

    def changed(text):
        body = Receipt.model_validate_json(json.loads(text)["body"])
        if receipt == "another key":
            return sign(body, new_hub_key(), NOW, 1000).to_json().decode()
        if receipt == "another room":
            return sign(body.model_copy(update={"room": "room-b"}), hub.hub_key, NOW, 1000).to_json().decode()
        if receipt == "fewer files":
            return sign(body.model_copy(update={"files": body.files[1:]}), hub.hub_key, NOW, 1000).to_json().decode()
        return receipt

    one = uploader(store, hub, told, client=LyingClient(hub.client(), changed))
    assert one.upload_all() is Looked.FAILED
    assert store.packages() == (REF,)
    assert told.uploaded == []
    assert not (store.root / "s-test-1" / "room-a" / "receipt.json").exists()


def test_a_file_that_changed_since_it_was_sealed_is_not_uploaded_and_told(store, hub):
    sealed(store)
    (store.root / "s-test-1" / "room-a" / "timeline.jsonl").write_text("other")
    told = Told()
    assert uploader(store, hub, told).upload_all() is Looked.FAILED
    assert "timeline.jsonl changed" in told.words[0]
    assert not [one for one in hub.requests if one[0] == "POST"]


def test_an_unreadable_manifest_is_told_and_the_others_go(store, hub):
    sealed(store)
    sealed(store, session="s-test-2")
    (store.root / "s-test-1" / "room-a" / MANIFEST).write_text("{")
    told = Told()
    assert uploader(store, hub, told).upload_all() is Looked.FAILED
    assert store.packages() == (REF,)
    assert len(told.words) == 1
    assert len(told.uploaded) == 1


def test_a_wrong_token_is_told_in_the_hubs_words(store, hub):
    sealed(store)
    told = Told()
    assert uploader(store, hub, told, token=lambda: "nonsense").upload_all() is Looked.FAILED
    assert "fresh device token" in told.words[0]
