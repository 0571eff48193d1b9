"""The certificate authority: there, whole, and good for some time yet."""

import datetime as dt

from hub.checks.line import CheckLine, bad, ok, warn
from hub.fleet.authority import DAY_S, Authority, place
from hub.fleet.errors import AuthorityUnusable
from hub.settings import HubSettings

NAME = "authority"
SOON_DAYS = 365
"""To replace an authority every device is enrolled anew: that wants a year's notice."""


def look(settings: HubSettings) -> CheckLine:
    """Whether the hub can sign the certificates of its devices."""
    at = place(settings)
    if at.own and not at.certificate.exists():
        return warn(NAME, f"there is none in {at.certificate.parent} yet", "the next start of the hub makes it")
    try:
        authority = Authority.open(settings)
    except AuthorityUnusable as unusable:
        return bad(NAME, str(unusable), "devices cannot enrol, nor renew, until then")
    days = (authority.expires - dt.datetime.now(dt.UTC).timestamp()) / DAY_S
    ends = dt.datetime.fromtimestamp(authority.expires, dt.UTC).date()
    words = f"{'the hub’s own' if at.own else at.certificate}, good until {ends}"
    if days < 0:
        return bad(NAME, f"{words}: that is over", "put a new one in its place and enrol every device anew")
    if days < SOON_DAYS:
        return warn(NAME, words, "plan a new one in good time: every device must be enrolled anew")
    return ok(NAME, words)
