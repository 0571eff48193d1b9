"""Calendar tokens: found by what was handed out, kept as a hash, ended for good."""

import pytest
from sqlalchemy import select

from hub.schedule.calendars.occurrences import Kind
from hub.store.calendar_tokens import CalendarToken, TokenUnknown, calendar_token_hash, new_calendar_token
from hub.store.store import Store
from hub.store.tables import CALENDAR_TOKEN


@pytest.fixture
def store(database_url):
    store = Store.open(database_url)
    yield store
    store.close()


def given(store, kind=Kind.ROOM, who="r1", made=5.0):
    token = new_calendar_token()
    store.calendar_tokens.add(CalendarToken(calendar_token_hash(token), kind, who, "王老师的手机", "operator", made))
    return token


def test_a_token_opens_what_it_was_made_for_and_is_kept_nowhere(store):
    token, other = given(store), given(store, Kind.SCHOOL, "s1", 6.0)
    found = store.calendar_tokens.of(token)
    assert (found.kind, found.who, found.words, found.revoked, found.read) == (
        Kind.ROOM,
        "r1",
        "王老师的手机",
        None,
        None,
    )
    assert store.calendar_tokens.of(other).kind is Kind.SCHOOL
    assert store.calendar_tokens.of(token[:-1]) is None
    assert [one.who for one in store.calendar_tokens.all()] == ["s1", "r1"]
    with store.database.read() as connection:
        assert token not in str(connection.execute(select(CALENDAR_TOKEN)).all())
    assert len(token) > 43, "256 bits"


def test_a_token_is_ended_by_its_id_and_stays_in_the_list(store):
    token = given(store)
    name = store.calendar_tokens.of(token).id
    assert store.calendar_tokens.revoke(name, 9.0).revoked == 9.0
    assert store.calendar_tokens.revoke(name, 12.0).revoked == 9.0
    assert store.calendar_tokens.of(token).revoked == 9.0


@pytest.mark.parametrize("name", ["", "0" * 16, "%", "_" * 16])
def test_no_token_is_ended_by_a_name_that_is_none(store, name):
    token = given(store)
    with pytest.raises(TokenUnknown):
        store.calendar_tokens.revoke(name, 9.0)
    assert store.calendar_tokens.of(token).revoked is None


def test_reading_is_noted_and_not_with_every_poll(store):
    token = given(store)
    for now, noted in ((10.0, 10.0), (40.0, 10.0), (80.0, 80.0)):
        store.calendar_tokens.note_read(store.calendar_tokens.of(token), now)
        assert store.calendar_tokens.of(token).read == noted
