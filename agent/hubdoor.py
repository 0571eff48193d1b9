"""Asking the hub over HTTP, with an answer in words where it does not work."""

import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import httpx
from pydantic import ValidationError

from agent.identity import EnrolmentRefused, HubUnreachable, HubUntrusted, Identity, short
from agent.trust import hub_trust, untrusted
from contract.model import Message

TIMEOUT_S = 30.0

T = TypeVar("T", bound=Message)


def hub_client(identity: Identity, ca: Path | None, heard_now: Callable[[], float | None]) -> httpx.Client:
    """A client that asks this device's hub, and nobody else.

    Args:
        identity: whose hub.
        ca: file of the authority that signed the hub's certificate; None where this system knows it.
        heard_now: the hub's time, where it was heard.

    Raises:
        HubUntrusted: `ca` cannot be used.
    """
    trust = hub_trust(ca, heard_now)
    # A proxy of the school's must not stand between a classroom and its hub.
    return httpx.Client(base_url=identity.hub_url, timeout=TIMEOUT_S, trust_env=False, verify=trust)


def ask(
    hub_url: str, path: str, body: Mapping[str, str], trust: ssl.SSLContext, *, token: str = "", timeout_s: float = 10.0
) -> httpx.Response:
    """Post `body` as JSON; what the hub answers, whether it is yes or no.

    Raises:
        HubUnreachable: nobody answered.
        HubUntrusted: the certificate of what answers is not trusted here.
    """
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        # A proxy of the school's must not stand between a classroom and its hub.
        return httpx.post(
            f"{hub_url}{path}", json=body, headers=headers, timeout=timeout_s, trust_env=False, verify=trust
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        if words := untrusted(hub_url, error):
            raise HubUntrusted(words) from error
        why = str(error) or type(error).__name__
        raise HubUnreachable(
            f"no hub answers at {hub_url} ({why}); is it running, and is the address right?"
        ) from error


def reason(reply: httpx.Response) -> str:
    """Why the hub said no, in its own words."""
    try:
        said = reply.json()
    except ValueError:
        said = None
    if isinstance(said, dict):
        told = [str(said[key]) for key in ("error", "what_to_do", "detail") if said.get(key)]
        if told:
            return "; ".join(told)
    return f"HTTP {reply.status_code}"


def understood(form: type[T], reply: httpx.Response, hub_url: str) -> T:
    """What the hub answered, in the form that was agreed.

    Raises:
        EnrolmentRefused: it is of another form.
    """
    try:
        return form.model_validate_json(reply.content)
    except ValidationError as error:
        raise EnrolmentRefused(f"what answers at {hub_url} is not a Tongtang hub ({short(error)})") from error
