"""What `agent check` says of the certificate, and of the broker that is to take it."""

import time

import pytest

from agent.checks import Verdict, broker, certificate, trust
from agent.identity import Identity
from agent.settings import AgentSettings
from contract.keys import new_device_key, new_hub_key, save_private
from tests.agent.authority import DAY_S, SmallAuthority
from tests.agent.report.brokers import MOSQUITTO, TlsMosquitto, broker_of, free_port


class Machine:
    """An enrolled machine whose certificate can be of any time."""

    def __init__(self, folder, port: int = 1, *, tls: bool = True) -> None:
        self.state = folder / "state"
        self.settings = AgentSettings.model_validate({"agent": {"state": self.state}})
        self.authority = SmallAuthority(time.time())
        self.key = new_device_key()
        save_private(self.key, self.state / "key.pem")
        (self.state / "ca.pem").write_text(self.authority.pem)
        hub_key = new_hub_key().public_key()
        where = ("http://127.0.0.1:1", "127.0.0.1", port)
        self.identity = Identity("d-1", "room-1", "Room", "School", self.key, hub_key, *where, tls)

    def certify(self, begins_days: float, ends_days: float, name: str = "d-1") -> str:
        now = time.time()
        begins, ends = now + begins_days * DAY_S, now + ends_days * DAY_S
        made = self.authority.device(self.key.public_key(), name, begins, ends)
        (self.state / "certificate.pem").write_text(made)
        return made


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.mark.parametrize(
    "begins, ends, verdict, words",
    [
        (-1, 29, Verdict.OK, "holds for 29 more days"),
        (-21, 9, Verdict.OK, "holds for 9 more days"),
        (-25, 5, Verdict.WARN, "should have been renewed by now"),
        (-60, -30, Verdict.BAD, "expired 30 days ago; the service renews it"),
        (-230, -200, Verdict.BAD, "expired 200 days ago, which is too long"),
        (1, 31, Verdict.WARN, "clock, which must be wrong"),
    ],
)
def test_how_long_a_certificate_holds_is_told_and_what_to_do(machine, begins, ends, verdict, words):
    machine.certify(begins, ends)
    line = certificate.look(machine.settings, machine.identity)
    assert line.verdict is verdict
    assert words in line.words
    assert bool(line.todo) == (verdict is not Verdict.OK)


def test_a_certificate_that_is_missing_or_names_somebody_else_is_told(machine):
    line = certificate.look(machine.settings, machine.identity)
    assert (line.verdict, "--anew" in line.todo) == (Verdict.BAD, True)
    machine.certify(-1, 29, name="d-2")
    line = certificate.look(machine.settings, machine.identity)
    assert (line.verdict, "it names d-2" in line.words) == (Verdict.BAD, True)


def test_where_the_broker_wants_no_certificate_none_is_missed(tmp_path):
    machine = Machine(tmp_path, tls=False)
    for look in (certificate.look, trust.look):
        assert look(machine.settings, machine.identity).verdict is Verdict.OK


@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed here")
def test_broker_and_device_are_seen_to_take_each_others_certificates_or_not(tmp_path):
    port = free_port()
    machine = Machine(tmp_path, port)
    closed = TlsMosquitto(port, tmp_path / "broker", machine.authority)
    own = machine.certify(-1, 29)
    closed.start()
    try:
        assert broker.look(machine.settings, machine.identity).verdict is Verdict.OK
        line = trust.look(machine.settings, machine.identity)
        assert (line.verdict, "take each other's certificates" in line.words) == (Verdict.OK, True)
        machine.certify(-40, -10)
        line = trust.look(machine.settings, machine.identity)
        assert (line.verdict, "has expired" in line.words, "renews it by itself" in line.todo) == (
            Verdict.BAD,
            True,
            True,
        )
        (machine.state / "certificate.pem").write_text(own)
        closed.kill()
        closed.revoked = (own,)
        closed.start()
        line = trust.look(machine.settings, machine.identity)
        assert (line.verdict, "was revoked" in line.words) == (Verdict.BAD, True)
        (machine.state / "ca.pem").write_text(SmallAuthority(time.time()).pem)
        line = trust.look(machine.settings, machine.identity)
        assert (line.verdict, "is not the hub's" in line.words) == (Verdict.BAD, True)
    finally:
        closed.kill()
    line = trust.look(machine.settings, machine.identity)
    assert line.verdict is Verdict.BAD
    assert "firewall" in broker.look(machine.settings, machine.identity).todo


def test_a_broker_without_tls_is_not_taken_for_the_hubs(tmp_path):
    plain = broker_of("", tmp_path / "broker")
    plain.start()
    machine = Machine(tmp_path, plain.port)
    machine.certify(-1, 29)
    try:
        assert trust.look(machine.settings, machine.identity).verdict is Verdict.BAD
    finally:
        plain.kill()
