"""What becomes of packages after the lesson, on a real disk; the hub is never in reach here."""

import asyncio

import pytest

from agent.keeping import Keeping
from agent.record.store import FolderStore, PackageRef, manifest_of
from contract.keys import new_device_key, new_hub_key
from tests.agent.record.packets import draft
from tests.agent.report.conftest import identity_of


class Clock:
    heard = False

    def now(self):
        return 0.0

    def heard_now(self):
        return None


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path / "packages")


def keeping(store, current=()):
    return Keeping(
        store,
        identity_of(new_device_key(), new_hub_key().public_key(), 1),
        Clock(),
        quiet=lambda: True,
        current=lambda: current,
        on_uploaded=lambda ref, receipt: None,
        on_trouble=lambda words: None,
        keep_uploaded=False,
    )


def test_drafts_that_nobody_holds_are_sealed_and_the_one_of_a_lesson_that_goes_on_is_not(store):
    draft(store.root, session="s-left-1")
    draft(store.root, session="s-goes-on")
    keeping(store, current={"s-goes-on"}).seal_left_behind()
    left = manifest_of(store, PackageRef("s-left-1", "room-a"))
    assert left.sealed
    assert "the agent was away" in left.result.words[0]
    assert left.result.timeline.speech_seconds is None
    assert not manifest_of(store, PackageRef("s-goes-on", "room-a")).sealed


def test_a_package_that_cannot_be_read_is_left_alone_and_the_others_are_sealed(store, caplog):
    broken = draft(store.root, session="s-broken-1").folder / "manifest.json"
    broken.write_text("{")
    draft(store.root, session="s-left-1")
    one = keeping(store)
    one.seal_left_behind()
    assert [manifest.session for manifest in one.sealed()] == ["s-left-1"]
    assert broken.read_text() == "{"
    assert "s-broken-1/room-a is left alone" in caplog.text


async def test_a_disk_in_trouble_does_not_end_the_keeping(store, monkeypatch):
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def refuse():
        loop.call_soon_threadsafe(asked.set)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(store, "packages", refuse)
    running = asyncio.create_task(keeping(store).run())
    await asyncio.wait_for(asked.wait(), 30)
    await asyncio.sleep(0.1)
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
