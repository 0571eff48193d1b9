"""On which rung two rooms stand: what the link carries, judged from what is sent and what comes.

Pure: `step` makes the next standing out of the last one, one look and the time in seconds
of the monotonic clock; look two to ten times a second. Each side judges by itself and tells
the other (`Told`, over the data channel); both stand on the worse of the two judgements.
`carries` is what the link is believed to carry. It survives an outage: cameras are sent
again at once when the link is back, and the rung that people see climbs after it in quick
steps. A return or a climb that fails is paid for with a longer wait before the next one.
"""

import json
import math
from dataclasses import dataclass, replace

from agent.stream.rung import Rung, Why, above, below, deeper, moved, sends_camera
from contract.session import Role

SILENT_S = 2.0
"""Nothing came for this long: alone. Sound comes every 20 ms, words every 0.5 s; a Wi-Fi roam takes about 1 s."""
CUT_S = 1.0
"""The same where the transport itself says that it is gone."""
LOSS_WINDOW_S = 1.0
"""`Look.sound_lost` should look back over this long: 50 packets, so that one packet counts 2 %."""
DOWN_S = 1.2
"""Trouble lasts this long before a rung is given up: longer than the loss window, so that one burst costs nothing."""
PATIENT_S = 2.0
"""The same where rate control may still mend it (our camera is sent at full tier) or only a picture stands still."""
STARVED_S = 4.0
"""The same where only the rate is too low: it dips while a queue is emptied, and sound leaves before pictures."""
SETTLE_S = LOSS_WINDOW_S
"""After a rung was given up its effect must reach the loss window before the next one is."""
CLIMB_S = 5.0
"""The link is good for this long before the next rung is climbed."""
CLIMB_MAX_S = 30.0
"""The same after climbs failed: it doubles with each failure up to this, and is forgotten after a good climb."""
TRUST_S = 30.0
"""A climb that trouble takes back within this has failed."""
RETURN_TRUST_S = 5.0
"""A return (or climb) after which nothing comes within this has failed: the next one waits as a climb does."""
STEP_S = 0.4
"""The rung that people see climbs one step in at least this: three steps within 2 s of a link's return."""
ASKED_S = 2.0
"""What the other side asked for is kept for this long after it last asked: its words come by an unreliable channel."""

SOUND_BPS = 80_000
"""One microphone on the wire: Opus at 48 kbit/s and 50 packets a second with 70 bytes of headers each."""
SLIDES_BPS = 30_000
"""The slides' share; the pacer lets them wait for up to 3 s, so a page turn may take longer."""
CAMERA_BPS = 90_000
"""The camera at the lowest step of the lower tier (70 kbit/s) and its headers."""
ROOM_TO_SPARE = 1.25
"""A rung is climbed when there is this much more than it needs: no flapping at the edge."""

LOST_GOOD = 0.02
"""Share of sound lost up to which a link is good; repaired losses do not count."""
LOST_TROUBLE = 0.05
"""From here on concealment is heard by everybody."""
LOST_BAD = 0.2
"""From here on speech is hard to follow: also the camera of the other direction goes (Wi-Fi and 4G share their air)."""
LOST_UNUSABLE = 0.4
"""From here on speech cannot be followed: better alone with the materials."""
ROUND_TRIP_GOOD_MS = 800.0
"""A satellite link (600 ms) may climb."""
ROUND_TRIP_TROUBLE_MS = 1200.0
"""Over 400 ms one way is unacceptable for conversation (ITU-T G.114); three times that is a queue, not distance."""

LINE_MAX = 200
"""Characters of a line that may be a `Told`; longer ones are something else."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the other room judged by itself."""

    carries: Rung
    """What it believes the link to carry; cameras that this rung does not allow should stop."""
    hears: bool
    """Whether our sound arrives there."""

    def line(self) -> str:
        """As it travels over the data channel."""
        return json.dumps({"carries": self.carries, "hears": self.hears})

    @classmethod
    def read(cls, line: str) -> "Told | None":
        """From the data channel; None where it is something else."""
        if len(line) > LINE_MAX:
            return None
        try:
            message = json.loads(line)
            return cls(Rung(message["carries"]), bool(message["hears"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            return None


@dataclass(frozen=True, slots=True)
class Look:
    """What can be seen of the link with one other room at one moment."""

    connected: bool
    """Whether the transport is up; False while joining anew."""
    sound_age_s: float | None = None
    """Since its last sound packet, over all joins; None before the first."""
    picture_age_s: float | None = None
    """Since the last picture (camera or slides) was decoded, over all joins; None before the first."""
    told: Told | None = None
    """What the other side told last; None where nothing came for 2 s, or it does not speak so."""
    sound_lost: float = 0.0
    """Share (0 to 1) of its sound that was lost for good over the last `LOSS_WINDOW_S`."""
    frozen: bool = False
    """Its camera's packets come, but no picture could be decoded for more than 0.5 s."""
    target_bps: int | None = None
    """What congestion control lets us send to it, in bit/s, sound included; None where unknown."""
    camera_full: bool = False
    """Our camera is sent to it at the full (recorded) tier: rate control can still step down."""
    round_trip_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a ladder stands. Times are seconds of the monotonic clock."""

    rung: Rung
    """What people see: the worse of both judgements, or alone where nothing comes."""
    since_s: float
    """When `rung` was reached."""
    why: Why
    carries: Rung = Rung.BOTH
    """Our own judgement of the link; tell it to the other side."""
    joint: Rung = Rung.BOTH
    """The worse of both sides' judgements: which cameras may be sent."""
    away: bool = True
    """Nothing comes."""
    unheard: bool = False
    """The other side says that it does not hear us."""
    trouble: Why | None = None
    """What made us give up the last rung; None once at the top again."""
    trouble_since_s: float | None = None
    good_since_s: float | None = None
    hold_s: float = CLIMB_S
    """The link must be good for this long before the next climb."""
    climbed_s: float | None = None
    """When the last climb or return was; None before the first."""
    proven: bool = True
    """Whether the last climb or return has lasted, or has been paid for."""
    asked_s: float | None = None
    """When the other side last asked for less than we judge right."""
    probe_bps: int = 0
    """The rate that the next rung needs and congestion control should try now; 0 where there is nothing to try."""

    @property
    def told(self) -> Told:
        """What to tell the other side, every 0.5 s and at each change."""
        return Told(self.carries, not self.away)


def begin(now_s: float) -> Standing:
    """Before the other room was heard: alone, in the belief that the link is good, so that joining is quick."""
    return Standing(Rung.ALONE, now_s, Why.JOINING)


def needed_bps(role: Role, rung: Rung) -> int:
    """What a room in this role sends at least on this rung, in bit/s on the wire; only the lead room has slides."""
    slides = SLIDES_BPS if role is Role.LEAD and rung is not Rung.SOUND else 0
    return SOUND_BPS + slides + (CAMERA_BPS if sends_camera(role, rung) else 0)


def step(last: Standing, look: Look, role: Role, now_s: float) -> Standing:
    """The next standing.

    Args:
        last: where the ladder stood.
        look: what is seen now.
        role: of this room.
        now_s: monotonic clock, in seconds; never less than at the last step.
    """
    away = _away(look)
    judged = _gone(last, now_s) if away else _judged(_returned(last, now_s), look, role, now_s)
    return _shown(last, _joined(judged, look.told, now_s), now_s)


def _away(look: Look) -> bool:
    if look.told is not None:
        return False
    ages = [age for age in (look.sound_age_s, look.picture_age_s) if age is not None]
    return min(ages, default=math.inf) >= (SILENT_S if look.connected else CUT_S)


def _gone(last: Standing, now_s: float) -> Standing:
    gone = replace(last, away=True, trouble_since_s=None, good_since_s=None, probe_bps=0)
    if last.away or last.climbed_s is None or now_s - last.climbed_s >= RETURN_TRUST_S:
        return gone
    return replace(_failed(gone), carries=Rung.ALONE, trouble=Why.SILENT)


def _returned(last: Standing, now_s: float) -> Standing:
    if not last.away:
        return last
    first = last.rung is Rung.ALONE and last.why is Why.JOINING
    # A return to a link that is not trusted is no climb yet: it waits.
    back = replace(last, away=False)
    return back if first or last.carries is Rung.ALONE else replace(back, climbed_s=now_s, proven=False)


def _failed(standing: Standing) -> Standing:
    """The last climb or return has failed, which is paid for once."""
    if standing.proven:
        return standing
    return replace(standing, proven=True, hold_s=min(2 * standing.hold_s, CLIMB_MAX_S))


def _judged(last: Standing, look: Look, role: Role, now_s: float) -> Standing:
    if not last.proven and last.climbed_s is not None and now_s - last.climbed_s >= TRUST_S:
        last = replace(last, proven=True, hold_s=CLIMB_S)
    trouble = _trouble(look, role, last.carries)
    if trouble is not None:
        return _suffered(last, trouble, look, now_s)
    last = replace(last, trouble_since_s=None, probe_bps=0)
    if last.carries is Rung.BOTH or not _clean(look, role, last.carries):
        return replace(last, good_since_s=None)
    since_s = now_s if last.good_since_s is None else last.good_since_s
    last = replace(last, good_since_s=since_s)
    up = above(last.carries)
    needed = math.ceil(needed_bps(role, up) * ROOM_TO_SPARE)
    if look.target_bps is not None and look.target_bps < needed:
        # What is not sent cannot be measured: congestion control has to try the rate before the camera is.
        return replace(last, probe_bps=needed if now_s - since_s >= last.hold_s / 2 else 0)
    if now_s - since_s < last.hold_s:
        return last
    return replace(
        last,
        carries=moved(last.carries, up),
        good_since_s=now_s,
        climbed_s=now_s,
        proven=False,
        trouble=None if up is Rung.BOTH else last.trouble,
    )


def _suffered(last: Standing, trouble: Why, look: Look, now_s: float) -> Standing:
    since_s = now_s if last.trouble_since_s is None else last.trouble_since_s
    last = replace(last, trouble_since_s=since_s, good_since_s=None, probe_bps=0)
    patient = trouble is Why.FROZEN or (look.camera_full and look.sound_lost < LOST_UNUSABLE)
    if now_s - since_s < (STARVED_S if trouble is Why.STARVED else PATIENT_S if patient else DOWN_S):
        return last
    carries = moved(last.carries, below(last.carries))
    return replace(_failed(last), carries=carries, trouble=trouble, trouble_since_s=now_s + SETTLE_S)


def _trouble(look: Look, role: Role, rung: Rung) -> Why | None:
    """What would justify to go one rung down from here, if anything."""
    pictures = rung in (Rung.BOTH, Rung.ONE_WAY)
    if rung is Rung.ALONE:
        return None
    if look.sound_lost >= _lost_limit(role, rung):
        return Why.LOSSY
    if not pictures:
        return None
    if look.target_bps is not None and look.target_bps < needed_bps(role, rung):
        return Why.STARVED
    if look.round_trip_ms is not None and look.round_trip_ms > ROUND_TRIP_TROUBLE_MS:
        return Why.SLOW
    return Why.FROZEN if look.frozen and _sees(role, rung) else None


def _lost_limit(role: Role, rung: Rung) -> float:
    """From which share of lost sound on a rung is too much: what goes next must be in the way of that sound."""
    if rung is Rung.SOUND:
        return LOST_UNUSABLE
    return LOST_TROUBLE if _sees(role, rung) else LOST_BAD


def _sees(role: Role, rung: Rung) -> bool:
    """Whether the other room's camera is sent on this rung."""
    return sends_camera(Role.RECEIVING if role is Role.LEAD else Role.LEAD, rung)


def _clean(look: Look, role: Role, rung: Rung) -> bool:
    return (
        look.connected
        and look.sound_lost <= LOST_GOOD
        and (look.round_trip_ms is None or look.round_trip_ms <= ROUND_TRIP_GOOD_MS)
        and not (look.frozen and _sees(role, rung))
    )


def _joined(judged: Standing, told: Told | None, now_s: float) -> Standing:
    """Put both judgements together."""
    unheard = told is not None and not told.hears and not judged.away
    # Alone is a judgement about what arrives there; here sound and slides go on towards it.
    asked = Rung.BOTH if told is None else Rung.SOUND if told.carries is Rung.ALONE else told.carries
    if asked.depth > judged.carries.depth:
        return replace(judged, unheard=unheard, joint=deeper(asked, judged.joint), asked_s=now_s)
    if judged.asked_s is not None and now_s - judged.asked_s < ASKED_S:
        return replace(judged, unheard=unheard, joint=deeper(judged.joint, judged.carries))
    return replace(judged, unheard=unheard, joint=judged.carries, asked_s=None)


def _shown(last: Standing, now: Standing, now_s: float) -> Standing:
    """Move the rung that people see: down at once, up one step at a time."""
    goal = Rung.ALONE if now.away else now.joint
    rung = last.rung
    if goal.depth > rung.depth:
        rung = moved(rung, goal)
    elif goal.depth < rung.depth and now_s - last.since_s >= STEP_S:
        rung = moved(rung, above(rung))
    since_s = last.since_s if rung is last.rung else now_s
    return replace(now, rung=rung, since_s=since_s, why=_why(last, now, rung, now_s))


def _why(last: Standing, now: Standing, rung: Rung, now_s: float) -> Why:
    if now.away:
        return Why.JOINING if last.why is Why.JOINING else Why.SILENT
    if now.trouble_since_s is not None and now.trouble is not None:
        return now.trouble
    if rung is Rung.BOTH:
        return Why.FINE
    if now.joint.depth > now.carries.depth:
        return Why.ASKED
    promising = now.good_since_s is not None and now_s - now.good_since_s >= now.hold_s / 2 and not now.probe_bps
    return Why.CLIMBING if promising or rung is not now.joint else now.trouble or Why.CLIMBING
