from sqlalchemy import text

from hub.checks.database import look
from hub.checks.line import Verdict
from hub.settings import HubSettings
from hub.store.engine import Database, open_engine
from hub.store.store import Store


def seen(tmp_path, database=""):
    return look(HubSettings(data=tmp_path, database=database))


def test_a_database_of_this_version_is_fine_and_its_password_is_not_told(tmp_path, database_url):
    Store.open(database_url).close()
    line = seen(tmp_path, database_url.replace("://postgres@", "://postgres:secret@"))
    assert line.verdict is (Verdict.OK if database_url.startswith("sqlite") else Verdict.WARN)
    assert "secret" not in str(line)


def test_a_database_of_a_newer_hub_is_bad(tmp_path, database_url):
    Store.open(database_url).close()
    database = Database(open_engine(database_url))
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    line = seen(tmp_path, database_url)
    assert line.verdict is Verdict.BAD
    assert "newer hub" in line.words


def test_a_database_that_is_not_there_is_bad(tmp_path):
    assert seen(tmp_path).verdict is Verdict.BAD
    line = seen(tmp_path, f"postgresql+psycopg://hub@/tongtang?host={tmp_path}")
    assert line.verdict is Verdict.BAD
    assert "start its server" in line.todo


def test_a_server_that_may_forget_what_it_committed_is_warned_of(tmp_path, postgres_url):
    """The tests' own server runs with fsync off."""
    line = seen(tmp_path, postgres_url)
    assert line.verdict is Verdict.WARN
    assert "power cut" in line.words


def test_an_account_that_may_not_make_tables_is_bad(tmp_path, cluster):
    name = cluster.fresh(empty=True)
    cluster.sql(f"CREATE ROLE guest_{name} LOGIN")
    line = seen(tmp_path, cluster.url(name).replace("//postgres@", f"//guest_{name}@"))
    cluster.drop(name)
    assert line.verdict is Verdict.BAD
    assert "may not make tables" in line.words


def test_a_database_that_does_not_hold_every_language_is_bad(tmp_path, cluster):
    cluster.sql("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    line = seen(tmp_path, cluster.url("latin"))
    cluster.drop("latin")
    assert line.verdict is Verdict.BAD
    assert "UTF8" in line.todo
