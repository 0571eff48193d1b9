"""Commands and twins in the database, SQLite and PostgreSQL alike."""

import pytest

from hub.store.commands import CommandRecord, CommandState, Finish
from hub.store.store import Store
from hub.store.twins import TwinRecord


@pytest.fixture
def store(database_url):
    one = Store.open(database_url)
    yield one
    one.close()


def command(number: int, device: str = "d-1") -> CommandRecord:
    return CommandRecord(f"id-{number}", device, "ping", "{}", "op", float(number), number + 60.0)


def finish(number: int, state: CommandState = CommandState.DONE) -> Finish:
    return Finish(f"id-{number}", state, "好 '\"; drop table", '{"data": {"字": 1}}', 100.0)


def test_commands_come_back_as_they_were_kept(store):
    store.commands.add([command(number) for number in range(1200)])
    store.commands.finish([finish(number) for number in range(600)])
    assert store.commands.get(["id-700", "id-1300"]) == {"id-700": command(700)}
    done = store.commands.get(f"id-{number}" for number in range(600))
    assert len(done) == 600
    assert {one.state for one in done.values()} == {CommandState.DONE}
    assert done["id-5"].result == '{"data": {"字": 1}}'
    assert [one.id for one in store.commands.waiting()] == [f"id-{number}" for number in range(600, 1200)]


def test_commands_are_found_newest_first(store):
    store.commands.add([command(1), command(2, "d-2"), command(3)])
    store.commands.finish([finish(3, CommandState.INTERRUPTED)])
    find = store.commands.find
    assert [one.id for one in find(None, None, None, 10)] == ["id-3", "id-2", "id-1"]
    assert [one.id for one in find("d-1", None, None, 1)] == ["id-3"]
    assert [one.id for one in find(None, CommandState.INTERRUPTED, None, 10)] == ["id-3"]
    assert [one.id for one in find("d-1", CommandState.SENT, 1.0, 10)] == ["id-1"]
    assert find(None, None, 4.0, 10) == []


def test_only_settled_commands_are_forgotten(store):
    store.commands.add([command(1), command(2), command(3)])
    store.commands.finish([finish(1), finish(3)])
    assert store.commands.forget(2.5) == 1
    assert [one.id for one in store.commands.find(None, None, None, 10)] == ["id-3", "id-2"]


def test_two_commands_under_one_id_are_not_kept(store):
    from sqlalchemy.exc import IntegrityError

    store.commands.add([command(1)])
    with pytest.raises(IntegrityError):
        store.commands.add([command(2), command(1)])
    assert list(store.commands.get(["id-1", "id-2"])) == ["id-1"]


def test_a_twin_is_kept_as_it_is_now(store):
    one, two = TwinRecord("d-1", 1, '{"字": 1}', 5.0), TwinRecord("d-2")
    store.twins.put([two, one])
    assert store.twins.all() == [one, two]
    newer = TwinRecord("d-1", 2, "{}", 6.0, 1, "restored", "话", "{}", 7.0)
    store.twins.put([newer])
    assert store.twins.all() == [newer, two]
