"""The ports, and that nothing is open beyond this machine without TLS."""

import datetime as dt

from filelock import FileLock, Timeout

from hub.broker.port import bindable
from hub.checks.line import CheckLine, bad, ok, warn
from hub.door import Certificate, OpenBinding, certificate, refuse_open_binding
from hub.errors import HubRefused
from hub.service import LOCK
from hub.settings import HubSettings

NAME = "ports"
RENEW_DAYS = 30
"""A certificate that expires sooner is told."""


def look(settings: HubSettings) -> CheckLine:
    """Whether the ports are free, or held by this very hub, and TLS is as it must be."""
    try:
        refuse_open_binding(settings.http.host, tls=settings.http.tls)
        shown = certificate(settings.http)
    except OpenBinding as refused:
        return bad(NAME, str(refused), 'or set host = "127.0.0.1" under [http]')
    except HubRefused as refused:
        return bad(NAME, str(refused), "then look again")
    doors = [("https" if shown else "http", settings.http.host, settings.http.port)]
    if "://" not in settings.broker:
        doors.append(("mqtts" if settings.mqtt_tls else "mqtt", settings.mqtt.host, settings.mqtt.port))
    told = ", ".join(f"{name} {host}:{port}" if port else f"{name} {host}, a free one" for name, host, port in doors)
    runs = _runs(settings)
    taken = [f"{host}:{port}" for _, host, port in doors if port and not runs and not bindable(host, port)]
    if taken:
        return bad(NAME, f"{' and '.join(taken)} taken by another program", "stop it, or set another port")
    return (_old(shown) if shown else None) or ok(NAME, f"{told}; this hub is running" if runs else f"{told}: free")


def _old(shown: Certificate) -> CheckLine | None:
    """A line about a certificate that has expired or soon will."""
    days = shown.days_left(dt.datetime.now(dt.UTC))
    if days < 0:
        return bad(NAME, f"{shown.file} has expired on {shown.expires.date()}", "put a new certificate in its place")
    if days < RENEW_DAYS:
        return warn(NAME, f"{shown.file} expires on {shown.expires.date()}", "renew it, then start the hub again")
    return None


def _runs(settings: HubSettings) -> bool:
    if not settings.data.is_dir() or not (settings.data / LOCK).exists():
        return False
    try:
        with FileLock(settings.data / LOCK).acquire(timeout=0):
            return False
    except Timeout:
        return True
