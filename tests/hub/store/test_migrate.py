import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from hub.store.engine import Database, open_engine
from hub.store.errors import StoreUnusable
from hub.store.migrate import head, upgrade, version
from hub.store.store import Store
from hub.store.tables import METADATA


def test_the_migrations_make_exactly_the_tables_the_code_speaks_of(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path}/hub.db")
    upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
        assert version(connection) == head()


def test_upgrading_twice_changes_nothing_and_works_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path}/hub.db"
    first = Store.open(url)
    first.facts.put("kept", "yes")
    first.close()
    second = Store.open(url)
    assert second.facts.get("kept") == "yes"
    second.close()


def test_a_database_of_a_newer_hub_is_refused_in_words(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path}/hub.db")
    upgrade(engine)
    with Database(engine).write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreUnusable, match="newer hub"):
        upgrade(engine)


def test_a_file_that_is_no_database_is_refused_in_words(tmp_path):
    (tmp_path / "hub.db").write_bytes(b"this is not a database at all" * 100)
    with pytest.raises(StoreUnusable, match="cannot be opened"):
        Store.open(f"sqlite:///{tmp_path}/hub.db")


@pytest.mark.parametrize("url", ["nonsense", "oracle9://x/y", "postgresql+nodriver://x/y"])
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


def test_a_failed_write_leaves_nothing_behind(tmp_path):
    store = Store.open(f"sqlite:///{tmp_path}/hub.db")
    with pytest.raises(RuntimeError), store.database.write() as connection:
        connection.execute(text("INSERT INTO meta VALUES ('half', 'done')"))
        raise RuntimeError
    assert store.facts.get("half") is None
    store.close()


def test_every_table_can_be_made_in_postgresql():
    """Compiled, not run: no PostgreSQL driver is among the dependencies."""
    for table in METADATA.sorted_tables:
        made = str(CreateTable(table).compile(dialect=postgresql.dialect()))
        assert made.strip().startswith("CREATE TABLE")
    assert "BIGSERIAL" in str(CreateTable(METADATA.tables["event"]).compile(dialect=postgresql.dialect()))
