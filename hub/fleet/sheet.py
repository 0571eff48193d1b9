"""A sheet to print: a card a room with its claim code, as letters and as QR code."""

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from html import escape

import segno

from contract.enrolment import Ticket
from hub.fleet.claims import MadeClaim

TEXTS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "title": "终端注册码",
        "keep": "每张卡片只供一间教室使用一次，首次使用须由运维人员确认。请妥善保管，用后销毁。",
        "code": "注册码",
        "hub": "中心地址",
        "until": "有效期至",
        "how": "在教室终端上运行：",
    },
    "en": {
        "title": "Claim codes",
        "keep": "Each card is for one room and one use, which an operator confirms. Keep the sheet safe; "
        "destroy it after use.",
        "code": "Claim code",
        "hub": "Hub",
        "until": "Good until",
        "how": "On the room's machine, run:",
    },
}
STYLE = """
@page { size: A4; margin: 12mm }
body { font: 11pt/1.4 system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; margin: 0; color: #000 }
header { margin-bottom: 6mm }
h1 { font-size: 15pt; margin: 0 }
h2 { font-size: 12.5pt; margin: 0 0 1mm }
p { margin: 0 0 1mm }
main { display: grid; grid-template-columns: 1fr 1fr; gap: 5mm }
article { border: 0.3mm solid #000; padding: 4mm; break-inside: avoid; overflow-wrap: anywhere }
article svg { float: right; width: 34mm; height: 34mm; margin: 0 0 2mm 3mm }
.code { font: bold 14pt/1.6 ui-monospace, monospace; white-space: nowrap }
code { font: 8pt/1.4 ui-monospace, monospace; clear: both; display: block }
"""


def printed(codes: Sequence[MadeClaim], hub: str, hub_key: str, language: str) -> str:
    """The sheet as one HTML file that needs nothing else.

    Args:
        codes: a card each.
        hub: URL of the hub, for devices.
        hub_key: fingerprint of its public key.
        language: `zh` or `en`.
    """
    t = TEXTS[language]
    cards = "\n".join(_card(one, Ticket(hub, one.code, hub_key), t) for one in codes)
    title = escape(t["title"])
    return (
        f'<!doctype html>\n<html lang="{language}">\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f"<style>{STYLE}</style>\n<header><h1>{title}</h1><p>{escape(t['keep'])}</p></header>\n"
        f"<main>\n{cards}\n</main>\n</html>\n"
    )


def listed(codes: Sequence[MadeClaim], hub: str, hub_key: str) -> bytes:
    """The same as CSV, UTF-8 with the mark that spreadsheets want."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(["school", "room", "name", "code", "expires", "ticket"])
    for one in codes:
        ticket = Ticket(hub, one.code, hub_key).text()
        rows.writerow([one.asked.school, one.asked.room, one.asked.name, one.code, until(one.expires), ticket])
    return out.getvalue().encode("utf-8-sig")


def until(expires: float) -> str:
    """A moment, in seconds of UTC, by local time."""
    return dt.datetime.fromtimestamp(expires, dt.UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def _card(one: MadeClaim, ticket: Ticket, t: Mapping[str, str]) -> str:
    asked = one.asked
    qr = segno.make(ticket.text(), error="m", micro=False).svg_inline(border=2, omitsize=True)
    return (
        f"<article>{qr}<h2>{escape(asked.name or asked.room)}</h2><p>{escape(asked.school)} · {escape(asked.room)}</p>"
        f'<p>{escape(t["code"])}<br><span class="code">{one.code}</span></p>'
        f"<p>{escape(t['hub'])}: {escape(ticket.hub)}</p><p>{escape(t['until'])}: {until(one.expires)}</p>"
        f"<p>{escape(t['how'])}</p><code>tongtang agent enrol {one.code} --hub {escape(ticket.hub)}</code></article>"
    )
