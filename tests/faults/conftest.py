import contextlib

import pytest

from tests.faults.network import Network, NetworkUnavailable


@pytest.fixture
def network():
    """Makes networks that end with the test: `network("lead", "far", seed=1)`; skips where there can be none."""
    with contextlib.ExitStack() as open_ones:

        def make(*names, seed=1):
            try:
                return open_ones.enter_context(Network(*names, seed=seed))
            except NetworkUnavailable as words:
                pytest.skip(str(words))

        yield make
