"""What the database cannot do, as whoever asked over HTTP sees it."""

from contextlib import ExitStack

import httpx
import pytest
from fastapi import FastAPI

from hub.api.problems import add_handlers
from hub.store.store import Store


@pytest.fixture
def http(postgres_url):
    store = Store.open(postgres_url)
    yield answering(store)
    store.close()


def answering(store):
    """One route that keeps what it is given."""
    app = FastAPI()
    add_handlers(app)

    @app.post("/")
    def keep(text: str) -> None:
        store.facts.put("text", text)

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://hub")


async def test_text_that_postgresql_cannot_keep_is_refused_in_words(http):
    assert (await http.post("/", params={"text": "七"})).status_code == 200
    answer = await http.post("/", params={"text": "a\x00b"})
    assert answer.status_code == 422
    assert "cannot be kept" in answer.json()["error"]


async def test_a_database_with_no_connection_free_is_told_in_words(tmp_path):
    store = Store.open(f"sqlite:///{tmp_path}/hub.db")
    engine = store.database.engine
    with ExitStack() as everybody:
        for _ in range(engine.pool.size() + engine.pool._max_overflow):
            everybody.enter_context(engine.connect())
        engine.pool._timeout = 0.05
        async with answering(store) as http:
            answer = await http.post("/", params={"text": "七"})
    store.close()
    assert answer.status_code == 503
    assert "try again" in answer.json()["what_to_do"]


async def test_a_database_that_is_away_is_told_in_words_and_serves_again(http, cluster):
    cluster.stop()
    try:
        answer = await http.post("/", params={"text": "七"})
    finally:
        cluster.start()
    assert answer.status_code == 503
    assert "try again" in answer.json()["what_to_do"]
    assert (await http.post("/", params={"text": "七"})).status_code == 200
