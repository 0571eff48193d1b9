"""The real models, for checks that look at them."""

from tests.models.weights import models, pytest_runtest_setup

__all__ = ["models", "pytest_runtest_setup"]
