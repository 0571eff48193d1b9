import time

import jwt
import pytest

from agent.identity import IdentityDamaged, NotEnrolled, device_token, load_identity
from agent.registration import register
from tests.agent.enrolling_hub import EnrollingHub


@pytest.fixture
def hub():
    one = EnrollingHub()
    yield one
    one.close()


def test_a_machine_that_belongs_to_no_hub_is_told_how_to_enrol(tmp_path):
    with pytest.raises(NotEnrolled, match="tongtang agent enrol"):
        load_identity(tmp_path)


def test_damaged_files_are_named_with_what_to_do(hub, tmp_path):
    register(tmp_path, hub.url, "tt-operator", "d-1", "lead")
    (tmp_path / "key.pem").write_text("torn")
    with pytest.raises(IdentityDamaged, match="enrol again"):
        load_identity(tmp_path)
    (tmp_path / "identity.json").write_text("{")
    with pytest.raises(IdentityDamaged, match=r"identity\.json"):
        load_identity(tmp_path)
    (tmp_path / "change.json").write_text("{")
    with pytest.raises(IdentityDamaged, match=r"change\.json"):
        load_identity(tmp_path)


def test_the_token_is_one_that_the_hub_can_check(hub, tmp_path):
    me = register(tmp_path, hub.url, "tt-operator", "d-1", "lead")
    token = device_token(me, time.time())
    claims = jwt.decode(token, me.key.public_key(), algorithms=["ES256"], audience="tongtang-hub")
    assert claims["sub"] == "d-1"
    assert claims["exp"] - claims["iat"] <= 300
