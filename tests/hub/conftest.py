import pytest

from tests.hub.postgres import Cluster, why_not
from tests.hub.tables import with_tables

POSTGRES = pytest.mark.skipif(bool(why_not()), reason=why_not() or "-")


@pytest.fixture(scope="session")
def cluster():
    """A private PostgreSQL server."""
    if why_not():
        pytest.skip(why_not())
    cluster = Cluster()
    yield cluster
    cluster.close()


@pytest.fixture
def postgres_url(cluster):
    """A database of its own, with the hub's tables."""
    name = cluster.fresh()
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=POSTGRES)])
def database_url(request, tmp_path):
    """Each kind of database in turn: what the hub keeps must not hang on which one it is."""
    if request.param == "sqlite":
        return with_tables(tmp_path / "hub.db")
    return request.getfixturevalue("postgres_url")
