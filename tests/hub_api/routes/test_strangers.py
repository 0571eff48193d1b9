"""A device that this hub's authority certified and its database does not know: a backup was older than it."""

import base64
import time

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from contract.keys import new_device_key, public_pem
from hub.fleet.authority import Authority, make_authority
from hub.fleet.devices import NewDevice
from hub.settings import HubSettings
from tests.hub_api.district import Device, District

DAY_S = 86_400.0


def certificate(hub: District, device: Device, name: str, authority: Authority | None = None, ago_s: float = 0) -> str:
    """What stands in `x5c`."""
    signs = authority or Authority.open(hub.parts.settings)
    made = signs.sign_device(device.key.public_key(), name, time.time() - ago_s).certificate_pem
    return base64.b64encode(x509.load_pem_x509_certificate(made.encode()).public_bytes(Encoding.DER)).decode()


def ask(hub: District, device: Device, x5c: object = None) -> httpx.Response:
    import jwt

    now = int(time.time())
    claims = {"sub": device.id, "iat": now, "exp": now + 120, "aud": "tongtang-hub"}
    token = jwt.encode(claims, device.key, algorithm="ES256", headers=None if x5c is None else {"x5c": x5c})
    return httpx.options(f"{hub.url}/api/v1/uploads/", headers={"Authorization": f"Bearer {token}"})


def forgotten(hub: District) -> list[str]:
    return [one.device for one in hub.parts.alerts.open() if one.kind == "forgotten-device"]


@pytest.mark.parametrize("ago_s", [0, 60 * DAY_S], ids=["certificate holds", "certificate has expired"])
def test_it_is_told_what_happened_and_so_are_operators_until_it_is_enrolled_again(hub: District, ago_s: float):
    device = Device("room-9", "room-9")
    answer = ask(hub, device, [certificate(hub, device, "room-9", ago_s=ago_s)])
    assert answer.status_code == 403
    assert "restored from a backup" in answer.json()["error"]
    assert "--anew" in answer.json()["what_to_do"]
    (alert,) = hub.http().get("/api/v1/alerts").json()
    assert (alert["device"], alert["kind"]) == ("room-9", "forgotten-device")
    assert "tongtang agent enrol CODE --anew" in alert["words"]
    hub.parts.devices.register(NewDevice("room-9", "room-9", "", "x", public_pem(new_device_key())))
    assert forgotten(hub) == []


def test_whoever_cannot_prove_it_is_a_stranger_without_a_word(hub: District, tmp_path):
    make_authority(tmp_path / "other", time.time())
    other = Authority.open(HubSettings(data=tmp_path / "other"))
    device, thief = Device("room-9", "room-9"), Device("room-9", "room-9")
    mine = certificate(hub, device, "room-9")
    unproved = [
        ask(hub, device),
        ask(hub, thief, [mine]),
        ask(hub, device, [certificate(hub, device, "room-8")]),
        ask(hub, device, [certificate(hub, device, "room-9", other)]),
        ask(hub, Device("hub", "hub", device.key), [certificate(hub, device, "hub")]),
        *(ask(hub, device, odd) for odd in ([], "x", ["no base64"], [3], ["AAAA"], {"0": mine})),
    ]
    assert [one.status_code for one in unproved] == [401] * len(unproved)
    assert forgotten(hub) == []


def test_a_device_that_is_known_or_revoked_is_judged_as_ever(hub: District):
    x5c = [certificate(hub, hub.lead, hub.lead.id)]
    assert ask(hub, hub.lead, x5c).status_code == 204
    thief = Device(hub.lead.id, hub.lead.room)
    assert ask(hub, thief, [certificate(hub, thief, thief.id)]).status_code == 401
    hub.parts.devices.revoke(hub.lead.id, "test")
    assert "was revoked" in ask(hub, hub.lead, x5c).json()["error"]
    assert forgotten(hub) == []
