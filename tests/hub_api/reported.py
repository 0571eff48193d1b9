"""Lessons that are over, with the packages that their rooms left in a hub's archive."""

from pathlib import Path

from contract.keys import new_device_key, public_pem
from contract.session import Mode, Policy, Role
from hub.fleet.devices import NewDevice
from hub.session.views import NewRoom, NewSession
from tests.hub.insight.archive import archived
from tests.hub.insight.lessons import SCHOOLS, Lesson, lesson, troubled
from tests.hub_api.district import ALL_ON, District

SECONDS = 600.0


def taught(
    hub: District,
    *,
    policy: Policy = ALL_ON,
    seconds: float = SECONDS,
    far: int = 0,
    title: str = "分数的意义",
    hours: float = 1.0,
    mode: Mode = Mode.DELIVERY,
) -> str:
    """A lesson that was over so many hours ago, with `far` more receiving rooms than the district has.

    An open class has its lead room alone.
    """
    rooms = [NewRoom(room=hub.lead.room, role=Role.LEAD), NewRoom(room=hub.receiving.room, role=Role.RECEIVING)]
    del rooms[1 if mode is Mode.OPEN else 2 :]
    for at in range(far):
        name, school = SCHOOLS[2 + at % 3]
        key = public_pem(new_device_key())
        hub.parts.devices.register(NewDevice(f"device-more-{at}", f"room-more-{at}", name, school, key))
        rooms.append(NewRoom(room=f"room-more-{at}", role=Role.RECEIVING))
    hub.parts.clock.behind_s = seconds + 3600 * hours
    new = NewSession(title=title, seconds=seconds, rooms=tuple(rooms), policy=policy, mode=mode)
    made = hub.parts.conductor.create(new)
    hub.parts.clock.behind_s = 0.0
    return made.session


def kept(hub: District, session: str, folder: Path, *rooms: int, trouble: bool = False) -> Lesson:
    """Put what these rooms left of the lesson into the archive."""
    order = hub.parts.conductor.order(session)
    made = (troubled if trouble else lesson)(len(order.rooms), order.seconds, order=order)
    for at in rooms:
        manifest, _ = made.packages[at]
        archived(hub.parts.archive, manifest, made.bytes_of(manifest.room), scratch=folder)
    return made
