import time

from contract import topics
from hub.broker.embedded import choose
from hub.broker.link import HubLink
from hub.broker.port import free_port


def test_a_message_that_nobody_can_take_does_not_make_the_hub_deaf(tmp_path, caplog):
    broker = choose("amqtt", "127.0.0.1", free_port("127.0.0.1"), tmp_path)
    broker.start()
    taken = []

    def take(arrival):
        if arrival.payload == b"1":
            raise RuntimeError("unforeseen")
        taken.append(arrival.payload)

    link = HubLink(broker.host, broker.port, "one", "1", time.time_ns, take)
    link.start()
    try:
        assert link.wait_ready(10)
        for payload in (b"1", b"2"):
            link.publish(topics.tele("dev-1"), payload)
        until = time.monotonic() + 10
        while not taken and time.monotonic() < until:
            time.sleep(0.01)
        assert taken == [b"2"]
        assert "a message could not be taken" in caplog.text
    finally:
        link.stop()
        broker.stop()
