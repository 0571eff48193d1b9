"""`tongtang hub check`: one problem, one file; each looks and says one line."""

from collections.abc import Callable

from hub.checks import authority, broker, clock, data, database, disk, door, encryption, files
from hub.checks.line import CheckLine
from hub.settings import HubSettings

CHECKS: tuple[Callable[[HubSettings], CheckLine], ...] = (
    data.look,
    database.look,
    broker.look,
    door.look,
    authority.look,
    disk.look,
    files.look,
    encryption.look,
    clock.look,
)
"""In the order in which they are told; none of them changes anything."""


def check(settings: HubSettings) -> list[CheckLine]:
    """Look at everything that a hub needs."""
    return [look(settings) for look in CHECKS]
