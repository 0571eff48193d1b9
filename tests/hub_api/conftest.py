from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub_api.district import District, district


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[District]:
    """A hub that answers, with two registered rooms."""
    (tmp_path / "hub").mkdir()
    with district(tmp_path / "hub") as made:
        made.register()
        yield made


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    """The same, one for all tests of a module that ask for what is refused, and so leave it as it is."""
    with district(tmp_path_factory.mktemp("hub")) as made:
        made.register()
        yield made
