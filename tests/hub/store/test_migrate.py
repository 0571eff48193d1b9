from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from hub.store.engine import Database, open_engine
from hub.store.errors import StoreUnusable
from hub.store.migrate import head, upgrade, version
from hub.store.store import Store
from hub.store.tables import METADATA
from tests.hub.broker.speaker import eventually
from tests.hub.conftest import POSTGRES


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=POSTGRES)])
def empty_url(request, tmp_path):
    """A database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/hub.db"
        return
    cluster = request.getfixturevalue("cluster")
    name = cluster.fresh(empty=True)
    yield cluster.url(name)
    cluster.drop(name)


def test_the_migrations_make_exactly_the_tables_the_code_speaks_of(empty_url):
    engine = open_engine(empty_url)
    upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
        assert version(connection) == head()
    engine.dispose()


def test_upgrading_twice_changes_nothing_and_works_from_any_folder(empty_url, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = Store.open(empty_url)
    first.facts.put("kept", "yes")
    first.close()
    second = Store.open(empty_url)
    assert second.facts.get("kept") == "yes"
    second.close()


def test_hubs_that_start_at_once_on_an_empty_database_make_its_tables_once(cluster):
    name = cluster.fresh(empty=True)
    with ThreadPoolExecutor(3) as pool:
        opened = list(pool.map(Store.open, [cluster.url(name)] * 3))
    for store in opened:
        assert store.facts.get("kept") is None
        store.close()
    cluster.drop(name)


def test_a_database_of_a_newer_hub_is_refused_in_words(empty_url):
    engine = open_engine(empty_url)
    upgrade(engine)
    with Database(engine).write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreUnusable, match="newer hub"):
        upgrade(engine)
    engine.dispose()


def test_a_file_that_is_no_database_is_refused_in_words(tmp_path):
    (tmp_path / "hub.db").write_bytes(b"this is not a database at all" * 100)
    with pytest.raises(StoreUnusable, match="cannot be opened"):
        Store.open(f"sqlite:///{tmp_path}/hub.db")


@pytest.mark.parametrize("url", ["nonsense", "oracle9://x/y", "mysql://x/y", "postgresql+nodriver://x/y"])
def test_a_wrong_database_url_is_refused_in_words(url):
    with pytest.raises(StoreUnusable, match="cannot be used"):
        Store.open(url)


def test_sqlite_syncs_every_commit_because_watermarks_promise_it(tmp_path):
    store = Store.open(f"sqlite:///{tmp_path}/hub.db")
    with store.database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    store.close()


def test_postgresql_syncs_every_commit_whatever_the_server_is_set_to(cluster, postgres_url):
    cluster.sql("ALTER SYSTEM SET synchronous_commit = off")
    cluster.sql("SELECT pg_reload_conf()")
    try:
        with psycopg.connect(f"host={cluster.folder} user=postgres dbname=postgres", autocommit=True) as other:
            eventually(lambda: other.execute("SHOW synchronous_commit").fetchone() == ("off",))
        store = Store.open(postgres_url)
        with store.database.write() as connection:
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
        store.close()
    finally:
        cluster.sql("ALTER SYSTEM RESET synchronous_commit")
        cluster.sql("SELECT pg_reload_conf()")


def test_a_postgresql_that_is_not_there_is_told_in_words(tmp_path):
    with pytest.raises(StoreUnusable, match="cannot be opened"):
        Store.open(f"postgresql+psycopg://hub@/tongtang?host={tmp_path}")


def test_a_failed_write_leaves_nothing_behind(database_url):
    store = Store.open(database_url)
    with pytest.raises(RuntimeError), store.database.write() as connection:
        connection.execute(text("INSERT INTO meta VALUES ('half', 'done')"))
        raise RuntimeError
    assert store.facts.get("half") is None
    store.close()
