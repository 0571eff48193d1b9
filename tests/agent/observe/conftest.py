from tests.models.weights import models, pytest_runtest_setup

__all__ = ["models", "pytest_runtest_setup"]
