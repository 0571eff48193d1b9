"""Who subscribes to which calendar: tokens made and revoked, and what each of them opens. Blocks on the database."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from contract.envelope import PublicKey
from contract.keys import public_pem
from hub.door import address_for_devices
from hub.fleet.desk import by, here
from hub.founding import hub_key
from hub.schedule.calendars.feed import Heading
from hub.schedule.calendars.occurrences import Kind
from hub.schedule.errors import ScheduleRefused
from hub.settings import HubSettings
from hub.store.calendar_tokens import CalendarToken, CalendarTokenTable, calendar_token_hash, new_calendar_token
from hub.store.occurrences import OccurrenceRecord, OccurrenceTable
from hub.store.plan_facts import PlanFactTable
from hub.store.store import Store

DAY_S = 86_400.0
SHOWN_PAST_S = 60 * DAY_S
"""A feed goes back so far."""
SHOWN_AHEAD_S = 400 * DAY_S
WORDS_MOST = 200
"""Letters of what a token is for."""


class CalendarRefused(ScheduleRefused):
    """Something asked of the calendars cannot be done."""


class TokenWrong(CalendarRefused):
    """Nobody was ever given this token."""


class TokenRevoked(CalendarRefused):
    """The token was revoked."""


@dataclass(frozen=True, slots=True)
class Made:
    """A token, this once."""

    token: str
    record: CalendarToken


@dataclass(frozen=True, slots=True)
class Style:
    """How every calendar of a hub is written."""

    timezone: ZoneInfo
    language: str
    domain: str
    """Stands behind each UID."""

    @classmethod
    def of(cls, timezone: str, language: str, key: PublicKey) -> "Style":
        """The style of a hub with this public key: UIDs outlive a new address, not a new hub."""
        digest = hashlib.sha256(public_pem(key).encode()).hexdigest()[:16]
        return cls(ZoneInfo(timezone), language, f"{digest}.tongtang")


class Subscriptions:
    """Calendars and their tokens.

    Args:
        occurrences: what the calendars hold.
        tokens: who may read them.
        facts: who there is.
        style: how they are written.
        now: seconds of hub UTC.
    """

    def __init__(
        self,
        occurrences: OccurrenceTable,
        tokens: CalendarTokenTable,
        facts: PlanFactTable,
        style: Style,
        now: Callable[[], float],
    ) -> None:
        self._occurrences = occurrences
        self._tokens = tokens
        self._facts = facts
        self._style = style
        self._now = now

    @property
    def language(self) -> str:
        """Of the calendars' words."""
        return self._style.language

    def make(self, kind: Kind, who: str, words: str, operator: str) -> Made:
        """A new token for the calendar of `who`; others for it stay good.

        Raises:
            CalendarRefused: there is nobody of that name.
        """
        self.expect(kind, who)
        token = new_calendar_token()
        record = CalendarToken(calendar_token_hash(token), kind, who, words.strip()[:WORDS_MOST], operator, self._now())
        self._tokens.add(record)
        return Made(token, record)

    def all(self) -> list[CalendarToken]:
        """Every token, revoked ones too, the newest first."""
        return self._tokens.all()

    def revoke(self, token_id: str) -> CalendarToken:
        """Let a token open nothing any more.

        Raises:
            hub.store.calendar_tokens.TokenUnknown: there is none with this id.
        """
        return self._tokens.revoke(token_id, self._now())

    def opened_by(self, token: str) -> CalendarToken:
        """What a token opens; that it was read is noted.

        Raises:
            TokenWrong: nobody has this token.
            TokenRevoked: it opens nothing any more.
        """
        found = self._tokens.of(token)
        if found is None:
            raise TokenWrong("no calendar has this address; ask whoever runs the hub for a new one")
        if found.revoked is not None:
            raise TokenRevoked("this calendar's address was revoked; ask whoever runs the hub for a new one")
        self._tokens.note_read(found, self._now())
        return found

    def expect(self, kind: Kind, who: str) -> None:
        """Refuse whom neither the facts nor any lesson knows.

        Raises:
            CalendarRefused: there is nobody of that name.
        """
        if self._facts.get(kind.value, who) is None and who not in self._occurrences.who(kind):
            raise CalendarRefused(f"there is no {kind} {who}; name it as the plan does")

    def known(self, kind: Kind) -> dict[str, str]:
        """Everybody of a kind: what people call them, by id; empty where only old lessons know them."""
        named = {one.id: str(json.loads(one.data).get("name", "")) for one in self._facts.all(kind.value)}
        return {**dict.fromkeys(self._occurrences.who(kind), ""), **named}

    def heading(self, kind: Kind, who: str) -> Heading:
        """What stands above a calendar."""
        return Heading(kind, who, self._style.timezone, self._style.language, self._style.domain)

    def lessons(self, kind: Kind, who: str) -> list[OccurrenceRecord]:
        """What a calendar holds: the last two months and whatever lies ahead."""
        now = self._now()
        return self._occurrences.of(kind, who, now - SHOWN_PAST_S, now + SHOWN_AHEAD_S)


@dataclass(frozen=True, slots=True)
class CalendarDesk:
    """A hub's calendars, opened beside the hub."""

    subscriptions: Subscriptions
    hub: str
    """URL of the hub, for whoever subscribes."""
    by: str
    """Who acts, for the list."""


@contextmanager
def calendar_desk(settings: HubSettings, url: str = "") -> Iterator[CalendarDesk]:
    """Open a hub's calendars; the hub may run meanwhile and sees at once what is done here.

    Args:
        settings: of the hub.
        url: how subscribers reach it, where that is not what the settings say.

    Raises:
        HubRefused: there is no hub, or its certificate cannot be used.
        hub.store.errors.StoreRefused: the database cannot be opened.
    """
    style = Style.of(settings.plan.timezone, settings.language, hub_key(settings.data).public_key())
    store = Store.open(settings.database_url)
    try:
        hub = url.rstrip("/") or address_for_devices(settings.http, here(settings, store))
        yield CalendarDesk(
            Subscriptions(store.occurrences, store.calendar_tokens, store.plan_facts, style, time.time), hub, by()
        )
    finally:
        store.close()
