from pathlib import Path

import pytest

from tests.models.weights import installed_models


@pytest.fixture(scope="session")
def models() -> Path:
    return installed_models()
