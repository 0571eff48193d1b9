"""What arrives is worked on in batches; neither a fault nor a flood nor a database that is away ends that."""

import threading
import time

from sqlalchemy.exc import IntegrityError, OperationalError

from hub.broker.link import Arrival
from hub.broker.misfits import Misfits
from hub.broker.reading import Refused
from hub.fleet import inbox as module
from hub.fleet.inbox import Inbox
from hub.store.errors import NoConnectionFree
from tests.agent.report.brokers import wait_for


class Worker:
    """Takes batches; `trouble` is raised so many times first, `hold` keeps it from going on."""

    def __init__(self) -> None:
        self.batches: list[list[bytes]] = []
        self.tended = 0
        self.at_work = False
        self.troubles: list[Exception] = []
        self.hold = threading.Event()
        self.hold.set()
        self.misfits = Misfits(time.monotonic)
        self.inbox = Inbox("test", self.read, self.take, self.tend, self.misfits)
        self.inbox.start()

    def read(self, arrival: Arrival) -> bytes:
        if arrival.payload == b"unfit":
            raise Refused("malformed", "it says so itself")
        if arrival.payload == b"unread":
            raise ValueError("a fault")
        return arrival.payload

    def take(self, said) -> None:
        self.at_work = True
        self.hold.wait(60)
        if self.troubles:
            raise self.troubles.pop(0)
        self.batches.append(list(said))

    def tend(self) -> None:
        self.tended += 1

    def offer(self, payload: bytes) -> None:
        self.inbox.offer(Arrival("t", payload, 0))

    def taken(self) -> list[bytes]:
        return [one for batch in self.batches for one in batch]


def test_what_arrives_together_is_worked_on_together_in_order():
    worker = Worker()
    for number in range(1200):
        worker.offer(b"%d" % number)
    worker.inbox.stop()
    assert worker.taken() == [b"%d" % number for number in range(1200)]
    assert max(map(len, worker.batches)) <= module.BATCH
    assert len(worker.batches) < 20


def test_a_database_that_is_away_is_waited_for():
    worker = Worker()
    worker.troubles = [OperationalError("", {}, Exception("locked")), NoConnectionFree("30 s")]
    worker.offer(b"unfit")
    worker.offer(b"one")
    assert wait_for(lambda: worker.taken() == [b"one"])
    assert worker.misfits.counts() == {"t": {"malformed": 1}}, "counted once, though the batch was tried three times"
    worker.inbox.stop()


def test_what_the_database_will_never_take_and_what_is_a_fault_keeps_nothing_else_out():
    worker = Worker()
    for trouble in (IntegrityError("", {}, Exception("twice")), ValueError("a fault")):
        worker.troubles = [trouble]
        worker.offer(b"bad")
        assert wait_for(lambda: not worker.troubles)
    worker.offer(b"unread")
    worker.offer(b"good")
    assert wait_for(lambda: worker.taken() == [b"good"])
    assert worker.inbox.alive
    worker.inbox.stop()


def test_a_flood_is_bounded_in_messages_and_in_bytes(monkeypatch):
    monkeypatch.setattr(module, "QUEUE_BYTES", 1000)
    worker = Worker()
    worker.hold.clear()
    worker.offer(b"first")
    assert wait_for(lambda: worker.at_work)
    for _ in range(4):
        worker.offer(b"x" * 400)
    assert worker.misfits.counts() == {"the fleet": {"queue-full": 2}}
    worker.hold.set()
    assert wait_for(lambda: len(worker.taken()) == 3)
    worker.offer(b"x" * 900)
    assert wait_for(lambda: len(worker.taken()) == 4), "there is room again"
    worker.inbox.stop()


def test_things_are_looked_after_also_while_nothing_arrives():
    worker = Worker()
    assert wait_for(lambda: worker.tended >= 2)
    worker.inbox.stop()
