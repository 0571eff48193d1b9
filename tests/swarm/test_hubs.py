"""A hub of the swarm's own: its devices are known to it, and it does not end unnoticed."""

import time

import psutil
import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from demo.processes import ChildDied
from swarm.hubs import OwnHub

pytestmark = pytest.mark.e2e


def test_each_device_shows_a_certificate_of_its_own_that_names_it(tmp_path):
    hub = OwnHub(tmp_path, 3, tls=True)
    try:
        hub.start()
        seats = hub.seats()
        names = [
            x509.load_pem_x509_certificate(seat.certificate.read_bytes())
            .subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0]
            .value
            for seat in seats
        ]
        assert names == [seat.device for seat in seats] == ["screen-00001", "screen-00002", "screen-00003"]
        assert hub.stored() == []
        assert hub.online_since(0.0) == 0
    finally:
        hub.close()


def test_a_hub_that_dies_meanwhile_is_told_with_the_end_of_its_log(tmp_path):
    hub = OwnHub(tmp_path, 1, tls=False, broker="amqtt")
    try:
        hub.start()
        process = psutil.Process(hub._children.pid("hub"))
        process.kill()
        until = time.monotonic() + 60
        with pytest.raises(ChildDied, match=r"hub ended by itself.*\n.*the hub is at"):
            while time.monotonic() < until:
                hub.cpu_s()
                time.sleep(0.05)
    finally:
        hub.close()
