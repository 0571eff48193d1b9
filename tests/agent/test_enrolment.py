"""How a machine becomes a device with a claim code, as a person at the machine sees it."""

import json
import os
import stat
import sys

import pytest

from agent import identity as identity_module
from agent.certificate import load_certificate
from agent.enrolment import enrol, read_typed
from agent.identity import (
    EnrolledElsewhere,
    EnrolmentRefused,
    HubUnreachable,
    HubUntrusted,
    NotEnrolled,
    load_identity,
)
from contract.keys import load_public, new_device_key, new_hub_key, public_pem
from tests.agent.authority import SmallAuthority
from tests.agent.enrolling_hub import CODE, EnrollingHub


@pytest.fixture
def hub():
    one = EnrollingHub()
    yield one
    one.close()


def files(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name != "machine.json"}


def never(_seconds: float) -> None:
    raise AssertionError("there is nothing to wait for")


def test_a_code_makes_this_machine_the_device_that_the_hub_says(hub, tmp_path):
    made = enrol(tmp_path, hub.url + "/", read_typed(CODE), pause=never)
    again = load_identity(tmp_path)
    assert (again.device, again.room, again.name, again.school) == ("shiqiao-3", "shiqiao-3", "三年级二班", "石桥小学")
    assert (again.mqtt_host, again.mqtt_port, again.mqtt_tls) == ("127.0.0.1", 18830, True)
    assert again.hub_key == hub.key.public_key()
    assert load_certificate(tmp_path).device == "shiqiao-3"
    assert (tmp_path / "ca.pem").read_text() == hub.authority.pem
    assert again.key.public_key() == made.key.public_key()


def test_the_key_never_leaves_the_machine_and_only_its_owner_reads_it(hub, tmp_path):
    enrol(tmp_path, hub.url, read_typed(CODE))
    assert "PRIVATE" not in json.dumps(hub.asked)
    assert len(hub.asked[0]["machine"]) == 16
    if sys.platform != "win32":
        assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize("typed", ["7k2m qx9d 4htv", "7K2MQX9D4HTV", " 7k2m-QX9D-4htv\n"])
def test_a_code_may_be_typed_as_people_type(hub, tmp_path, typed):
    enrol(tmp_path, hub.url, read_typed(typed))
    assert hub.asked[0]["code"] == CODE


def test_what_is_neither_code_nor_token_is_told_what_a_code_looks_like():
    for typed in ("7K2M-QX9D-4HT", "7K2M-QX9D-4HT0", "石桥小学", "tongtang:enrol?hub=x"):
        with pytest.raises(EnrolmentRefused):
            read_typed(typed)
    assert read_typed("tt-Xx_token-of-an-operator") is None


def test_a_scanned_code_knows_the_hub_and_its_key(hub, tmp_path):
    code = read_typed(hub.ticket)
    assert (code.code, code.hub_url) == (CODE, hub.url)
    assert enrol(tmp_path, code.hub_url, code).device == "shiqiao-3"


def test_another_hub_that_answers_to_a_scanned_code_is_not_believed(hub, tmp_path):
    code = read_typed(hub.ticket)
    hub.key = new_hub_key()
    with pytest.raises(HubUntrusted, match="not the hub that printed this QR code"):
        enrol(tmp_path, code.hub_url, code)
    with pytest.raises(NotEnrolled):
        load_identity(tmp_path)


def test_while_an_operator_must_confirm_it_waits_and_says_so_once(hub, tmp_path):
    hub.confirmed = False
    said: list[str] = []
    waits: list[float] = []

    def pause(seconds: float) -> None:
        waits.append(seconds)
        hub.confirmed = len(waits) == 3

    made = enrol(tmp_path, hub.url, read_typed(CODE), say=said.append, pause=pause)
    assert made.device == "shiqiao-3"
    assert waits == [5.0] * 3
    assert len(said) == 1
    assert "an operator must confirm" in said[0]
    assert len({one["csr"][:60] for one in hub.asked}) == 1


def test_stopped_while_it_waits_it_goes_on_with_the_same_key(hub, tmp_path):
    hub.confirmed = False

    def stop(_seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        enrol(tmp_path, hub.url, read_typed(CODE), pause=stop)
    with pytest.raises(NotEnrolled):
        load_identity(tmp_path)
    key = (tmp_path / "key.pem").read_bytes()
    hub.confirmed = True
    enrol(tmp_path, hub.url, read_typed(CODE))
    assert (tmp_path / "key.pem").read_bytes() == key


def test_a_hub_that_goes_away_while_it_waits_is_waited_for(hub, tmp_path):
    hub.confirmed = False
    steps = iter(["gone", "broken", "confirmed"])

    def pause(_seconds: float) -> None:
        step = next(steps)
        hub.down = step == "gone"
        hub.refusal = (503, {"error": "the hub is starting"}) if step == "broken" else None
        hub.confirmed = step == "confirmed"

    said: list[str] = []
    assert enrol(tmp_path, hub.url, read_typed(CODE), say=said.append, pause=pause).device == "shiqiao-3"
    assert any("waiting for it" in words for words in said)


def test_too_many_wrong_codes_are_waited_for_as_long_as_the_hub_says(hub, tmp_path):
    hub.refusal = (429, {"error": "too many wrong claim codes were tried; try again in 17 s"})
    said: list[str] = []
    waits: list[float] = []

    def pause(seconds: float) -> None:
        waits.append(seconds)
        hub.refusal = None

    enrol(tmp_path, hub.url, read_typed(CODE), say=said.append, pause=pause)
    assert waits == [17.0]
    assert "too many wrong claim codes" in said[0]


def test_the_hubs_no_is_told_in_its_own_words(hub, tmp_path):
    hub.refusal = (410, {"error": "another machine has used this claim code", "what_to_do": "ask for a new code"})
    with pytest.raises(EnrolmentRefused, match="another machine has used this claim code; ask for a new code"):
        enrol(tmp_path, hub.url, read_typed(CODE), pause=never)


def another_key(answer: dict, hub: EnrollingHub) -> dict:
    return answer | {"certificate": hub.certificate(new_device_key().public_key(), "shiqiao-3")}


def another_name(answer: dict, _hub: EnrollingHub) -> dict:
    return answer | {"device": "somebody-else"}


def another_authority(answer: dict, _hub: EnrollingHub) -> dict:
    return answer | {"ca": SmallAuthority(0.0).pem}


def no_certificate(answer: dict, _hub: EnrollingHub) -> dict:
    return answer | {"certificate": "none"}


@pytest.mark.parametrize("change", [another_key, another_name, another_authority, no_certificate])
def test_a_certificate_that_does_not_fit_is_not_kept(hub, tmp_path, change):
    hub.change_answer = lambda answer: change(answer, hub)
    with pytest.raises(EnrolmentRefused, match="certificate"):
        enrol(tmp_path, hub.url, read_typed(CODE))
    assert set(files(tmp_path)) == {"key.pem"}


def test_a_hub_without_tls_needs_no_certificate(hub, tmp_path):
    hub.tls = False
    hub.change_answer = lambda answer: answer | {"certificate": "", "ca": ""}
    assert not enrol(tmp_path, hub.url, read_typed(CODE)).mqtt_tls
    assert set(files(tmp_path)) == {"key.pem", "identity.json"}


def test_the_same_code_again_changes_nothing_and_asks_nobody(hub, tmp_path):
    enrol(tmp_path, hub.url, read_typed(CODE))
    before = files(tmp_path)
    assert enrol(tmp_path, hub.url, read_typed(CODE.lower())).device == "shiqiao-3"
    assert files(tmp_path) == before
    assert len(hub.asked) == 1


def test_a_device_becomes_another_one_only_when_asked_to_and_then_with_a_new_key(hub, tmp_path):
    enrol(tmp_path, hub.url, read_typed(CODE))
    before = files(tmp_path)
    with pytest.raises(EnrolledElsewhere, match="--anew"):
        enrol(tmp_path, hub.url, read_typed("2222-3333-4444"))
    assert files(tmp_path) == before
    hub.device = "shiqiao-3-2"
    made = enrol(tmp_path, hub.url, read_typed("2222-3333-4444"), anew=True)
    assert (made.device, load_certificate(tmp_path).device) == ("shiqiao-3-2", "shiqiao-3-2")
    after = files(tmp_path)
    assert set(after) == set(before)
    assert after["key.pem"] != before["key.pem"]


def test_becoming_another_device_leaves_the_old_one_whole_until_the_hub_has_said_yes(hub, tmp_path):
    enrol(tmp_path, hub.url, read_typed(CODE))
    before = files(tmp_path)
    hub.refusal = (410, {"error": "this claim code has expired"})
    with pytest.raises(EnrolmentRefused):
        enrol(tmp_path, hub.url, read_typed("2222-3333-4444"), anew=True)
    assert load_identity(tmp_path).device == "shiqiao-3"
    assert {name: data for name, data in files(tmp_path).items() if name in before} == before


class Killed(BaseException):
    """Nothing more of this process happens."""


def test_a_kill_at_any_moment_leaves_the_old_device_or_the_new_one_never_half(hub, tmp_path, monkeypatch):
    """Each write is atomic (`replace_file`); here the process ends before the first, the second ... of them."""
    steps = 0
    while True:
        state = tmp_path / f"state-{steps}"
        hub.device = "shiqiao-3"
        old = enrol(state, hub.url, read_typed(CODE))
        hub.device = "shiqiao-3-2"
        left = steps
        real = identity_module.replace_file

        def counted(path, data, real=real):
            nonlocal left
            if left == 0:
                raise Killed
            left -= 1
            real(path, data)

        with monkeypatch.context() as patched:
            patched.setattr(identity_module, "replace_file", counted)
            try:
                enrol(state, hub.url, read_typed("2222-3333-4444"), anew=True)
                whole = True
            except Killed:
                whole = False
        now = load_identity(state)
        assert load_certificate(state).device == now.device
        key = now.key.public_key()
        assert (key == old.key.public_key()) == (now.device == "shiqiao-3")
        certificate = (state / "certificate.pem").read_bytes()
        assert load_public(public_pem(key)) == identity_key(certificate)
        assert not (state / "change.json").exists()
        if whole:
            break
        steps += 1
    assert steps == 4


def identity_key(certificate: bytes):
    from cryptography import x509

    return x509.load_pem_x509_certificate(certificate).public_key()


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="needs root, who may write anywhere")
def test_what_root_enrols_belongs_to_the_account_of_the_service(hub, tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, 65534, 65534)
    enrol(state, hub.url, read_typed(CODE))
    assert {path.stat().st_uid for path in state.iterdir()} == {65534}
    assert {"key.pem", "identity.json", "certificate.pem", "machine.json"} <= {path.name for path in state.iterdir()}


def test_a_hub_that_is_not_there_is_told_with_its_address(tmp_path):
    with pytest.raises(HubUnreachable, match=r"http://127\.0\.0\.1:1 "):
        enrol(tmp_path, "http://127.0.0.1:1", read_typed(CODE), pause=never, timeout_s=2)
    with pytest.raises(NotEnrolled, match="tongtang agent enrol"):
        load_identity(tmp_path)
