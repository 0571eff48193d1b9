"""Holds the demonstration: starts hub and agents, a lesson, and ends everything properly."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from agent.registration import register
from agent.report.reporter import Ledger
from contract.result import TimelineSummary
from demo.hub import START_S, HubSilent, Operator
from demo.plan import DemoPlan, prepare
from demo.processes import Children
from demo.show import Show
from demo.summary import HubSummary, Judgement, Summary, count_telemetry, judge, room_summary

log = logging.getLogger(__name__)

ONLINE_S = 40.0
"""Agents must be connected within this, in seconds."""
AFTER_S = 60.0
"""After the lesson, sealing and uploading may take this long, in seconds."""
LOOK_S = 0.25
ENDED = frozenset({"uploaded", "failed", "cancelled"})


class Demo:
    """One demonstration, from empty folder to summary."""

    def __init__(self, plan: DemoPlan, broker: str, show: Show, program: str = "tongtang") -> None:
        self._plan = plan
        self._broker = broker
        self._show = show
        self._children = Children(plan.out / "logs", program)
        self._operator = Operator(plan.hub_folder)
        self._session = ""

    @property
    def operator(self) -> Operator:
        """The hub's operator."""
        return self._operator

    def hold(self) -> tuple[Summary, Judgement]:
        """Hold the lesson and write `summary.json`.

        Raises:
            ChildDied: a process ended by itself.
            HubSilent: the hub does not answer.
            demo.plan.PlanRefused: the folder cannot be used.
        """
        prepare(self._plan, self._broker)
        self._start_hub()
        self._start_agents()
        self._session = self._operator.start(self._plan)
        with self._show:
            self._watch()
        return self._sum_up()

    def finish_early(self) -> None:
        """End the lesson properly, wherever it stands; what was recorded is kept.

        Raises:
            ChildDied: a process ended by itself.
            HubSilent: the hub does not answer.
        """
        if not self._session:
            return
        view = self._operator.session(self._session)
        if view["now_t"] < 0:
            self._operator.call_off(self._session)
            self._show.warn("还没有开始上课 called off before it began; nothing was recorded")
            return
        if view["state"] not in ENDED:
            self._operator.end(self._session)
            with self._show:
                self._watch()
        self._sum_up()

    def close(self) -> None:
        """End every process; whoever does not want to wait interrupts, and the rest is killed."""
        try:
            self._children.stop()
        except KeyboardInterrupt:
            self._children.kill_all()

    def _start_hub(self) -> None:
        self._show.step("中心 hub")
        settings = str(self._plan.hub_settings)
        self._children.run("hub-init", "hub", "init", "--config", settings)
        self._children.start("hub", "hub", "run", "--config", settings)
        self._wait(self._operator.find, START_S, "the hub does not start")
        self._show.step(f"中心 hub {self._operator.url} · broker {self._operator.broker}")

    def _start_agents(self) -> None:
        for room in self._plan.rooms:
            register(
                room.folder / "state",
                self._operator.url,
                self._operator.token,
                room.device,
                room.room,
                room.name,
                room.school,
            )
            self._children.start(room.room, "agent", "run", "--config", str(room.settings_file))
        wanted = {room.device for room in self._plan.rooms}
        self._wait(lambda: wanted <= self._operator.devices_online(), ONLINE_S, "the rooms do not connect")
        self._show.step(f"{len(wanted)} 间教室在线 rooms online")

    def _watch(self) -> None:
        deadline = time.monotonic() + self._plan.seconds + AFTER_S
        while time.monotonic() < deadline:
            view = self._operator.session(self._session)
            self._show.progress(view)
            if view["state"] in ENDED:
                return
            self._children.check()
            time.sleep(LOOK_S)

    def _sum_up(self) -> tuple[Summary, Judgement]:
        plan = self._plan
        # Agents that end have handed everything over: only then can rows be counted.
        self._children.stop(*(room.room for room in plan.rooms))
        view = self._operator.session(self._session)
        stored = [one for room in plan.rooms for one in self._operator.stored_ids(room.device)]
        produced = [one for room in plan.rooms for one in Ledger.read(room.folder / "state" / "produced")]
        archive = plan.hub_folder / "archive" / self._session
        rooms = tuple(room_summary(room, self._package(archive, room["room"])) for room in view["rooms"])
        lead = next(room for room in view["rooms"] if room["role"] == "lead")
        summary = Summary(
            session=self._session,
            seconds=round(float(view["seconds"]), 3),
            rooms=rooms,
            telemetry=count_telemetry(produced, stored),
            timeline=TimelineSummary.model_validate((lead.get("result") or {}).get("timeline") or {}),
            hub=HubSummary(url=self._operator.url),
        )
        summary.write(plan.out / "summary.json")
        self._show.summary(
            summary, judge(summary), plan, [f"{r['room']}: {r['words']}" for r in view["rooms"] if r["words"]]
        )
        return summary, judge(summary)

    def _package(self, archive: Path, room: str) -> Path:
        """Where the package is now: in the hub's archive, or still with its room."""
        kept = self._plan.out / room / "state" / "packages" / self._session / room
        found = archive / room
        return found if found.exists() or not kept.exists() else kept

    def _wait(self, ready: Callable[[], bool], within_s: float, words: str) -> None:
        deadline = time.monotonic() + within_s
        while not ready():
            self._children.check()
            if time.monotonic() > deadline:
                raise HubSilent(f"{words} within {within_s:.0f} s; see {self._plan.out / 'logs'}")
            time.sleep(0.1)
