"""The hub's web side, put together: doorkeeper, routes, console, archive."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from zoneinfo import ZoneInfo

from fastapi import APIRouter, FastAPI
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contract.envelope import Envelope
from contract.keys import public_pem
from hub.api import (
    alerts,
    calendars,
    chapters,
    commands,
    devices,
    enrolment,
    health,
    live,
    materials,
    metrics,
    packages,
    plan_imports,
    plan_repairs,
    plans,
    recorders,
    reports,
    sessions,
    telemetry,
    twins,
    uploads,
)
from hub.api.access import Doorkeeper
from hub.api.figures import with_insight, with_live_figures
from hub.api.problems import add_handlers, described, responses
from hub.api.shapes import ClaimView, Health, MqttAddress, Overview
from hub.api.signin import HubSignIns, Tries
from hub.archive.expiry import Expiry
from hub.archive.intake import Intake, RoomOfSession
from hub.archive.store import FolderStore
from hub.archive.uploads import UploadFolder
from hub.console.calendars import calendar_pages
from hub.console.facts import fact_routes
from hub.console.facts_page import FactsPage
from hub.console.facts_previews import fact_upload, preview_routes
from hub.console.facts_wants import want_routes
from hub.console.found import found_routes
from hub.console.insight import insight_routes
from hub.console.materials import material_routes
from hub.console.months import month_routes
from hub.console.pages import Pages, page_routes, sign_in_routes
from hub.console.plan import plan_routes
from hub.console.plan_repairs import repair_routes
from hub.console.report import report_routes
from hub.fleet.strangers import Strangers
from hub.insight.contents import LessonContents
from hub.insight.month.figures import FiguresOfLessons
from hub.insight.month.months import Months
from hub.insight.reports import LessonReports
from hub.insight.upkeep import ContentsUpkeep
from hub.parts import HubParts
from hub.schedule.calendars.subscriptions import Style, Subscriptions
from hub.schedule.register.kinds import Kind, SchoolFact
from hub.schedule.repair.repairs import Repairs
from hub.session.conductor import Conductor
from hub.session.views import SessionView

log = logging.getLogger(__name__)

LARGEST_BODY_BYTES = 1 << 20
SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (
        b"content-security-policy",
        (
            b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
            b"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class RoomsOfConductor:
    """Which device stands for a room, as the session's order says (`hub.archive.intake.Rooms`)."""

    def __init__(self, conductor: Conductor) -> None:
        self._conductor = conductor

    def room_of_session(self, session: str, room: str) -> RoomOfSession | None:
        """The room's part in the session, or None where it has none."""
        order = self._conductor.order(session)
        part = next((one for one in order.rooms if one.room == room), None) if order else None
        if order is None or part is None:
            return None
        return RoomOfSession(part.device, order.policy.upload, order.ends, order.policy.delete_after_days)


class SafeAnswers:
    """Puts on every answer the headers that keep a browser from doing what our pages never ask for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, with the headers added; what does not say otherwise is not kept by caches."""

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", []))
                named = {name.lower() for name, _ in headers}
                headers += [header for header in SECURITY_HEADERS if header[0] not in named]
                if b"cache-control" not in named:
                    headers.append((b"cache-control", b"no-store"))
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, add)


def create_app(parts: HubParts) -> FastAPI:
    """The hub's ASGI application."""
    store = FolderStore(parts.archive)
    contents = LessonContents(parts.store.chapters, store, parts.conductor.order, parts.clock.now)
    figures = FiguresOfLessons(parts.store.figures, store, parts.conductor.order, parts.clock.now)
    upkeep = ContentsUpkeep(contents, figures.derive)
    lesson_reports = LessonReports(store, contents, parts.conductor.order, parts.clock.now)
    intake = _intake(parts, store, upkeep.arrived)
    overview = _overview(parts)
    board = live.Board(lambda: overview().model_dump_json(), parts.changes)
    expiry = Expiry(store, intake.uploads, RoomsOfConductor(parts.conductor), parts.clock.now)
    sign_ins = HubSignIns(
        parts.store.operators.hashes,
        parts.devices.key,
        parts.key,
        parts.clock.now,
        parts.devices.former_key,
        parts.settings.metrics.token,
        Strangers(parts.enrolment.ca_pem, parts.devices, parts.alerts),
    )

    def judged(view: SessionView) -> SessionView:
        return with_insight(parts.readiness.shown(view), parts.store.rows)

    commits = metrics.CommitTimes(parts.clock.now)
    parts.intake.on_stored.append(commits.on_stored)

    @asynccontextmanager
    async def running(_app: FastAPI) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(board.run(), name="api.board"),
            asyncio.create_task(expiry.run(), name="archive.expiry"),
            asyncio.create_task(upkeep.run(), name="insight.chapters"),
        ]
        for task in tasks:
            task.add_done_callback(_ended)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    app = FastAPI(
        title="Tongtang hub",
        description="Two rooms, one lesson. Every route needs an operator's or a device's token unless it says so.",
        version=parts.version,
        openapi_url=None,  # served below, to operators alone
        docs_url=None,
        redoc_url=None,
        lifespan=running,
    )
    mqtt = MqttAddress(host=parts.mqtt_host, port=parts.mqtt_port, tls=parts.settings.mqtt_tls)
    hub_key = public_pem(parts.key)
    pages = Pages(parts.settings.language)
    for routes in (
        devices.router(parts.devices, hub_key, mqtt, parts.health),
        health.router(parts.devices, parts.health),
        metrics.router(parts, commits),
        enrolment.device_routes(parts.enrolment, hub_key, mqtt),
        enrolment.claim_routes(parts.claims, parts.settings.http, hub_key, parts.clock.now),
        alerts.router(parts.alerts),
        commands.router(parts.commands),
        twins.router(parts.twins),
        sessions.router(parts.conductor, store, contents, judged),
        chapters.router(contents),
        reports.router(lesson_reports),
        packages.router(intake),
        telemetry.router(parts.store.rows, parts.store.rollups),
        live.router(board),
        sign_in_routes(pages, sign_ins, Tries(parts.clock.now)),
        insight_routes(pages, lambda session: judged(sessions.known(parts.conductor, session))),
        page_routes(pages, overview, parts.conductor, store, contents, judged),
        found_routes(pages, contents),
        material_routes(pages, parts.conductor, parts.materials),
        report_routes(pages, lesson_reports),
        *_calendar_routes(parts, pages),
        month_routes(pages, _months(parts, figures)),
        _own_routes(app, parts.version),
    ):
        app.include_router(routes, max_body_size=LARGEST_BODY_BYTES)
    zone = ZoneInfo(parts.settings.plan.timezone)
    repairs = Repairs(parts.store.repairs, parts.desk, zone, parts.clock.now)
    repair_pages = repair_routes(pages, parts.desk, repairs, parts.store.occurrences.get)
    for routes in (plan_repairs.router(repairs), repair_pages):
        app.include_router(routes, max_body_size=LARGEST_BODY_BYTES)
    for routes in (plans.router(parts.desk), plan_routes(pages, parts.desk, repairs)):
        app.include_router(routes, max_body_size=plans.LARGEST_DISTRICT_BYTES)
    imports = plan_imports.Imports(parts.store.plan_facts, parts.settings.language)
    importing = plan_imports.router(imports, zone.key, parts.settings.language, parts.clock.now)
    app.include_router(importing, max_body_size=plan_imports.LARGEST_IMPORT_BYTES)
    facts = FactsPage(pages, imports, zone.key, parts.clock.now)
    for routes in (fact_routes(facts), preview_routes(facts), want_routes(facts)):
        app.include_router(routes, max_body_size=LARGEST_BODY_BYTES)
    app.include_router(uploads.router(intake))  # these have limits of their own
    app.include_router(fact_upload(facts))
    app.include_router(materials.router(parts.materials, parts.settings.materials.most_mib << 20))
    add_handlers(app)
    app.add_middleware(Doorkeeper, sign_ins=sign_ins)
    app.add_middleware(SafeAnswers)
    return app


def _ended(task: asyncio.Task[None]) -> None:
    """Nothing in the background may end by itself without a word."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s has ended and is missing until the hub is started again", task.get_name(), exc_info=error)


def _months(parts: HubParts, figures: FiguresOfLessons) -> Months:
    def schools() -> list[SchoolFact]:
        return [SchoolFact.model_validate_json(one.data) for one in parts.store.plan_facts.all(Kind.SCHOOL)]

    zone = ZoneInfo(parts.settings.plan.timezone)
    return Months(parts.store.occurrences, parts.conductor.view, figures, schools, zone, parts.clock.now)


def _calendar_routes(parts: HubParts, pages: Pages) -> tuple[APIRouter, ...]:
    settings, store, now = parts.settings, parts.store, parts.clock.now
    style = Style.of(settings.plan.timezone, settings.language, parts.key.public_key())
    subscriptions = Subscriptions(store.occurrences, store.calendar_tokens, store.plan_facts, style, now)
    told, tries = recorders.Recorders(now), Tries(now)
    return (
        calendars.operator_routes(subscriptions, settings.http, told.of),
        calendar_pages(pages, subscriptions, settings.http, told.of),
        calendars.feed_routes(subscriptions, tries),
        recorders.recorder_routes(subscriptions, told, tries, settings.http, now),
    )


def _own_routes(app: FastAPI, version: str) -> APIRouter:
    routes = APIRouter()

    @routes.get("/healthz", summary="Whether the hub answers", tags=["health"])
    async def healthz() -> Health:
        """For monitors; needs no token and tells nothing but the version."""
        return Health(ok=True, version=version)

    @routes.get("/api/v1/openapi.json", summary="This description", tags=["health"], responses=responses())
    async def openapi() -> JSONResponse:
        """The OpenAPI description of every route."""
        return JSONResponse(described(app.openapi()))

    return routes


def _intake(parts: HubParts, store: FolderStore, arrived: Callable[[str], None]) -> Intake:
    async def receipt_given(session: str, room: str, envelope: Envelope) -> None:
        await asyncio.to_thread(parts.conductor.receipt_given, session, room, envelope)
        arrived(session)

    return Intake(
        store,
        UploadFolder(parts.archive / "uploads"),
        RoomsOfConductor(parts.conductor),
        parts.key,
        parts.clock.now,
        receipt_given,
    )


def _overview(parts: HubParts) -> Callable[[], Overview]:
    def overview() -> Overview:
        now = parts.clock.now()
        return Overview(
            now=now,
            devices=tuple(devices.shown(device, parts.health) for device in parts.devices.all()),
            sessions=tuple(
                with_live_figures(parts.readiness.shown(one), parts.store.rows) for one in parts.conductor.views()
            ),
            alerts=tuple(alerts.shown(one) for one in parts.alerts.open()),
            waiting=tuple(ClaimView.of(one, now) for one in parts.claims.waiting()),
        )

    return overview
