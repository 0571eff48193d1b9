"""The report's drawings with their words in the reader's language."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from hub.console.report_figures import Told, percent, value_words
from hub.console.texts import Texts
from hub.console.words import span
from hub.insight.plots.axis import TimeAxis
from hub.insight.plots.rtch import RtCh, RtChWords, rt_ch
from hub.insight.plots.seats import seat_grid
from hub.insight.plots.stair import StairWords, stair, unknown_samples
from hub.insight.plots.timeline import LEFT, RIGHT, VOICES, Lane, TimelineWords, timeline
from measures.st import ClassType
from measures.voices import Voice

LANES = 6
"""Rooms in one drawing, so that it fits on a page; with more there are several drawings."""


def timelines(report: Told, t: Texts) -> list[Markup]:
    """All rooms on one time axis."""
    rooms = list(zip(report["rooms"], report["measures"]["rooms"], strict=True))
    chapters = [(one["t"], one["seconds"], one["title"] or "") for one in report["chapters"]]
    seconds = report["seconds"]
    ticks = {tick: span(tick) for tick in TimeAxis(seconds, LEFT, RIGHT).ticks()}
    rows = (t("report.timeline.row.teacher"), t("report.timeline.row.student"), t("report.timeline.row.several"))
    out = []
    for at in range(0, len(rooms), LANES):
        some = rooms[at : at + LANES]
        title = t("report.timeline")
        if len(rooms) > LANES:
            title = t("report.timeline.part", from_=at + 1, upto=at + len(some), all=len(rooms))
        told = " ".join(_told(room, measured, seconds, t) for room, measured in some)
        words = TimelineWords(title, told, rows, t("report.timeline.chapters"), ticks)
        lanes = [_lane(room, measured, t) for room, measured in some]
        out.append(timeline(lanes, chapters, seconds, words, f"timeline-{at // LANES}"))
    return out


def _lane(room: Told, measured: Told, t: Texts) -> Lane:
    voices: dict[str, list[tuple[float, float]]] = {one.value: [] for one in Voice}
    for one in measured["own"]:
        voices[one["voice"]].append((one["start_s"], one["seconds"]))
    under = t(f"role.{room['role']}") if room["package"] else t("report.timeline.no_package")
    return Lane(
        room["name"] or room["room"],
        under,
        voices,
        [one["t"] for one in room["slides"]],
        [one["t"] for one in room["marks"]],
        [(one["t"], one["seconds"]) for one in room["gaps"]],
    )


def _told(room: Told, measured: Told, seconds: float, t: Texts) -> str:
    time = {one.value: 0.0 for one in Voice}
    for span_ in measured["own"]:
        time[span_["voice"]] += span_["seconds"]
    teacher, pupils, several = (span(time[one]) for one in VOICES)
    left = span(seconds - sum(time.values()))
    name = room["name"] or room["room"]
    return t("report.timeline.told", room=name, teacher=teacher, student=pupils, several=several, unknown=left)


def st_plot(report: Told, t: Texts) -> Markup:
    """The stair of S-T, at the interval at which it was sampled."""
    analysis = report["measures"]["st"]
    codes, every = analysis["codes"], analysis["rt"]["interval_s"]
    told = t(
        "report.st.told",
        interval=f"{every:g}",
        all=len(codes),
        teacher=codes.count("T"),
        pupils=codes.count("S"),
        unknown=unknown_samples(codes),
    )
    return stair(codes, every, StairWords(t("report.st"), told, t("report.st.teacher"), t("report.st.pupils")))


def rtch_plot(report: Told, t: Texts) -> Markup:
    """Rt and Ch among the types of class."""
    lesson = _rtch(report)
    analysis = report["measures"]["st"]
    types = {one: t(f"report.type.{one}") for one in ClassType}
    return rt_ch(lesson, RtChWords(t("report.rtch"), rtch_words(analysis, lesson, t), types, t("report.rtch.here")))


def _rtch(report: Told) -> RtCh | None:
    analysis, between = report["measures"]["st"], report["st_interval"]
    if between["rt"] is None or between["ch"] is None:
        return None
    edges: list[tuple[float, float]] = [(between[one]["low"], between[one]["high"]) for one in ("rt", "ch")]
    return RtCh(analysis["rt"]["value"], analysis["ch"]["value"], *edges)


def rtch_words(analysis: Mapping[str, Any], lesson: RtCh | None, t: Texts) -> str:
    """What the Rt-Ch diagram shows."""
    if lesson is None:
        return t("report.rtch.unknown", reason=t(f"report.reason.{analysis['rt']['reason']}"))
    type_, why = analysis["type"]["value"], analysis["type"].get("reason")
    return t(
        "report.rtch.told",
        rt=f"{lesson.rt:.2f}",
        rt_low=f"{lesson.rt_between[0]:.2f}",
        rt_high=f"{lesson.rt_between[1]:.2f}",
        ch=f"{lesson.ch:.2f}",
        ch_low=f"{lesson.ch_between[0]:.2f}",
        ch_high=f"{lesson.ch_between[1]:.2f}",
        type=value_words(type_, "type", t) if type_ else t(f"report.reason.{why}"),
    )


def seat_plots(report: Told, t: Texts) -> list[tuple[str, Markup, str]]:
    """Of each room whose seats are known: its name, the drawing, and what is known of it."""
    out = []
    for number, room in enumerate(report["rooms"]):
        seats = room["seats"]
        if seats["shares"] is None:
            continue
        cells: Sequence[float] = [one for row in seats["shares"] for one in row]
        mean = t("report.percent", number=f"{100 * sum(cells) / len(cells):.0f}")
        told = t("report.seats.told", rows=seats["rows"], columns=seats["columns"], mean=mean)
        name = room["name"] or room["room"]
        under = t("report.seats.under", percent=percent(seats["coverage"]), interval=f"{seats['interval_s']:g}")
        out.append((name, seat_grid(seats["shares"], f"{t('report.seats')}: {name}", told, f"seats-{number}"), under))
    return out
