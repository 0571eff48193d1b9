"""The page of a lesson's report: made of the report's JSON alone, for the screen and for paper."""

import asyncio
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from hub.console.pages import Pages
from hub.console.report_figures import Told, lesson_rows, measured_words, percent, room_tables, whys
from hub.console.report_notes import notes
from hub.console.report_plots import rtch_plot, seat_plots, st_plot, timelines
from hub.console.texts import Texts
from hub.console.words import when
from hub.insight.accuracy import beside
from hub.insight.plots.svg import fitted
from hub.insight.report import Standing
from hub.insight.reports import LessonReports
from hub.session.errors import SessionUnknown
from measures.fias import CODES

HEAD_SIGNS = 30
"""Chinese signs of the lesson's title that stand above each page, so that they fit in a line."""
SLIDES_MOST = 60
"""Slides of one room that the page lists."""


def report_routes(pages: Pages, reports: LessonReports) -> APIRouter:
    """The page `/lessons/{session}/report`, beside the lesson's own."""
    routes = APIRouter(tags=["console"], default_response_class=HTMLResponse)

    @routes.get("/lessons/{session}/report", summary="The page of a lesson's report", responses={404: {}})
    async def report(request: Request, session: str) -> Response:
        """What happened in the lesson, to be read on a screen or on paper; where nothing is told, why."""
        t = pages.texts(request)
        try:
            told = await reports.of(session)
        except SessionUnknown:
            return pages.page(request, "problem.html", 404, words=t("problem.lesson"))
        values = await asyncio.to_thread(shown, told, t)  # the drawings take time, too
        return pages.page(request, "report.html", **values)

    return routes


def shown(report: Told, t: Texts) -> dict[str, Any]:
    """What the template shows."""
    standing = Standing(report["standing"])
    here: dict[str, Any] = {
        "report": report,
        "standing": standing,
        "head": _head(report, t),
        "schools": _schools(report),
    }
    if not standing.tells:
        return here
    rows, tables = lesson_rows(report, t), room_tables(report, t)
    away = [_name(room) for room in report["rooms"] if not room["package"]]
    return here | {
        "away": t("report.comma").join(away),
        "timelines": timelines(report, t),
        "stair": st_plot(report, t),
        "rtch": rtch_plot(report, t),
        "lesson_rows": rows,
        "lesson_whys": whys((row.cell for row in rows), t),
        "tables": tables,
        "room_whys": whys((cell for table in tables for cell in table.cells), t),
        "fias": _fias(report, t),
        "seats": seat_plots(report, t),
        "seats_unknown": _seats_unknown(report, t),
        "slides": [(_name(room), room["slides"]) for room in report["rooms"] if room["slides"]],
        "slides_most": SLIDES_MOST,
        "accuracy": _accuracy(report, t),
        "means": {
            about: measured_words(found.mean, found.unit, t) for about in ("rt", "ch") if (found := beside(about))
        },
        "notes": notes(report, t),
        "percent": percent,
        "name_of": _name,
    }


def _name(room: Told) -> str:
    name: str = room["name"] or room["room"]
    return name


def _schools(report: Told) -> list[str]:
    """The schools of the lesson, each once, in the order of the rooms."""
    return list(dict.fromkeys(room["school"] for room in report["rooms"] if room["school"]))


def _head(report: Told, t: Texts) -> str:
    """What stands above each page."""
    schools = _schools(report)
    title = fitted(report["title"] or t("lesson.untitled"), HEAD_SIGNS, 1)
    parts = [title, *schools[:2], when(report["epoch"])]
    return " · ".join(parts)


def _fias(report: Told, t: Texts) -> dict[str, Any]:
    """The matrix with its names, its rows' shares, and the interval."""
    fias = report["measures"]["fias"]
    names = [t(f"report.voice.{one.value}") for one in CODES]
    rows: Sequence[tuple[str, Sequence[int], str]] = [
        (name, counts, _share(fias["share"][one.value], t))
        for name, counts, one in zip(names, fias["matrix"], CODES, strict=True)
    ]
    unknown = fias["steady"].get("reason")
    return {"names": names, "rows": rows, "interval": f"{fias['steady']['interval_s']:g}", "reason": unknown}


def _share(figure: Told, t: Texts) -> str:
    if figure["value"] is None:
        return t("report.unknown")
    return t("report.percent", number=f"{100 * figure['value']:.1f}")


def _seats_unknown(report: Told, t: Texts) -> list[str]:
    return [
        t("report.seats.unknown", room=_name(room), reason=t(f"report.reason.{room['seats']['reason']}"))
        for room in report["rooms"]
        if room["seats"]["shares"] is None
    ]


def _accuracy(report: Told, t: Texts) -> list[tuple[str, str, str, str]]:
    """What, mean, worst lesson, and the data it was measured on."""
    return [
        (
            t(f"report.about.{one['about']}"),
            measured_words(one["mean"], one["unit"], t),
            "" if one["worst"] is None else measured_words(one["worst"], one["unit"], t),
            t(f"report.on.{one['on']}"),
        )
        for one in report["accuracy"]
    ]
