"""Enrolment over HTTP: claim codes, machines that show them, certificates that are renewed."""

import asyncio
from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from contract.enrolment import Ticket, fingerprint
from hub.api.access import caller
from hub.api.enrolment_shapes import ClaimIn, ClaimMade, Enrolled, EnrolmentIn, RenewalIn, Renewed, Waiting
from hub.api.problems import responses
from hub.api.shapes import ClaimView, MqttAddress
from hub.door import HERE, address_for_devices
from hub.fleet.claims import Claims, NewClaim
from hub.fleet.enrolment import Enrolment, Waits
from hub.settings import HttpSettings


def device_routes(enrolment: Enrolment, hub_public_key: str, mqtt: MqttAddress) -> APIRouter:
    """What machines and devices ask for."""
    routes = APIRouter(prefix="/api/v1", tags=["enrolment"])

    @routes.post(
        "/enrolments",
        summary="Become a device",
        response_model=Enrolled | Waiting,
        responses={202: {"model": Waiting}, **responses(409, 410, 422, 429)},
    )
    async def enrol(request: Request, response: Response, asked: EnrolmentIn) -> Enrolled | Waiting:
        """Show a claim code with a certificate request; needs no token.

        202 while an operator must confirm: ask again with the same key. The same code with the same key gives the
        same device again, with a fresh certificate; with another key it is refused. After too many wrong codes 429,
        with `Retry-After` in seconds.
        """
        address = request.client.host if request.client else ""
        found = await asyncio.to_thread(enrolment.enrol, asked.code, asked.csr, asked.machine, address)
        if isinstance(found, Waits):
            response.status_code = 202
            return Waiting(words=found.words)
        host = (request.url.hostname or mqtt.host) if mqtt.host in HERE else mqtt.host
        return Enrolled(
            device=found.device.id,
            room=found.device.room,
            name=found.device.name,
            school=found.device.school,
            hub_public_key=hub_public_key,
            certificate=found.issued.certificate_pem,
            ca=enrolment.ca_pem,
            mqtt=MqttAddress(host=host, port=mqtt.port, tls=mqtt.tls),
        )

    @routes.post("/certificates", summary="Renew a certificate", responses=responses(422))
    async def renew(request: Request, asked: RenewalIn) -> Renewed:
        """A new certificate for the device that asks, whose token proves its key.

        Also up to 180 days after the last one expired, with an alert; never once it is revoked.
        """
        issued = await asyncio.to_thread(enrolment.renew, caller(request).name, asked.csr)
        return Renewed(certificate=issued.certificate_pem, ca=enrolment.ca_pem)

    return routes


def claim_routes(claims: Claims, http: HttpSettings, hub_public_key: str, now: Callable[[], float]) -> APIRouter:
    """What operators ask for."""
    routes = APIRouter(prefix="/api/v1/claims", tags=["enrolment"])
    hub_key = fingerprint(hub_public_key)

    @routes.post("", summary="Make a claim code", status_code=201, responses=responses(409, 422))
    async def make(request: Request, asked: ClaimIn) -> ClaimMade:
        """A one-time code for a room, shown this once: 15 minutes, or 14 days where its first use is confirmed."""
        room = NewClaim(asked.school, asked.room, asked.name)
        (made,) = await asyncio.to_thread(claims.make, [room], confirm=asked.confirm, by=caller(request).name)
        hub = await asyncio.to_thread(address_for_devices, http, str(request.base_url))
        ticket = Ticket(hub, made.code, hub_key).text()
        return ClaimMade(code=made.code, room=asked.room, expires=made.expires, hub=hub, hub_key=hub_key, ticket=ticket)

    @routes.get("", summary="The claims", responses=responses())
    async def every() -> list[ClaimView]:
        """The newest claim of each room that had one in the last 30 days, by school and room; never a code."""
        return [ClaimView.of(one, now()) for one in await asyncio.to_thread(claims.all)]

    @routes.post("/{room}/confirm", summary="Confirm the first use of a code", responses=responses(409))
    async def confirm(request: Request, room: str) -> ClaimView:
        """Let the machine that showed the room's code first have the room; it asks again by itself."""
        found = await asyncio.to_thread(claims.confirm, room, caller(request).name)
        return ClaimView.of(found, now())

    return routes
