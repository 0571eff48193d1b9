"""The calendar that Opencast's capture agents poll, so that a recorder that is not ours can take part.

Such an agent wants what is to come and nothing else: UTC times, an id, and two files in each event, the episode's
Dublin Core and its own properties. It drops what is not there any more, so nothing stays as cancelled.

Source: Opencast's guide for capture agents, "Getting the Calendar/Schedule"; what pyCA and Galicaster read of it.
"""

import datetime as dt
import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from icalendar import Calendar, Event, vBinary

from hub.schedule.calendars.feed import Record
from hub.schedule.calendars.occurrences import Kind, LeadPart, Occurrence, RoomPart
from hub.schedule.calendars.seen import Seen, printable, seen_by, topic

PRODID = "Opencast Calendar File 0.5"
"""As Opencast writes it; some agents look for it."""
DUBLIN_CORE = "http://www.opencastproject.org/xsd/1.0/dublincore/"
TERMS = "http://purl.org/dc/terms/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
EPISODE = "episode.xml"
PROPERTIES = "org.opencastproject.capture.agent.properties"


def recorder_calendar(
    room: str, records: Sequence[Record], now: float, language: str, cutoff: float | None = None
) -> bytes:
    """What a recorder in `room` is to record.

    Args:
        room: its room, which is also the agent's name.
        records: occurrences in which the room has a part, or had one.
        now: what has ended by then is left out, in seconds of UTC.
        language: of the words; Chinese for `zh`.
        cutoff: what begins later is left out, in seconds of UTC.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODID)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    for one in records:
        seen = seen_by(one.occurrence, Kind.ROOM, room)
        to_come = seen.ends > now and (cutoff is None or seen.epoch <= cutoff)
        if seen.concerned and to_come and not one.cancelled:
            calendar.add_component(_event(room, one, seen, language))
    return bytes(calendar.to_ical())


def _event(room: str, record: Record, seen: Seen, language: str) -> Event:
    changed = dt.datetime.fromtimestamp(int(record.changed), dt.UTC)
    event = Event()
    event.add("dtstamp", changed)
    event.add("dtstart", _utc(seen.epoch))
    event.add("dtend", _utc(seen.ends))
    event.add("summary", seen.title(language))
    event.add("uid", record.occurrence.id)
    event.add("sequence", record.sequence)
    event.add("last-modified", changed)
    event.add("description", seen.told(language))
    event.add("location", room)
    for name, kind, data in (
        (EPISODE, "application/xml", _episode(room, seen, language)),
        (PROPERTIES, "application/text", _properties(room, seen, language)),
    ):
        attached = vBinary(data)
        attached.params["FMTTYPE"] = kind
        attached.params["X-APPLE-FILENAME"] = name
        event.add("attach", attached, encode=False)
    return event


def _utc(epoch: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(epoch, dt.UTC)


def _episode(room: str, seen: Seen, language: str) -> bytes:
    """The episode's Dublin Core catalogue, as Opencast names its fields."""
    begins, ends = (_utc(one).strftime("%Y-%m-%dT%H:%M:%SZ") for one in (seen.epoch, seen.ends))
    occurrence = seen.occurrence
    fields = [
        ("identifier", occurrence.id, ""),
        ("title", seen.title(language), ""),
        ("creator", _led_by(occurrence), ""),
        ("subject", topic(occurrence, language), ""),
        ("description", seen.told(language), ""),
        ("spatial", room, ""),
        ("created", begins, "dcterms:W3CDTF"),
        ("temporal", f"start={begins}; end={ends}; scheme=W3C-DTF;", "dcterms:Period"),
        ("language", "zho", ""),
    ]
    # The namespaces stand as attributes: what is written is read by agents that look for these very prefixes.
    root = ET.Element("dublincore", {"xmlns": DUBLIN_CORE, "xmlns:dcterms": TERMS, "xmlns:xsi": XSI})
    for name, text, kind in fields:
        ET.SubElement(root, f"dcterms:{name}", {"xsi:type": kind} if kind else {}).text = text
    return bytes(ET.tostring(root, encoding="UTF-8", xml_declaration=True))


def _led_by(occurrence: Occurrence) -> str:
    first: RoomPart = occurrence.rooms[0]
    return (printable(first.teacher.name) or first.teacher.id) if isinstance(first, LeadPart) else ""


def _properties(room: str, seen: Seen, language: str) -> bytes:
    """The agent's properties, as Java writes them; no workflow is named, because none waits for the recording."""
    lines = [
        ("capture.device.id", room),
        ("event.location", room),
        ("event.title", seen.title(language)),
    ]
    return "".join(f"{key}={_escaped(value)}\n" for key, value in lines).encode("ascii")


def _escaped(value: str) -> str:
    """A value in a Java properties file, which is read as Latin-1."""
    raw = re.sub(r"([\\:=#!])", r"\\\1", " ".join(value.split())).encode("utf-16-be")
    units = (raw[at : at + 2] for at in range(0, len(raw), 2))
    return "".join(unit[1:].decode("ascii") if unit < b"\x00\x80" else f"\\u{unit.hex()}" for unit in units)
