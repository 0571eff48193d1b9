import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from contract.keys import new_device_key
from hub.fleet.errors import RequestUnfit
from hub.fleet.requests import requested_key
from tests.hub.fleet.papers import request


def test_the_key_of_a_request_is_read_and_nothing_else():
    key = new_device_key()
    assert requested_key(request(key, "hub")) == key.public_key()


def forged():
    """A request in which the key was exchanged after signing."""
    pem, key = request(new_device_key()), new_device_key()
    from base64 import b64decode, b64encode

    der = b64decode("".join(pem.splitlines()[1:-1]))
    old = requested_key(pem).public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    new = key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    body = b64encode(der.replace(old, new)).decode()
    return f"-----BEGIN CERTIFICATE REQUEST-----\n{body}\n-----END CERTIFICATE REQUEST-----\n"


@pytest.mark.parametrize(
    "csr, words",
    [
        ("", "no certificate request"),
        ("测试", "no certificate request"),
        (request(new_device_key())[:200], "no certificate request"),
        (request(new_device_key()) + "x" * 4096, "are enough"),
        (request(rsa.generate_private_key(65537, 2048)), "not P-256"),
        (request(ec.generate_private_key(ec.SECP384R1())), "not P-256"),
        (forged(), "not signed by the key"),
    ],
)
def test_an_unfit_request_is_refused_in_words(csr, words):
    with pytest.raises(RequestUnfit, match=words) as refused:
        requested_key(csr)
    assert "P-256" in refused.value.what_to_do
