"""The ports, and that nothing is open beyond this machine without TLS."""

from hub.api.access import OpenBinding, refuse_open_binding
from hub.broker.embedded import bindable
from hub.checks.line import CheckLine, bad, ok
from hub.platform import FolderInUse, hold
from hub.service import LOCK
from hub.settings import HubSettings

NAME = "ports"


def look(settings: HubSettings) -> CheckLine:
    """Whether the ports are free, or held by this very hub."""
    try:
        refuse_open_binding(settings.http.host, tls=False)
    except OpenBinding as refused:
        return bad(NAME, str(refused), 'set host = "127.0.0.1" under [http]')
    doors = [("http", settings.http.host, settings.http.port)]
    if not settings.broker.startswith("mqtt://"):
        doors.append(("mqtt", settings.mqtt.host, settings.mqtt.port))
    told = ", ".join(f"{name} {host}:{port}" if port else f"{name} {host}, a free one" for name, host, port in doors)
    if _runs(settings):
        return ok(NAME, f"{told}; this hub is running")
    taken = [f"{host}:{port}" for _, host, port in doors if port and not bindable(host, port)]
    if taken:
        return bad(NAME, f"{' and '.join(taken)} taken by another program", "stop it, or set another port")
    return ok(NAME, f"{told}: free")


def _runs(settings: HubSettings) -> bool:
    if not settings.data.is_dir() or not (settings.data / LOCK).exists():
        return False
    try:
        hold(settings.data / LOCK).close()
    except FolderInUse:
        return True
    return False
