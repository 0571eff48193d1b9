"""A hub's certificate authority: made with the hub, kept, and missed where it is gone."""

import time

import pytest

from contract.keys import new_device_key, public_pem
from hub.checks import authority as check
from hub.checks.line import Verdict
from hub.fleet.authority import DAY_S, Authority, make_authority
from hub.fleet.errors import AuthorityUnusable
from hub.founding import hub_authority, init
from hub.settings import CaSettings, HubSettings
from hub.store.certificates import CertificateRecord
from hub.store.devices import DeviceRecord
from hub.store.store import Store
from tests.hub_api.commands.authority import Authority as District


@pytest.fixture
def settings(tmp_path):
    init(tmp_path / "data")
    return HubSettings(data=tmp_path / "data")


def at_start(settings):
    store = Store.open(settings.database_url)
    try:
        return hub_authority(settings, store).ca_pem
    finally:
        store.close()


def test_a_new_hub_has_an_authority_and_keeps_it(settings):
    made = Authority.open(settings).ca_pem
    init(settings.data)
    assert at_start(settings) == made
    assert check.look(settings).verdict is Verdict.OK


def test_two_hubs_have_authorities_of_different_names(settings, tmp_path):
    init(tmp_path / "other")
    both = [
        (Authority.open(HubSettings(data=data))._chain[0].subject.rfc4514_string())
        for data in (settings.data, tmp_path / "other")
    ]
    assert len(set(both)) == 2


def test_a_hub_of_an_earlier_version_gets_one_at_its_next_start(settings):
    for file in ("ca.key", "ca.pem"):
        (settings.data / "ca" / file).unlink()
    assert check.look(settings).verdict is Verdict.WARN
    made = at_start(settings)
    assert at_start(settings) == made
    assert check.look(settings).verdict is Verdict.OK


def test_an_authority_that_was_lost_is_not_replaced_in_silence(settings):
    store = Store.open(settings.database_url)
    store.devices.add(DeviceRecord("room-1", "room-1", "", "x", public_pem(new_device_key()), 1.0))
    store.certificates.add(CertificateRecord("ab12", "room-1", 1.0, 2.0))
    store.close()
    for file in ("ca.key", "ca.pem"):
        (settings.data / "ca" / file).unlink()
    with pytest.raises(AuthorityUnusable, match="restore the folder from a backup"):
        at_start(settings)
    assert not (settings.data / "ca" / "ca.pem").exists()


def test_an_authority_of_the_district_is_used_and_none_is_made(tmp_path):
    district = District(tmp_path, "district")
    key = tmp_path / "district.key"
    from tests.hub.fleet.papers import key_pem

    key.write_text(key_pem(district.key))
    ca = CaSettings(certificate=district.file, key=key)
    init(tmp_path / "data", ca=ca)
    settings = HubSettings(data=tmp_path / "data", ca=ca)
    assert at_start(settings) == district.file.read_text()
    assert not (tmp_path / "data" / "ca").exists()
    assert str(district.file) in check.look(settings).words


def test_a_hub_is_not_made_with_an_authority_that_cannot_sign(tmp_path):
    ca = CaSettings(certificate=tmp_path / "none.pem", key=tmp_path / "none.key")
    with pytest.raises(AuthorityUnusable, match=r"none\.pem cannot be read.*mend certificate and key under"):
        init(tmp_path / "data", ca=ca)
    init(tmp_path / "data")


@pytest.mark.parametrize(("age_days", "verdict"), [(3000, "ok"), (3400, "warn"), (3700, "bad")])
def test_an_authority_that_grows_old_is_told_in_good_time(tmp_path, age_days, verdict):
    make_authority(tmp_path, time.time() - age_days * DAY_S)
    assert check.look(HubSettings(data=tmp_path)).verdict == verdict


def test_half_an_authority_is_told(settings):
    (settings.data / "ca" / "ca.key").unlink()
    line = check.look(settings)
    assert line.verdict is Verdict.BAD
    assert "restore it from a backup" in line.words
