import contextlib

import pytest

from tests.faults.lateness import Lateness
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


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    """What fails over a network in real time while this machine is too busy for it is skipped, and says so."""
    if "network" not in pyfuncitem.fixturenames:
        return (yield)
    with Lateness() as lateness:
        try:
            return (yield)
        except AssertionError as error:
            if not lateness.busy:
                raise
            pytest.skip(f"this machine was too busy to judge ({lateness.share:.0%} of waits late): {error}")
        finally:
            print(f"{lateness.share:.1%} of waits late")
