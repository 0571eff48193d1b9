"""Whom a device believes over TLS, with a clock that is right and with one that is wrong."""

import contextlib
import socket
import ssl
import threading
import time
from pathlib import Path

import pytest

from agent.identity import HubUntrusted, IdentityDamaged
from agent.trust import broker_trust, hub_trust, refusal
from contract.keys import new_device_key, save_private
from tests.agent.authority import DAY_S, SmallAuthority

NOW = time.time()
YEAR_S = 365 * DAY_S


@pytest.fixture
def authority():
    return SmallAuthority(NOW)


@pytest.fixture
def state(tmp_path, authority) -> Path:
    folder = tmp_path / "state"
    key = new_device_key()
    save_private(key, folder / "key.pem")
    own = authority.device(key.public_key(), "d-1", NOW - DAY_S, NOW + 29 * DAY_S)
    (folder / "certificate.pem").write_text(own)
    (folder / "ca.pem").write_text(authority.pem)
    return folder


@contextlib.contextmanager
def door(authority: SmallAuthority, folder: Path, begins: float, ends: float, host: str = "127.0.0.1"):
    """A TLS server that wants a client's certificate; yields its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.server(folder, host, begins, ends))
    context.load_verify_locations(cadata=authority.pem)
    context.verify_mode = ssl.CERT_OPTIONAL
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                guest, _ = listening.accept()
            except OSError:
                return
            with guest, contextlib.suppress(OSError), context.wrap_socket(guest, server_side=True) as shown:
                names = [value for part in (shown.getpeercert() or {}).get("subject", ()) for _, value in part]
                shown.sendall("".join(names).encode() or b"nobody")

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def met(context: ssl.SSLContext, port: int, host: str = "127.0.0.1") -> str:
    """By which name the server knows us."""
    with (
        socket.create_connection(("127.0.0.1", port), 5) as plain,
        context.wrap_socket(plain, server_hostname=host) as shown,
    ):
        return shown.recv(100).decode()


def at(seconds: float):
    return lambda: seconds


def test_the_broker_knows_the_device_by_its_certificate(state, authority, tmp_path):
    with door(authority, tmp_path, NOW - DAY_S, NOW + DAY_S) as port:
        assert met(broker_trust(state), port) == "d-1"


def test_another_authority_or_another_name_is_refused_whatever_the_clock_says(state, authority, tmp_path):
    stranger = SmallAuthority(NOW)
    for wall in (NOW, 0.0, NOW + YEAR_S):
        context = broker_trust(state, wall=at(wall))
        with door(stranger, tmp_path, NOW - DAY_S, NOW + DAY_S) as port, pytest.raises(ssl.SSLCertVerificationError):
            met(context, port)
        with (
            door(authority, tmp_path, NOW - DAY_S, NOW + DAY_S, host="10.9.9.9") as port,
            pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"),
        ):
            met(context, port)


def test_by_a_clock_that_may_be_right_a_certificate_out_of_its_time_is_refused(state, authority, tmp_path):
    for begins, ends in ((NOW + DAY_S, NOW + 2 * DAY_S), (NOW - 2 * DAY_S, NOW - DAY_S)):
        with door(authority, tmp_path, begins, ends) as port, pytest.raises(ssl.SSLCertVerificationError):
            met(broker_trust(state), port)


def test_a_clock_at_1970_does_not_shut_the_device_out(state, authority, tmp_path):
    # What the wall clock makes of a certificate of today at 1970 is what today makes of one of tomorrow.
    with door(authority, tmp_path, NOW + DAY_S, NOW + 90 * DAY_S) as port:
        assert met(broker_trust(state, wall=at(60.0)), port) == "d-1"
        assert met(hub_trust(state / "ca.pem", wall=at(60.0)), port) == "nobody"


def test_a_clock_before_the_devices_own_certificate_is_known_to_be_wrong(state, authority, tmp_path):
    with door(authority, tmp_path, NOW + DAY_S, NOW + 90 * DAY_S) as port:
        assert met(broker_trust(state, wall=at(NOW - 2 * DAY_S)), port) == "d-1"


def test_a_clock_years_ahead_does_not_shut_the_device_out_once_the_hub_was_heard(state, authority, tmp_path):
    # The same with a certificate that has ended by the clock and still holds by the hub's time.
    with door(authority, tmp_path, NOW - 9 * DAY_S, NOW - DAY_S) as port:
        assert met(broker_trust(state, at(NOW - 5 * DAY_S), wall=at(NOW)), port) == "d-1"


def test_a_certificate_that_has_ended_by_the_hubs_time_is_refused_also_at_1970(state, authority, tmp_path):
    with door(authority, tmp_path, NOW - 9 * DAY_S, NOW - DAY_S) as port:
        for hear in (broker_trust(state, at(NOW), wall=at(60.0)), hub_trust(state / "ca.pem", at(NOW), wall=at(60.0))):
            with pytest.raises(ssl.SSLCertVerificationError, match="by the hub's time"):
                met(hear, port)


def test_the_clock_is_judged_anew_at_each_connection(state, authority, tmp_path):
    wall = [60.0]
    context = hub_trust(state / "ca.pem", wall=lambda: wall[0])
    with door(authority, tmp_path, NOW + DAY_S, NOW + 90 * DAY_S) as port:
        assert met(context, port) == "nobody"
        wall[0] = NOW
        with pytest.raises(ssl.SSLCertVerificationError, match="not yet valid"):
            met(context, port)


def test_files_that_are_missing_or_do_not_fit_are_told_with_what_to_do(state):
    (state / "ca.pem").write_text("no certificate")
    with pytest.raises(IdentityDamaged, match="--anew"):
        broker_trust(state)
    (state / "certificate.pem").unlink()
    with pytest.raises(IdentityDamaged, match=r"certificate\.pem.*--anew"):
        broker_trust(state)
    with pytest.raises(HubUntrusted, match="mend ca under"):
        hub_trust(state / "nope.pem")
    with pytest.raises(HubUntrusted, match="it holds no certificate"):
        hub_trust(state / "ca.pem")


@pytest.mark.parametrize(
    "said, words, expired",
    [
        ("[SSL: SSLV3_ALERT_CERTIFICATE_REVOKED] sslv3 alert certificate revoked (_ssl.c:2580)", "revoked", False),
        ("[SSL: SSLV3_ALERT_CERTIFICATE_EXPIRED] sslv3 alert certificate expired (_ssl.c:2580)", "expired", True),
        ("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required", "wants a certificate", False),
    ],
)
def test_what_openssl_says_is_told_in_words(said, words, expired):
    why = refusal(said)
    assert words in why.words
    assert why.expired == expired


def test_what_is_wrong_with_the_others_certificate_is_no_refusal_of_ours():
    assert refusal("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired") is None
    assert refusal("[Errno 111] Connection refused") is None
