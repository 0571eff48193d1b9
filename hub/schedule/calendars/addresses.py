"""The address under which a calendar is subscribed to, and its QR code."""

import io
from urllib.parse import urlsplit, urlunsplit

import segno

SCALE = 8
"""Pixels of one module of a QR code that is printed."""
PAGE_SCALE = 6
"""Of one that stands in a page: a telephone shows it whole."""


def calendar_address(hub: str, token: str) -> str:
    """What a calendar program is given. Whoever has it may read the calendar."""
    return f"{hub.rstrip('/')}/calendars/{token}.ics"


def webcal(address: str) -> str:
    """The same, so that a phone subscribes where it would else download once.

    >>> webcal("https://hub.example/calendars/tc-1.ics")
    'webcal://hub.example/calendars/tc-1.ics'
    """
    return urlunsplit(("webcal", *urlsplit(address)[1:]))


def qr_svg(address: str) -> str:
    """A QR code of an address, as an SVG that stands in a page."""
    drawn: str = segno.make(address, error="m", micro=False).svg_inline(border=2, scale=PAGE_SCALE)
    return drawn


def qr_file(address: str, kind: str) -> bytes:
    """A QR code of an address as a file, `svg` or `png`."""
    out = io.BytesIO()
    segno.make(address, error="m", micro=False).save(out, kind=kind, border=2, scale=SCALE)
    return out.getvalue()
