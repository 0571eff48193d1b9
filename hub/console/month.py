"""A month report in words that a principal reads: one content for the page, the workbook and the PDF."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contract.timetable import TimetableSlot
from hub.console.texts import Texts
from hub.console.words import remark_words
from hub.insight.month.fates import NO_SESSION, Fate
from hub.insight.month.report import ClassMonth, Counts, LostLesson, MonthReport, SchoolMonth
from hub.insight.month.spread import Spread

FEW = 0.6
"""Where a measure is known in less than this share of the lessons, it is said to speak of some lessons only."""


@dataclass(frozen=True, slots=True)
class Number:
    """A value that a workbook can calculate with."""

    value: float
    unit: str
    """`share`, `s` or `count`."""

    def __str__(self) -> str:
        if self.unit == "share":
            return f"{100 * self.value:.0f}%"
        return f"{self.value:.1f}" if self.unit == "s" or self.value != round(self.value) else f"{self.value:.0f}"


Cell = str | Number | dt.date


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    wide: tuple[int, ...] = ()
    """Columns, from 0, that hold sentences."""

    def is_number(self, column: int) -> bool:
        """Whether a column holds numbers, so that it is read from its right edge."""
        return any(isinstance(row[column], Number) for row in self.rows)


@dataclass(frozen=True, slots=True)
class Paper:
    """A month report as it is read."""

    title: str
    sub: str
    sentences: tuple[str, ...]
    sheets: tuple[Sheet, ...]
    foot: str


def paper_of(report: MonthReport, t: Texts, made: str) -> Paper:
    """The report in one language.

    Args:
        report: of any scope.
        t: the words.
        made: when, as people read it.
    """
    year, month = report.month.split("-")
    who = report.name or t("month.district")
    sheets = [_schools(report.schools, t), _classes(report.classes, t), _measures(report, t), _lost(report.lost, t)]
    return Paper(
        title=t("month.title", who=who, year=year, month=int(month)),
        sub=t("month.sub", made=made),
        sentences=tuple(_sentences(report, t)),
        sheets=tuple(sheet for sheet in sheets if sheet.rows),
        foot=t("month.foot"),
    )


def _sentences(report: MonthReport, t: Texts) -> Iterable[str]:
    counts = report.counts
    if not counts.planned and not counts.called_off:
        yield t("month.said.nothing")
        return
    yield _held(counts, t)
    if counts.to_come:
        yield t("month.said.to_come", count=counts.to_come)
    if counts.called_off:
        yield t("month.said.called_off", count=counts.called_off)
    if report.open_held:
        yield t("month.said.open", count=report.open_held)
    if counts.booked:
        yield t("month.said.booked", count=counts.booked)
    if report.before is not None and report.before.held_share is not None and counts.held_share is not None:
        yield t("month.said.before", share=_percent(report.before.held_share), over=report.before.over)
    yield from _why(report.lost, t)
    yield from _took_part(report, t)
    yield from _classes_said(report.classes, t)


def _held(counts: Counts, t: Texts) -> str:
    if counts.held_share is None:
        return t("month.said.planned", planned=counts.planned)
    said = {"planned": counts.planned, "over": counts.over, "done": counts.held + counts.partly}
    words = t("month.said.held", **said, share=_percent(counts.held_share))
    if counts.partly:
        words += t("month.said.partly", count=counts.partly)
    if counts.missed:
        words += t("month.said.missed", count=counts.missed)
    return words + t("month.stop")


def _why(lost: Sequence[LostLesson], t: Texts) -> Iterable[str]:
    """What cost lessons most often."""
    reasons = Counter(why for one in lost if one.fate in {Fate.MISSED, Fate.PARTLY} for why in set(_kinds(one, t)))
    if reasons:
        told = t("month.comma").join(t("month.times", what=what, count=count) for what, count in reasons.most_common(3))
        yield t("month.said.why", reasons=told)


def _kinds(one: LostLesson, t: Texts) -> Iterable[str]:
    if one.words:
        yield t("month.no_session") if one.words == NO_SESSION else one.words
    for remark in one.remarks:
        yield t(f"month.reason.{remark.reason}")


def _took_part(report: MonthReport, t: Texts) -> Iterable[str]:
    far, teachers = report.measures["far_share"], report.measures["teachers_share"]
    held = report.counts.held + report.counts.partly
    if not held:
        return
    if not report.observed:
        yield t("month.said.unmeasured", held=held)
        return
    for key, one in (("teachers", teachers), ("far", far)):
        if not one.of:
            continue  # no class followed any of them
        if one.median is not None and one.low is not None and one.high is not None:
            said = {"median": _percent(one.median), "low": _percent(one.low), "high": _percent(one.high)}
            some = t("month.said.some", known=one.known, of=one.of) if one.known < FEW * one.of else ""
            yield t(f"month.said.{key}", **said) + some + t("month.stop")
        else:
            yield t(f"month.said.{key}_unknown", known=one.known, of=one.of)


def _classes_said(classes: Sequence[ClassMonth], t: Texts) -> Iterable[str]:
    silent = [(one.silent, one) for one in classes if one.silent]
    if silent:
        worst = sorted(silent, key=lambda pair: (-pair[0], pair[1].school_class))[:3]
        named = t("month.comma").join(
            t("month.silent_class", who=f"{one.school_name} {one.name}", silent=lessons, known=one.answers.known)
            for lessons, one in worst
        )
        yield t("month.said.silent", count=len(silent), named=named)


def _schools(schools: Sequence[SchoolMonth], t: Texts) -> Sheet:
    rows = []
    for one in schools:
        for role, counts in (("leading", one.leading), ("receiving", one.receiving), ("open", one.open_class)):
            if counts.planned or counts.called_off:
                rows.append((one.name, t(f"month.{role}"), *_counted(counts)))
    header = (t("month.col.school"), t("month.col.role"), *_counted_header(t))
    return Sheet(t("month.sheet.schools"), header, tuple(rows), t("month.note.schools"))


def _classes(classes: Sequence[ClassMonth], t: Texts) -> Sheet:
    rows = [
        (
            one.school_name,
            one.name,
            *_counted(one.counts),
            _median(one.answers, t),
            Number(one.silent, "count") if one.silent is not None else t("month.unknown"),
            Number(one.answers.known, "count"),
            _median(one.wait, t),
        )
        for one in classes
    ]
    header = (
        t("month.col.school"),
        t("month.col.class"),
        *_counted_header(t),
        t("month.col.answers"),
        t("month.col.silent"),
        t("month.col.known"),
        t("month.col.wait"),
    )
    return Sheet(t("month.sheet.classes"), header, tuple(rows), t("month.note.classes"))


def _measures(report: MonthReport, t: Texts) -> Sheet:
    rows: list[tuple[Cell, ...]] = [
        (
            t(f"month.measure.{key}"),
            _median(one, t),
            _number(one.low, one.unit, t),
            _number(one.high, one.unit, t),
            _number(one.least, one.unit, t),
            _number(one.most, one.unit, t),
            t("month.known_of", known=one.known, of=one.of),
        )
        for key, one in report.measures.items()
        if one.of
    ]
    rows += [
        (t(f"month.type.{kind}") if t.has(f"month.type.{kind}") else kind, Number(count, "count"), "", "", "", "", "")
        for kind, count in report.types.items()
    ]
    header = tuple(t(f"month.col.{one}") for one in ("measure", "median", "low", "high", "least", "most", "known_of"))
    return Sheet(t("month.sheet.measures"), header, tuple(rows), t("month.note.measures"))


def _lost(lost: Sequence[LostLesson], t: Texts) -> Sheet:
    rows = [
        (
            one.date,
            TimetableSlot(week=one.week, day=one.day, period=one.period).words(t.language),
            " ".join(part for part in (one.subject, one.title) if part),
            one.lead,
            t("month.comma").join(one.receiving),
            t(f"month.fate.{one.fate}"),
            _reasons(one, t),
        )
        for one in lost
    ]
    header = tuple(t(f"month.col.{one}") for one in ("date", "slot", "lesson", "lead", "listens", "fate", "why"))
    return Sheet(t("month.sheet.lost"), header, tuple(rows), wide=(3, 4, 6))


def _reasons(one: LostLesson, t: Texts) -> str:
    words = [t("month.no_session") if one.words == NO_SESSION else one.words] if one.words else []
    words += [remark_words(remark, t) for remark in one.remarks]
    return t("month.semicolon").join(words)


def _counted_header(t: Texts) -> tuple[str, ...]:
    return tuple(t(f"month.col.{one}") for one in ("planned", "held", "partly", "missed", "called_off", "share"))


def _counted(counts: Counts) -> tuple[Cell, ...]:
    share: Cell = Number(counts.held_share, "share") if counts.held_share is not None else "–"
    told = (counts.planned, counts.held, counts.partly, counts.missed, counts.called_off)
    return (*(Number(one, "count") for one in told), share)


def _median(one: Spread, t: Texts) -> Cell:
    return _number(one.median, one.unit, t)


def _number(value: float | None, unit: str, t: Texts) -> Cell:
    return t("month.unknown") if value is None else Number(value, unit)


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"
