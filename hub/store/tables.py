"""The tables. Messages of the contract are kept as the JSON text that was signed or received."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ROW_ID = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite makes rowids for INTEGER only."""
NAME = String(64)
"""A device, room or session."""
WORDS = Text()

META = Table(
    "meta",
    METADATA,
    Column("name", NAME, primary_key=True),
    Column("value", Text(), nullable=False),
)
"""Small facts about this hub: ports it took before."""

DEVICE = Table(
    "device",
    METADATA,
    Column("id", NAME, primary_key=True),
    Column("room", NAME, nullable=False, index=True),
    Column("name", Text(), nullable=False),
    Column("school", Text(), nullable=False),
    Column("public_key", Text(), nullable=False),
    Column("registered", Float(), nullable=False),
    Column("machine", NAME, nullable=False),
    Column("revoked", Float()),
    Column("online", Boolean(), nullable=False),
    Column("boot", Text(), nullable=False),
    Column("incarnation", Text(), nullable=False),
    Column("version", Text(), nullable=False),
    Column("last_seen", Float()),
    Column("why", WORDS, nullable=False),
)
"""Who may speak to the hub, in which room it stands, and whether it is there.
`machine` is the fingerprint that its presence told last; `revoked` when it was shut out, for good.
A room has one device that is not revoked."""

CERTIFICATE = Table(
    "certificate",
    METADATA,
    Column("serial", NAME, primary_key=True),
    Column("device", NAME, nullable=False, index=True),
    Column("issued", Float(), nullable=False),
    Column("expires", Float(), nullable=False),
    Column("revoked", Float()),
)
"""Client certificates that the hub's authority signed; the serial in lower-case hexadecimal."""

CLAIM = Table(
    "claim",
    METADATA,
    Column("code_sha256", NAME, primary_key=True),
    Column("device", NAME, nullable=False),
    Column("room", NAME, nullable=False),
    Column("name", Text(), nullable=False),
    Column("school", Text(), nullable=False),
    Column("created", Float(), nullable=False),
    Column("expires", Float(), nullable=False),
    Column("needs_confirming", Boolean(), nullable=False),
    Column("confirmed", Float()),
    Column("used", Float()),
    Column("public_key", Text()),
    Column("machine", NAME, nullable=False),
    Column("address", Text(), nullable=False),
    Index(None, "room"),
)
"""One-time codes by which a machine becomes a device; the code itself is never stored. `used`, `public_key`,
`machine` and `address` say who showed it first; nobody else may from then on."""

ALERT = Table(
    "alert",
    METADATA,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("device", NAME, nullable=False),
    Column("kind", NAME, nullable=False),
    Column("words", WORDS, nullable=False),
    Column("raised", Float(), nullable=False),
    Column("last", Float(), nullable=False),
    Column("times", Integer(), nullable=False),
    Column("cleared", Float()),
    Index(None, "device", "kind"),
)
"""What somebody should look at; one open line for each device and kind. `last` and `times` say how often since."""

COMMAND = Table(
    "command",
    METADATA,
    Column("id", NAME, primary_key=True),
    Column("device", NAME, nullable=False),
    Column("name", NAME, nullable=False),
    Column("envelope", Text(), nullable=False),
    Column("operator", NAME, nullable=False),
    Column("issued", Float(), nullable=False),
    Column("expires", Float(), nullable=False),
    Column("state", String(16), nullable=False),
    Column("words", WORDS, nullable=False),
    Column("result", Text()),
    Column("finished", Float()),
    Index(None, "device", "issued"),
    Index(None, "state"),
)
"""Commands to devices, by the id of their signed envelope, with what came of them."""

TWIN = Table(
    "twin",
    METADATA,
    Column("device", NAME, primary_key=True),
    Column("rev", Integer(), nullable=False),
    Column("desired", Text(), nullable=False),
    Column("changed", Float(), nullable=False),
    Column("reported_rev", Integer(), nullable=False),
    Column("status", String(16), nullable=False),
    Column("words", WORDS, nullable=False),
    Column("reported", Text()),
    Column("reported_at", Float()),
)
"""Desired and reported configuration of a device."""

SESSION = Table(
    "session",
    METADATA,
    Column("id", NAME, primary_key=True),
    Column("order", Text(), nullable=False),
    Column("rev", Integer(), nullable=False),
    Column("epoch", Float(), nullable=False),
    Column("ends", Float(), nullable=False),
    Column("state", String(16), nullable=False),
    Column("words", WORDS, nullable=False),
    Column("closed", Boolean(), nullable=False),
    Column("created", Float(), nullable=False),
    Column("changed", Float(), nullable=False),
    Index(None, "closed", "epoch"),
    Index(None, "ends"),
)
"""One session: the order as its rooms must hold it. `epoch` and `ends` repeat it, to be searched by.
`closed`: nothing more is expected of any room."""

SESSION_ROOM = Table(
    "session_room",
    METADATA,
    Column("session", NAME, ForeignKey("session.id", ondelete="CASCADE"), primary_key=True),
    Column("room", NAME, primary_key=True),
    Column("device", NAME, nullable=False),
    Column("held", Integer(), nullable=False),
    Column("state", String(16), nullable=False),
    Column("words", WORDS, nullable=False),
    Column("incarnation", Text(), nullable=False),
    Column("issued", Float(), nullable=False),
    Column("result", Text()),
    Column("receipt", Text()),
    Index(None, "room"),
    Index(None, "device"),
)
"""One room in a session: what it last reported, which revision of the order its device holds,
its account of the lesson and the hub's receipt for its package."""


def _rows(name: str) -> Table:
    return Table(
        name,
        METADATA,
        Column("id", ROW_ID, primary_key=True, autoincrement=True),
        Column("stream", NAME, nullable=False),
        Column("seq", BigInteger(), nullable=False),
        Column("producer", NAME, nullable=False),
        Column("device", NAME, nullable=False),
        Column("kind", NAME, nullable=False),
        Column("boot", NAME, nullable=False),
        Column("mono_ns", BigInteger(), nullable=False),
        Column("wall", Float(), nullable=False),
        Column("received", Float(), nullable=False),
        Column("digest", String(32), nullable=False),
        Column("data", Text(), nullable=False),
        UniqueConstraint("stream", "seq"),
        Index(None, "device", "received"),
    )


TELEMETRY = _rows("telemetry")
"""Samples: health, link, levels."""
EVENT = _rows("event")
"""What happened: worth more than a sample, so in a stream of its own."""

STREAM = Table(
    "stream",
    METADATA,
    Column("stream", NAME, primary_key=True),
    Column("device", NAME, nullable=False, index=True),
    Column("kind", String(8), nullable=False),
    Column("upto", BigInteger(), nullable=False),
)
"""The watermark: every row of the stream up to `upto` is stored, or declared lost in `gap`."""

GAP = Table(
    "gap",
    METADATA,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("stream", NAME, nullable=False, index=True),
    Column("first", BigInteger(), nullable=False),
    Column("last", BigInteger(), nullable=False),
    Column("declared", Float(), nullable=False),
)
"""Rows that a device said it no longer holds and that we do not have either."""

QUARANTINE = Table(
    "quarantine",
    METADATA,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("stream", NAME, nullable=False),
    Column("seq", BigInteger(), nullable=False),
    Column("digest", String(32), nullable=False),
    Column("device", NAME, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("why", WORDS, nullable=False),
    Column("received", Float(), nullable=False),
    Column("row", Text(), nullable=False),
    UniqueConstraint("stream", "seq", "digest", "device"),
)
"""Rows under a key that holds something else, as a cloned disk makes them; kept, never counted as stored."""


def _rollup(name: str) -> Table:
    return Table(
        name,
        METADATA,
        Column("device", NAME, primary_key=True),
        Column("kind", NAME, primary_key=True),
        Column("bucket", BigInteger(), primary_key=True),
        Column("rows", Integer(), nullable=False),
        Column("data", Text(), nullable=False),
        Index(None, "bucket"),
    )


ROLLUP_MINUTE = _rollup("rollup_minute")
"""Telemetry of one device and kind in one minute. `bucket`: its beginning, in seconds of hub UTC; `data`:
smallest, largest, sum and count of each number, by its name."""
ROLLUP_HOUR = _rollup("rollup_hour")
"""The same in one hour."""

CHAPTER_LIST = Table(
    "chapter_list",
    METADATA,
    Column("session", NAME, ForeignKey("session.id", ondelete="CASCADE"), primary_key=True),
    Column("rev", Integer(), nullable=False),
    Column("edited", Boolean(), nullable=False),
    Column("editor", NAME, nullable=False),
    Column("changed", Float(), nullable=False),
    Column("basis", Text(), nullable=False),
)
"""Chapters of one lesson: derived from what `basis` names, or edited by an operator. `rev` grows with each change."""

CHAPTER = Table(
    "chapter",
    METADATA,
    Column("session", NAME, ForeignKey("chapter_list.session", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer(), primary_key=True, autoincrement=False),
    Column("start", Float(), nullable=False),
    Column("seconds", Float(), nullable=False),
    Column("title", Text()),
    Column("source", String(16), nullable=False),
    Column("confidence", Float()),
    Column("sought", Text(), nullable=False),
)
"""One chapter of a list, `start` and `seconds` in session time; `sought` is its title as it is searched by."""

OPERATOR = Table(
    "operator",
    METADATA,
    Column("name", NAME, primary_key=True),
    Column("token_sha256", NAME, nullable=False, unique=True),
    Column("created", Float(), nullable=False),
)
"""Who may operate the hub; the token itself is never stored."""

PLAN_FACT = Table(
    "plan_fact",
    METADATA,
    Column("kind", String(32), primary_key=True),
    Column("id", NAME, primary_key=True),
    Column("school", NAME, nullable=False),
    Column("data", Text(), nullable=False),
    Column("changed", Float(), nullable=False),
)
"""What the planner knows, one line a thing: schools, bells, rooms, classes, teachers, terms, lessons, requests ...
`data` is the thing as JSON, as its kind's model writes it; `school` is empty where it belongs to none."""

PLAN_IMPORT = Table(
    "plan_import",
    METADATA,
    Column("id", NAME, primary_key=True),
    Column("made", Float(), nullable=False),
    Column("operator", NAME, nullable=False),
    Column("source", Text(), nullable=False),
    Column("format", String(32), nullable=False),
    Column("words", WORDS, nullable=False),
    Column("undone", Float()),
)
"""Changes of facts that were made as one, from a file or by hand; undone as one."""

PLAN_CHANGE = Table(
    "plan_change",
    METADATA,
    Column("import", NAME, ForeignKey("plan_import.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer(), primary_key=True, autoincrement=False),
    Column("kind", String(32), nullable=False),
    Column("fact", NAME, nullable=False),
    Column("before", Text()),
    Column("after", Text()),
)
"""One fact in one import: as it was, none where it was not there, and as it became."""

PLAN = Table(
    "plan",
    METADATA,
    Column("id", NAME, primary_key=True),
    Column("term", NAME, nullable=False),
    Column("first_week", Integer(), nullable=False),
    Column("last_week", Integer(), nullable=False),
    Column("state", String(16), nullable=False),
    Column("based_on", NAME, nullable=False),
    Column("district", Text(), nullable=False),
    Column("data", Text(), nullable=False),
    Column("words", WORDS, nullable=False),
    Column("operator", NAME, nullable=False),
    Column("created", Float(), nullable=False),
    Column("changed", Float(), nullable=False),
    Index(None, "term", "state"),
)
"""A week's plan for some weeks of a term: the district as it was planned, and the plan, both as JSON."""

PLAN_APPROVAL = Table(
    "plan_approval",
    METADATA,
    Column("plan", NAME, ForeignKey("plan.id", ondelete="CASCADE"), primary_key=True),
    Column("school", NAME, primary_key=True),
    Column("approved", Boolean(), nullable=False),
    Column("words", WORDS, nullable=False),
    Column("operator", NAME, nullable=False),
    Column("at", Float(), nullable=False),
)
"""What a school, or the district (empty), said of a draft last."""

OCCURRENCE = Table(
    "occurrence",
    METADATA,
    Column("id", NAME, primary_key=True),
    Column("plan", NAME, nullable=False),
    Column("term", NAME, nullable=False),
    Column("week", Integer(), nullable=False),
    Column("lesson", NAME, nullable=False),
    Column("epoch", Float(), nullable=False),
    Column("ends", Float(), nullable=False),
    Column("sequence", Integer(), nullable=False),
    Column("cancelled", Boolean(), nullable=False),
    Column("words", WORDS, nullable=False),
    Column("session", NAME),
    Column("data", Text(), nullable=False),
    Column("changed", Float(), nullable=False),
    Index(None, "epoch"),
    Index(None, "term", "week"),
)
"""One lesson on one date. The id never changes, so calendars know it again; `sequence` grows with each change.
`session` is the session that it became; none while it lies further ahead than rooms are told."""

OCCURRENCE_PART = Table(
    "occurrence_part",
    METADATA,
    Column("occurrence", NAME, ForeignKey("occurrence.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("who", NAME, primary_key=True),
    Index(None, "kind", "who"),
)
"""Rooms, teachers, classes and schools that have a part in an occurrence, or had one."""

REPAIR = Table(
    "repair",
    METADATA,
    Column("id", NAME, primary_key=True),
    Column("made", Float(), nullable=False),
    Column("operator", NAME, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("plan", NAME, nullable=False, index=True),
    Column("disruption", Text(), nullable=False),
    Column("alternatives", Text(), nullable=False),
    Column("taken", Integer()),
    Column("closed", Float()),
    Column("outcome", Text()),
)
"""A disruption of a plan, the ways out that were offered, which was taken, and what was published of it."""

CALENDAR_TOKEN = Table(
    "calendar_token",
    METADATA,
    Column("token_sha256", NAME, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("who", NAME, nullable=False),
    Column("words", WORDS, nullable=False),
    Column("operator", NAME, nullable=False),
    Column("made", Float(), nullable=False),
    Column("revoked", Float()),
    Column("read", Float()),
    Index(None, "kind", "who"),
)
"""Who may read a calendar without signing in; the token itself is kept nowhere. `read` is when it last was."""

MATERIAL = Table(
    "material",
    METADATA,
    Column("session", NAME, ForeignKey("session.id", ondelete="CASCADE"), primary_key=True),
    Column("name", NAME, primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("bytes", BigInteger(), nullable=False),
    Column("operator", NAME, nullable=False),
    Column("added", Float(), nullable=False),
)
"""Files that the rooms of a session fetch before it begins."""

MATERIAL_HELD = Table(
    "material_held",
    METADATA,
    Column("session", NAME, primary_key=True),
    Column("room", NAME, primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("at", Float(), nullable=False),
)
"""Which room holds which file, with its hash looked at there."""

LESSON_FIGURES = Table(
    "lesson_figures",
    METADATA,
    Column("session", NAME, ForeignKey("session.id", ondelete="CASCADE"), primary_key=True),
    Column("basis", Text(), nullable=False),
    Column("data", Text(), nullable=False),
)
"""The few figures of a lesson that month reports are made of, as JSON; `basis` says what they were made from."""
