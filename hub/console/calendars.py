"""The page on which staff hands out calendars: who reads which, a new address with its QR code, and an end to one."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from hub.api.access import caller
from hub.api.recorders import RecorderState
from hub.console.pages import Pages
from hub.console.texts import Texts
from hub.door import address_for_devices
from hub.schedule.calendars.addresses import calendar_address, qr_svg, webcal
from hub.schedule.calendars.occurrences import Kind
from hub.schedule.calendars.subscriptions import WORDS_MOST, CalendarRefused, Subscriptions
from hub.settings import HttpSettings
from hub.store.calendar_tokens import TokenUnknown


def calendar_pages(
    pages: Pages, subscriptions: Subscriptions, http: HttpSettings, recorder: Callable[[str], RecorderState | None]
) -> APIRouter:
    """The page, and what its forms do.

    Args:
        pages: makes pages.
        subscriptions: the calendars and their tokens.
        http: says how subscribers reach the hub.
        recorder: what the recorder that signs in with a token said last, by the token's id.
    """
    routes = APIRouter(tags=["console"], default_response_class=HTMLResponse)

    def shown(request: Request, status: int = 200, **more: object) -> Response:
        t = pages.texts(request)
        known = {kind: subscriptions.known(kind) for kind in Kind}
        values = {"made": None, "refused": "", "asked": None, **more}
        return pages.page(
            request,
            "calendars.html",
            status,
            here="plan",
            kinds=_kinds(t),
            known=known,
            tokens=subscriptions.all(),
            most=WORDS_MOST,
            recorder=recorder,
            recorder_states=_recorder_states(t),
            **values,
        )

    @routes.get("/calendars", summary="The page of calendars")
    async def page(request: Request) -> Response:
        """Who may read which calendar, and a form for another."""
        return await asyncio.to_thread(shown, request)

    @routes.post("/calendars", summary="Let somebody subscribe, from the page", responses={404: {}})
    async def make(
        request: Request,
        kind: Annotated[Kind, Form()],
        who: Annotated[str, Form(max_length=64)],
        words: Annotated[str, Form(max_length=WORDS_MOST)] = "",
    ) -> Response:
        """The page, with the new address and its QR code, this once."""
        t, name = pages.texts(request), who.strip()
        try:
            made = await asyncio.to_thread(subscriptions.make, kind, name, words, caller(request).name)
        except CalendarRefused:
            refused = t("calendars.nobody", who=name)
            asked = {"kind": kind, "who": name, "words": words}
            return await asyncio.to_thread(shown, request, 404, refused=refused, asked=asked)
        hub = await asyncio.to_thread(address_for_devices, http, str(request.base_url))
        address = calendar_address(hub, made.token)
        told = {"record": made.record, "address": address, "webcal": webcal(address), "qr": qr_svg(address)}
        return await asyncio.to_thread(shown, request, 200, made=told)

    @routes.post("/calendars/{token}/revoke", summary="Revoke a token, from the page", responses={303: {}, 404: {}})
    async def revoke(request: Request, token: str) -> Response:
        """By its id; then the page again."""
        t = pages.texts(request)
        try:
            await asyncio.to_thread(subscriptions.revoke, token)
        except TokenUnknown:
            return await asyncio.to_thread(shown, request, 404, refused=t("calendars.no_token"))
        return RedirectResponse("/calendars", 303)

    return routes


def _kinds(t: Texts) -> Mapping[Kind, str]:
    return {
        Kind.SCHOOL: t("calendars.school"),
        Kind.ROOM: t("calendars.room"),
        Kind.TEACHER: t("calendars.teacher"),
        Kind.CLASS: t("calendars.class"),
    }


def _recorder_states(t: Texts) -> Mapping[str, str]:
    """What a recorder calls itself, in words; what it makes up stands as it is."""
    return {
        "idle": t("calendars.recorder.idle"),
        "capturing": t("calendars.recorder.capturing"),
        "uploading": t("calendars.recorder.uploading"),
        "error": t("calendars.recorder.error"),
        "offline": t("calendars.recorder.offline"),
        "shutting_down": t("calendars.recorder.offline"),
        "unknown": t("calendars.recorder.unknown"),
    }
