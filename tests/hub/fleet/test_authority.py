import ssl
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from contract.keys import new_device_key, new_hub_key
from hub.fleet.authority import DAY_S, Authority, make_authority
from hub.fleet.errors import AuthorityUnusable
from hub.settings import CaSettings, HubSettings
from tests.hub.fleet.papers import key_pem, meet
from tests.hub_api.commands.authority import Authority as District


@pytest.fixture
def authority(tmp_path):
    make_authority(tmp_path, time.time())
    return Authority.open(HubSettings(data=tmp_path))


def test_an_authority_is_made_once_with_a_key_that_nobody_else_reads(tmp_path):
    make_authority(tmp_path, time.time())
    before = [(tmp_path / "ca" / name).read_bytes() for name in ("ca.key", "ca.pem")]
    make_authority(tmp_path, time.time())
    assert before == [(tmp_path / "ca" / name).read_bytes() for name in ("ca.key", "ca.pem")]
    assert (tmp_path / "ca" / "ca.key").stat().st_mode & 0o777 == 0o600


def test_one_that_was_interrupted_before_its_certificate_is_made_anew(tmp_path):
    (tmp_path / "ca").mkdir()
    (tmp_path / "ca" / "ca.key").write_text("half")
    make_authority(tmp_path, time.time())
    assert Authority.open(HubSettings(data=tmp_path)).expires > time.time() + 3000 * DAY_S


def test_a_device_and_the_broker_trust_each_other_and_the_broker_knows_the_name(authority, tmp_path):
    keys = new_device_key(), new_device_key()
    server = authority.sign_server(
        keys[0].public_key(), ["127.0.0.1", "hub.district.example", "127.0.0.1"], time.time()
    )
    device = authority.sign_device(keys[1].public_key(), "room-301", time.time())
    pair = (server.certificate_pem, keys[0]), (device.certificate_pem, keys[1])
    for host in ("127.0.0.1", "hub.district.example"):
        assert meet(tmp_path, authority.ca_pem, *pair, host=host) == "room-301"
    with pytest.raises(ssl.SSLError, match="IP address mismatch"):
        meet(tmp_path, authority.ca_pem, *pair, host="127.0.0.2")


def test_a_revoked_certificate_is_refused_and_the_others_are_not(authority, tmp_path):
    server_key = new_device_key()
    server = authority.sign_server(server_key.public_key(), ["127.0.0.1"], time.time()).certificate_pem, server_key
    keys = new_device_key(), new_device_key()
    gone, there = (authority.sign_device(key.public_key(), f"room-{at}", time.time()) for at, key in enumerate(keys))
    crl = authority.crl([gone.serial, gone.serial], time.time())
    with pytest.raises(ssl.SSLError, match="revoked"):
        meet(tmp_path, authority.ca_pem, server, (gone.certificate_pem, keys[0]), crl=crl)
    assert meet(tmp_path, authority.ca_pem, server, (there.certificate_pem, keys[1]), crl=crl) == "room-1"
    empty = authority.crl([], time.time())
    assert meet(tmp_path, authority.ca_pem, server, (gone.certificate_pem, keys[0]), crl=empty) == "room-0"


def test_a_device_without_a_certificate_or_with_another_hubs_is_refused(authority, tmp_path):
    server_key, key = new_device_key(), new_device_key()
    server = authority.sign_server(server_key.public_key(), ["127.0.0.1"], time.time()).certificate_pem, server_key
    with pytest.raises(ssl.SSLError):
        meet(tmp_path, authority.ca_pem, server, None)
    (tmp_path / "other").mkdir()
    make_authority(tmp_path / "other", time.time())
    other = Authority.open(HubSettings(data=tmp_path / "other"))
    strange = other.sign_device(key.public_key(), "room-1", time.time()).certificate_pem
    with pytest.raises(ssl.SSLError):
        meet(tmp_path, authority.ca_pem, server, (strange, key))


def test_a_device_cannot_play_the_broker(authority, tmp_path):
    keys = new_device_key(), new_device_key()
    device = authority.sign_device(keys[0].public_key(), "127.0.0.1", time.time())
    client = authority.sign_device(keys[1].public_key(), "room-1", time.time())
    with pytest.raises(ssl.SSLError, match=r"certificate purpose|unsuitable"):
        meet(tmp_path, authority.ca_pem, (device.certificate_pem, keys[0]), (client.certificate_pem, keys[1]))


def test_certificates_live_as_long_as_they_should_and_never_longer_than_the_authority(authority):
    now = time.time()
    key = new_device_key().public_key()
    issued = authority.sign_device(key, "room-1", now)
    read = x509.load_pem_x509_certificate(issued.certificate_pem.encode())
    assert issued.expires == pytest.approx(now + 30 * DAY_S, abs=2)
    assert read.not_valid_before_utc.timestamp() == pytest.approx(now - 600, abs=2)
    assert format(read.serial_number, "x") == issued.serial
    usage = read.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    late = authority.expires - DAY_S
    assert authority.sign_device(key, "room-1", late).expires == authority.expires
    with pytest.raises(AuthorityUnusable, match="has expired"):
        authority.sign_device(key, "room-1", authority.expires + 1)


def test_a_revocation_list_is_good_for_years(authority):
    crl = x509.load_pem_x509_crl(authority.crl(["ff"], time.time()))
    assert crl.next_update_utc.timestamp() > time.time() + 3600 * DAY_S
    assert crl.get_revoked_certificate_by_serial_number(255) is not None


def external(folder, *, chain="whole"):
    """An intermediate authority of a district's own root, as `[ca]` names it."""
    folder.mkdir()
    root = District(folder, "root")
    key = new_device_key()
    unsigned = root._signed(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "branch")]), key, 900)
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    made = unsigned.add_extension(x509.BasicConstraints(True, 0), True).add_extension(usage, True)
    branch = made.sign(root.key, root_hash()).public_bytes(serialization.Encoding.PEM)
    (folder / "ca.pem").write_bytes(branch + (root.file.read_bytes() if chain == "whole" else b""))
    (folder / "ca.key").write_text(key_pem(key))
    return CaSettings(certificate=folder / "ca.pem", key=folder / "ca.key")


def root_hash():
    from cryptography.hazmat.primitives import hashes

    return hashes.SHA256()


def test_an_intermediate_authority_of_the_district_signs_instead(tmp_path):
    authority = Authority.open(HubSettings(data=tmp_path, ca=external(tmp_path / "own")))
    keys = new_device_key(), new_device_key()
    server = authority.sign_server(keys[0].public_key(), ["127.0.0.1"], time.time())
    device = authority.sign_device(keys[1].public_key(), "room-301", time.time())
    pair = (server.certificate_pem, keys[0]), (device.certificate_pem, keys[1])
    assert meet(tmp_path, authority.ca_pem, *pair, crl=authority.crl([], time.time())) == "room-301"
    with pytest.raises(ssl.SSLError, match="revoked"):
        meet(tmp_path, authority.ca_pem, *pair, crl=authority.crl([device.serial], time.time()))
    assert not (tmp_path / "ca").exists()


@pytest.mark.parametrize(
    "spoil, words",
    [
        (lambda at: (at / "ca.pem").unlink(), "cannot be read"),
        (lambda at: (at / "ca.pem").write_text("nonsense"), "holds no certificate"),
        (lambda at: (at / "ca.key").write_text("nonsense"), "no usable key"),
        (lambda at: (at / "ca.key").write_text(key_pem(new_hub_key())), "neither of an elliptic curve nor RSA"),
        (lambda at: (at / "ca.key").write_text(key_pem(new_device_key())), "is not the key of"),
    ],
)
def test_what_cannot_sign_is_refused_in_words(tmp_path, spoil, words):
    make_authority(tmp_path, time.time())
    spoil(tmp_path / "ca")
    with pytest.raises(AuthorityUnusable, match=words):
        Authority.open(HubSettings(data=tmp_path))


def test_a_chain_without_its_root_is_refused_in_words(tmp_path):
    settings = HubSettings(data=tmp_path, ca=external(tmp_path / "own", chain="half"))
    with pytest.raises(AuthorityUnusable, match="up to the root"):
        Authority.open(settings)


def test_a_certificate_that_is_no_authority_is_refused_in_words(tmp_path):
    district = District(tmp_path)
    certificate, key = district.certificate("hub.district.example")
    settings = HubSettings(data=tmp_path, ca=CaSettings(certificate=certificate, key=key))
    with pytest.raises(AuthorityUnusable, match="may not sign"):
        Authority.open(settings)
