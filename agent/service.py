"""Starts and supervises everything in one classroom."""

import asyncio
import contextlib
import logging
import secrets
import signal as signals
import time
import zlib
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

import psutil

from agent.capture.spec import Scheme, SourceSpec
from agent.classroom import PictureLimits
from agent.house import House
from agent.hubdoor import hub_client
from agent.identity import Identity, device_token
from agent.keeping import Keeping
from agent.lessons import Lessons
from agent.masking import room_masks
from agent.materials import MaterialFolder, Prefetch
from agent.observe.observer import Observer, ObserverLimits
from agent.observe.view import View
from agent.papers import Papers
from agent.platform import notify, watchdog_s
from agent.recentlog import RecentLog
from agent.record.package import Standpoint
from agent.record.store import FolderStore, PackageRef
from agent.remote import Host, Remote
from agent.report.health.runs import Ending
from agent.report.health.wanted import Wanted
from agent.report.report import Report
from agent.settings import AgentSettings
from agent.stream import rtc
from agent.stream.loudspeaker import Loudspeaker
from agent.stream.mediaclock import MediaClock
from agent.teacher import Teacher
from agent.twin import Twin
from contract.observation import Observation
from contract.package import Receipt
from contract.session import SessionOrder
from models.manifest import models_folder

log = logging.getLogger(__name__)


class AgentService:
    """Everything that runs in one classroom."""

    def __init__(
        self, identity: Identity, settings: AgentSettings, spec: SourceSpec, twin: Twin, recent: RecentLog
    ) -> None:
        """Open outboxes, orders and clock; nothing is started yet.

        Args:
            identity: this device.
            settings: the agent's settings, with what is in force of the twin.
            spec: the room's source.
            twin: what the hub wants of the settings.
            recent: the last lines of the log.

        Raises:
            agent.report.journal.JournalUnusable: what was begun of commands cannot be read.
        """
        self._identity = identity
        self._settings = settings
        self._spec = spec
        self._incarnation = secrets.token_hex(6)
        self._stop = asyncio.Event()
        self._again = False
        self._stopping = False
        self._loop = asyncio.get_running_loop()
        self._media_clock = MediaClock(time.time_ns() - time.monotonic_ns())
        rtc.install(self._media_clock, settings.media.addresses)
        self._report = Report(
            identity, settings, incarnation=self._incarnation, version=own_version(), wanted=wanted_devices(spec)
        )
        self._report.on_order = lambda order: self._call(self._take_order, order)
        self._report.on_signal = lambda signal: self._call(self._lessons.take_signal, signal)
        self._report.on_hub = lambda connected: self._call(self._hub_reached, connected)
        self._store = FolderStore(settings.state / "packages")
        self._keeping = Keeping(
            self._store,
            identity,
            self._report.clock,
            quiet=lambda: not self._lessons.live,
            current=lambda: self._lessons.sessions,
            on_uploaded=lambda ref, receipt: self._call(self._uploaded, ref, receipt),
            on_trouble=lambda words: self._call(self._upload_trouble, words),
            keep_uploaded=settings.record.keep_uploaded,
            upload_bps=settings.record.upload_bps,
            ca=settings.hub.ca,
        )
        self._materials = MaterialFolder(settings.state / "materials", settings.record.min_free_bytes)
        self._prefetch = self._make_prefetch()
        self._papers = Papers(identity, settings, self._report) if identity.mqtt_tls else None
        wanted = settings.sources.loudspeaker
        self._loudspeaker = None if wanted == "none" else Loudspeaker(wanted, self._no_loudspeaker)
        self._teacher = Teacher(settings.overlay_socket, settings.overlay_token, find=self._materials.path)
        self._lessons = Lessons(
            identity.device, identity.room, self._make_house(), self._keeping, self._report.clock.now
        )
        self._remote = Remote(identity, settings, self._report, twin, recent, self._make_host())
        if twin.lost:
            self._report.health.lost("twin", twin.lost)

    async def run(self) -> bool:
        """Serve until `stop` is called or SIGTERM comes; a lesson that is live goes on with the next start.

        Returns:
            Whether the service is to be built anew at once, in this process.
        """
        for name in ("SIGTERM", "SIGINT"):
            with contextlib.suppress(NotImplementedError, RuntimeError):  # Windows has no such handlers
                self._loop.add_signal_handler(getattr(signals, name), self.stop)
        parts: list[asyncio.Task[None]] = []
        try:
            await self._begin()
            parts += self._at_work()
            notify("READY=1")
            log.info("room %s (%s) is at work", self._identity.room, self._identity.device)
            stopped = asyncio.create_task(self._stop.wait(), name="service.stop")
            await asyncio.wait([stopped, *parts], return_when=asyncio.FIRST_COMPLETED)
            for part in parts:
                if part.done():
                    part.result()
        except Exception:
            self._report.health.ending = Ending.FAULT
            raise
        finally:
            # A manager that hears STOPPING would kill what comes after.
            notify("RELOADING=1" if self._again else "STOPPING=1")
            await self._end(parts)
        return self._again

    def stop(self) -> None:
        """End the service, also where it was to be built anew."""
        self._again = False
        self._stopping = True
        self._stop.set()

    def start_anew(self) -> None:
        """End the service, so that another one is built at once."""
        self._again = not self._stopping
        self._stop.set()

    async def _begin(self) -> None:
        """Report, take up what is ordered, and tell of what earlier runs left."""
        self._report.reporter.event("agent.start", {"incarnation": self._incarnation, "version": own_version()})
        self._report.start()
        self._remote.start()
        self._prefetch.start()
        for order in self._report.orders.orders():
            self._lessons.take_order(order)
        await asyncio.to_thread(self._keeping.seal_left_behind)
        await asyncio.to_thread(self._lessons.tell_sealed)

    def _at_work(self) -> list[asyncio.Task[None]]:
        """Everything that runs until the service ends."""
        runs = {
            "keeping": self._keeping.run(),
            "teacher": self._teacher.run(),
            "watchdog": self._watchdog(),
            "remote": self._remote.run(),
        }
        if self._papers is not None:
            runs["papers"] = self._papers.run()
        return [asyncio.create_task(run, name=f"service.{name}") for name, run in runs.items()]

    async def _end(self, parts: list[asyncio.Task[None]]) -> None:
        for part in parts:
            part.cancel()
        await asyncio.gather(*parts, self._lessons.end(), return_exceptions=True)
        if self._loudspeaker is not None:
            self._loudspeaker.close()
        await self._remote.stop()
        await asyncio.to_thread(self._prefetch.stop)
        self._report.reporter.event("agent.stop", {"incarnation": self._incarnation})
        await asyncio.to_thread(self._report.stop)

    # Told by the other parts, on the event loop.

    def _hub_reached(self, connected: bool) -> None:  # noqa: FBT001 - the report's callback
        self._teacher.hub(connected=connected)
        if connected:
            self._keeping.wake()
            self._prefetch.wake()
            self._remote.connected()

    def _take_order(self, order: SessionOrder) -> None:
        self._lessons.take_order(order)
        self._prefetch.wake()

    def _uploaded(self, ref: PackageRef, receipt: Receipt) -> None:
        del receipt
        self._report.reporter.event("record.uploaded", {"session": ref.session, "room": ref.room})
        self._lessons.uploaded(ref.session)

    def _no_loudspeaker(self, words: str) -> None:
        self._report.reporter.event("loudspeaker.trouble", {"words": words})
        log.warning(words)

    def _upload_trouble(self, words: str) -> None:
        self._report.reporter.event("upload.trouble", {"words": words})
        log.warning(words)

    def _material_trouble(self, words: str) -> None:
        self._report.reporter.event("materials.trouble", {"words": words})
        log.warning(words)

    # What lessons are handed.

    def _make_house(self) -> House:
        settings, report = self._settings, self._report
        video = settings.video
        return House(
            incarnation=self._incarnation,
            standpoint=Standpoint(report.boot, report.clock, report.clock.record, {"tongtang": own_version()}),
            media_clock=self._media_clock,
            spec=self._spec,
            seed=settings.sources.seed or zlib.crc32(self._identity.room.encode()) % 1000,
            name=self._identity.name,
            limits=PictureLimits(video.width_max, video.height_max, video.fps_max, video.bitrate_max),
            store=self._store,
            min_free_bytes=settings.record.min_free_bytes,
            send=report.courier.send,
            report=report.reporter,
            observer=self._make_observer if settings.observe.enabled else None,
            playout=self._loudspeaker,
            on_change=self._show,
            lapel=settings.observe.teacher_microphone,
            masks=room_masks(settings),
        )

    def _make_prefetch(self) -> Prefetch:
        identity, clock = self._identity, self._report.clock
        return Prefetch(
            self._materials,
            hub_client(identity, self._settings.hub.ca, clock.heard_now),
            device=identity.device,
            token=lambda: device_token(identity, clock.now()),
            orders=self._report.orders.standing,
            now=clock.heard_now,
            quiet=lambda: not self._lessons.live,
            free_bytes=lambda folder: psutil.disk_usage(str(folder)).free,
            on_trouble=lambda words: self._call(self._material_trouble, words),
        )

    def _make_host(self) -> Host:
        identity = self._identity
        called = " ".join(part for part in (identity.school, identity.name or identity.room) if part)
        return Host(
            version=own_version(),
            lesson_on=lambda: self._lessons.live,
            identify=lambda seconds: self._teacher.identify(called, seconds),
            start_anew=self.start_anew,
            renew=self._papers.renew if self._papers is not None else None,
        )

    def _make_observer(
        self,
        *,
        on_observation: Callable[[Observation], None],
        on_trouble: Callable[[str], None],
        session_t: Callable[[int], float],
        words: bool,
    ) -> Observer:
        settings = self._settings
        return Observer(
            settings.models.folder or models_folder(),
            on_observation=on_observation,
            on_trouble=on_trouble,
            session_t=session_t,
            boot=self._report.boot,
            people_hz=settings.observe.people_hz,
            bodies_s=1 / settings.observe.board_hz,
            slides_hz=settings.observe.slides_hz,
            slide_text=settings.observe.slide_text,
            view=View.of(settings.observe.seats, settings.observe.board),
            face_model=settings.observe.face_model,
            recogniser=settings.observe.recogniser,
            words=words,
            limits=ObserverLimits(cpu_share=settings.observe.cpu_share),
        )

    def _show(self) -> None:
        lesson = self._lessons.foremost
        self._teacher.show(lesson, lambda: lesson.stands if lesson is not None else {})

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended; what is told now is told again after the start
            self._loop.call_soon_threadsafe(function, *arguments)

    async def _watchdog(self) -> None:
        period_s = watchdog_s()
        while True:
            if period_s is not None:
                notify("WATCHDOG=1")
            await asyncio.sleep((period_s or 60.0) / 3)


def wanted_devices(spec: SourceSpec) -> Wanted:
    """Devices of this machine that a room's source names."""
    picture, sound = spec.picture, spec.sound or spec.picture
    camera = picture.index if picture.scheme is Scheme.CAMERA else None
    return Wanted(camera=camera, microphone=sound.scheme is Scheme.MIC)


def own_version() -> str:
    """Version of this program."""
    try:
        return version("tongtang")
    except PackageNotFoundError:
        return "0"
