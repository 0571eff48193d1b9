"""What the user of the demonstration sees on the terminal."""

from pathlib import Path
from typing import Any, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from demo.plan import DemoPlan
from demo.summary import Judgement, RoomSummary, Summary

STATES = {
    "scheduled": "待开始 scheduled",
    "readying": "准备中 readying",
    "ready": "已就绪 ready",
    "live": "上课中 live",
    "ending": "收尾 ending",
    "sealed": "已封存 sealed",
    "uploaded": "已归档 uploaded",
    "failed": "失败 failed",
    "cancelled": "已取消 cancelled",
}


COLUMNS = ("教室 Room", "", "画面 Pictures", "时长 Length", "时延 p50/p95")
NUMBERS = frozenset({"画面", "时长", "时延"})


class Show:
    """Prints steps, progress while the lesson runs, and a table at the end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._told = ""

    def step(self, words: str) -> None:
        """A step that begins."""
        self._console.print(f"[bold]·[/bold] {words}", highlight=False)

    def warn(self, words: str) -> None:
        """Something the user should know."""
        self._console.print(f"[yellow]![/yellow] {words}", highlight=False)

    def fail(self, words: str) -> None:
        """Why it did not work."""
        self._console.print(f"[red]✗[/red] {words}", highlight=False)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = Live(console=self._console, refresh_per_second=4, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def progress(self, view: dict[str, Any]) -> None:
        """Where the lesson stands; on a terminal a table that renews itself, else a line at each change."""
        if self._live is not None:
            self._live.update(_progress(view))
            return
        told = " · ".join(
            [STATES.get(view["state"], view["state"]), *(f"{r['room']} {r['state']}" for r in view["rooms"])]
        )
        if told != self._told:
            self._told = told
            self._console.print(f"  t={max(0.0, view['now_t']):5.1f} s  {told}", highlight=False, soft_wrap=True)

    def summary(self, summary: Summary, judgement: Judgement, plan: DemoPlan, words: list[str]) -> None:
        """The table at the end."""
        table = Table(title=f"双师课 Lesson {summary.session} · {summary.seconds:.0f} s", title_justify="left")
        for column in COLUMNS:
            table.add_column(column, no_wrap=True, justify="right" if column[:2] in NUMBERS else "left")
        for room in summary.rooms:
            for row in _rows(room):
                table.add_row(*row)
            table.add_section()
        self._console.print(table)
        line = summary.timeline
        people = "未知 unknown" if line.people.median is None else f"{line.people.median:g}"
        speech = "未知 unknown" if line.speech_seconds is None else f"{line.speech_seconds:.1f} s"
        self._console.print(
            f"  主讲教室观测 Lead room: {line.observations} 条 observations · "
            f"语音 speech {speech} · 幻灯 slides {line.slides} · 人数 people {people}",
            highlight=False,
        )
        told = summary.telemetry
        self._console.print(
            f"  遥测 Telemetry: {told.produced} produced · {told.stored} stored · {told.lost} lost · "
            f"{told.duplicated} duplicated",
            highlight=False,
        )
        for one in words:
            self.warn(one)
        for one in judgement.missing:
            self.fail(one)
        if judgement.whole:
            self._console.print("[green]✓[/green] 本节课完整 The lesson was whole.")
        self._console.print(
            f"  课例包 Packages  {_short(plan.hub_folder / 'archive' / summary.session)}", highlight=False
        )
        self._console.print(f"  小结 Summary     {_short(plan.out / 'summary.json')}", highlight=False)
        self._console.print(f"  中心 Hub         {summary.hub.url}", highlight=False)


def _rows(room: RoomSummary) -> list[tuple[str, ...]]:
    """One line for each thing that a room did."""
    rows: list[tuple[str, ...]] = [(room.room, "发送 sent", str(room.video_frames_sent), "", "")]
    for one in room.received:
        age = f"{one.latency_ms.p50:.0f}/{one.latency_ms.p95:.0f} ms" if one.latency_ms else "?"
        rows.append(("", f"收到 from {one.sender}", str(one.video_frames), f"{one.audio_seconds:.1f} s", age))
    rows += [("", f"录制 {kept.track}", str(kept.video_frames), f"{kept.seconds:.1f} s", "") for kept in room.recording]
    rows.append(("", f"回执 receipt {'✓' if room.receipt else '✗'}", "", "", f"CPU {room.cpu_seconds:.1f} s"))
    return rows


def _progress(view: dict[str, Any]) -> Table:
    table = Table(title=_bar(view), title_justify="left")
    for column in ("教室 Room", "", "状态 State", ""):
        table.add_column(column)
    for room in view["rooms"]:
        table.add_row(room["room"], room["name"], STATES.get(room["state"], room["state"]), room["words"])
    return table


def _bar(view: dict[str, Any]) -> Text:
    t, whole = view["now_t"], view["seconds"]
    done = max(0, min(30, round(30 * t / whole)))
    state = STATES.get(view["state"], view["state"])
    if t < 0:
        return Text(f"{view['title']} · {state} · {-t:.0f} s 后开始 until it begins")
    return Text(f"{view['title']} · {state} · {'█' * done}{'░' * (30 - done)} {min(t, whole):.0f}/{whole:.0f} s")


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
