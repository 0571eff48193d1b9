"""Remarks, times, lengths and sizes as people read them."""

from datetime import datetime

from hub.console.texts import Texts
from hub.session.remarks import Remark


def span(seconds: float) -> str:
    """A length of time: `01:30`, or `1:00:00` from an hour on.

    >>> span(90.4), span(3600)
    ('01:30', '1:00:00')
    """
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes:02}:{left:02}"


def when(utc: float) -> str:
    """A moment, in seconds of UTC, by the hub's local time."""
    return datetime.fromtimestamp(utc).astimezone().strftime("%Y-%m-%d %H:%M")


def size(count: int) -> str:
    """A size in bytes.

    >>> size(700), size(5_300_000)
    ('700 B', '5.1 MiB')
    """
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024 or unit == "GiB":
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    raise AssertionError("not reached")


def remark_of_room(remark: Remark, t: Texts) -> str:
    """A remark in the reader's language, where the room's name stands beside it."""
    state = t(f"state.{remark.state}") if remark.state else ""
    return t(
        f"remark.{remark.reason}", state=state, words=t.said(remark.words) if remark.words else t("remark.no_reason")
    )


def remark_words(remark: Remark, t: Texts) -> str:
    """A remark in the reader's language."""
    what = remark_of_room(remark, t)
    return t("remark.named", room=remark.room, what=what) if remark.room else what
