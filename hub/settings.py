"""The hub's settings file: where it keeps things, where it listens, which broker it uses."""

import ipaddress
import re
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from contract.settings import Settings, load

HOST_NAME = re.compile(r"(?!.*-(\.|$))[A-Za-z0-9][A-Za-z0-9-]*(\.[A-Za-z0-9][A-Za-z0-9-]*)*")
SQLITE_FILE = re.compile(r"(sqlite(?:\+\w+)?:///)(?!:memory:|file:)(.+)")
DATABASE_FILE = "hub.db"
KEY_FILE = "hub.key"
ARCHIVE_FOLDER = "archive"


def is_name(name: str) -> bool:
    """Whether `name` can stand in a certificate: a host name or an address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return HOST_NAME.fullmatch(name) is not None
    return True


class HttpSettings(Settings):
    """Where the hub answers HTTP."""

    host: str = Field(
        "127.0.0.1", title="Address", description="Address to listen on. Anything beyond loopback needs TLS."
    )
    port: int = Field(
        8080, ge=0, le=65535, title="Port", description="TCP port; 0 takes a free one and keeps it from then on."
    )
    tls_cert: Path | None = Field(
        None, title="Certificate", description="PEM file: the hub's certificate, then those that lead to its authority."
    )
    tls_key: Path | None = Field(
        None,
        title="Certificate's key",
        description="PEM file, without a password, readable by the hub's account alone.",
    )

    url: str = Field(
        "",
        pattern=r"^(https?://[^/\s?#]+)?$",
        title="Address for devices",
        description="How devices reach the hub (https://hub.district.example); printed with claim codes. "
        "By default the certificate's name, else the address that is listened on.",
    )

    @model_validator(mode="after")
    def _a_certificate_has_its_key(self) -> "HttpSettings":
        if (self.tls_cert is None) != (self.tls_key is None):
            missing = "tls_key" if self.tls_key is None else "tls_cert"
            raise ValueError(f"{missing} is missing; set both tls_cert and tls_key for TLS, or neither")
        return self

    @property
    def tls(self) -> bool:
        """Whether the hub answers HTTPS itself."""
        return self.tls_cert is not None


class MqttSettings(Settings):
    """Where the hub's own broker listens, and how; of these, an external broker uses `hub_port` alone."""

    host: str = Field("127.0.0.1", title="Address", description="Address on which the hub's own broker listens.")
    port: int = Field(
        8883, ge=0, le=65535, title="Port", description="TCP port; 0 takes a free one and keeps it from then on."
    )
    tls: bool = Field(
        True,
        title="TLS",
        description="Devices show a certificate of this hub and may speak for themselves alone. "
        "false lets everybody in, and is taken on loopback only.",
    )
    names: tuple[str, ...] = Field(
        (),
        title="Names",
        description="Host names and addresses by which devices reach the broker, beside those this machine knows of "
        "itself; they go into its certificate.",
    )
    hub_port: int = Field(
        0,
        ge=0,
        le=65535,
        title="Hub's port",
        description="Port at which the hub dials an external broker, where it has one for the hub alone; "
        "0: the same as the devices.",
    )

    @field_validator("names")
    @classmethod
    def _names_can_be_certified(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not is_name(name):
                raise ValueError(f"{name!r} is neither a host name nor an address")
        return names


class CaSettings(Settings):
    """The certificate authority that signs devices and broker; by default one that the hub makes for itself."""

    certificate: Path | None = Field(
        None,
        title="Authority's certificate",
        description="PEM file: the authority that signs, then those that lead to its root, the root included.",
    )
    key: Path | None = Field(
        None,
        title="Authority's key",
        description="PEM file, without a password, readable by the hub's account alone.",
    )

    @model_validator(mode="after")
    def _an_authority_has_its_key(self) -> "CaSettings":
        if (self.certificate is None) != (self.key is None):
            missing = "key" if self.key is None else "certificate"
            raise ValueError(f"{missing} is missing; set both certificate and key, or neither for the hub's own")
        return self


class LessonSettings(Settings):
    """How sessions are conducted."""

    lead_s: float = Field(
        4.0,
        ge=0,
        le=120,
        title="Lead time",
        description="A session that starts now starts this many seconds later, so that devices can open.",
    )
    grace_s: float = Field(
        120.0,
        ge=1,
        le=86_400,
        title="Grace",
        description="A room that is not heard from this many seconds after the end counts as failed.",
    )


class MaterialsSettings(Settings):
    """Files that the rooms of a session fetch before it begins."""

    most_mib: int = Field(
        500, ge=1, le=2048, title="Largest file", description="What one file of a session may have, in MiB."
    )


class PlanPolicySettings(Settings):
    """What may be done with what happens in lessons that the plan makes; nothing, until the schools say so."""

    record: bool = Field(False, title="Record", description="Keep sound and pictures in a lesson package.")
    observe: bool = Field(False, title="Observe", description="Run on-device analytics, at class level.")
    upload: bool = Field(False, title="Upload", description="Send the lesson package to the hub.")
    watch: bool = Field(False, title="Watch", description="Let observers watch live; nothing asks for it yet.")
    delete_after_days: float | None = Field(
        None,
        gt=0,
        title="Delete after",
        description="Delete the lesson package so many days after the lesson; none keeps it.",
    )


class PlanSettings(Settings):
    """The week's plan: how it is solved, and how it becomes sessions."""

    timezone: str = Field(
        "Asia/Shanghai", title="Time zone", description="Of the schools' bells and of the dates of a term."
    )
    ahead_days: float = Field(
        14.0,
        gt=0,
        le=60,
        title="Ahead",
        description="Lessons of a published plan become sessions, and rooms are told of them, so many days before.",
    )
    solve_seconds: float = Field(
        10.0, gt=0, le=3600, title="Solving", description="How long a draft is solved where nobody says, in seconds."
    )
    solvers: int = Field(
        1, ge=1, le=8, title="Solvers", description="Drafts that are solved at a time, each by a process of its own."
    )
    policy: PlanPolicySettings = Field(
        PlanPolicySettings(), title="Policy", description="Of the sessions that the plan makes."
    )

    @field_validator("timezone")
    @classmethod
    def _timezone_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{name!r} is no time zone that this machine knows; Asia/Shanghai is one") from error
        return name


class MetricsSettings(Settings):
    """Who may read the hub's figures at `/metrics`."""

    token: str = Field(
        "",
        pattern=r"^([!-~]{16,})?$",
        title="Token",
        description="Opens `/metrics` and nothing else: for Prometheus. At least 16 signs; empty: operators alone.",
    )


class IntakeSettings(Settings):
    """How telemetry and events are taken in."""

    workers: int = Field(
        1,
        ge=1,
        le=16,
        title="Workers",
        description="Processes that take rows in. One is enough for ten districts; more need PostgreSQL and a broker "
        "with shared subscriptions, which mosquitto has and amqtt has not.",
    )


def _days(default: float, title: str, what: str) -> float:
    days: float = Field(default, gt=0, le=36_500, title=title, description=f"How long {what} stay, in days.")
    return days


class KeepSettings(Settings):
    """How long telemetry and what belongs to it is kept in the database. Lesson packages have their own policy."""

    telemetry_days: float = _days(2.0, "Telemetry", "samples as they were sent")
    minutes_days: float = _days(14.0, "Minutes", "samples summed up by the minute")
    hours_days: float = _days(400.0, "Hours", "samples summed up by the hour")
    events_days: float = _days(400.0, "Events", "events")
    faults_days: float = _days(400.0, "Faults", "rows that were set aside, and declared gaps,")


class HubSettings(Settings):
    """Settings of one hub. In a settings file relative paths start at the folder of that file."""

    data: Path = Field(
        title="Data folder", description="Keys, database, broker files and, unless set apart, the archive."
    )
    archive: Path | None = Field(
        None, title="Archive folder", description="Where lesson packages are kept; by default inside the data folder."
    )
    database: str = Field(
        "",
        title="Database",
        description="SQLAlchemy URL (postgresql+psycopg://hub@db/tongtang); empty means SQLite in the data folder.",
    )
    broker: str = Field(
        "auto",
        title="Broker",
        description="auto (mosquitto where installed, else amqtt), mosquitto, amqtt, or an external one: "
        "mqtts://host:port, on loopback also mqtt://host:port.",
    )
    http: HttpSettings = Field(HttpSettings(), title="HTTP", description="Console and API.")
    mqtt: MqttSettings = Field(MqttSettings(), title="MQTT", description="The hub's own broker.")
    ca: CaSettings = Field(CaSettings(), title="Authority", description="Who signs the certificates of devices.")
    lesson: LessonSettings = Field(LessonSettings(), title="Lessons", description="How sessions are conducted.")
    materials: MaterialsSettings = Field(
        MaterialsSettings(), title="Materials", description="Files that rooms fetch before a session."
    )
    plan: PlanSettings = Field(PlanSettings(), title="Plan", description="The week's plan.")
    intake: IntakeSettings = Field(IntakeSettings(), title="Intake", description="How rows are taken in.")
    metrics: MetricsSettings = Field(MetricsSettings(), title="Metrics", description="For Prometheus.")
    keep: KeepSettings = Field(KeepSettings(), title="Keeping", description="How long telemetry is kept.")
    language: Literal["zh", "en"] = Field("zh", title="Language", description="Language of the console.")

    @field_validator("broker")
    @classmethod
    def _broker_known(cls, text: str) -> str:
        found = re.fullmatch(r"mqtts?://[^/:\s]+:(\d{1,5})", text)
        if text in {"auto", "mosquitto", "amqtt"} or (found and 1 <= int(found[1]) <= 65535):
            return text
        raise ValueError("broker must be auto, mosquitto, amqtt, mqtt://host:port or mqtts://host:port")

    @property
    def mqtt_tls(self) -> bool:
        """Whether devices speak with the broker over TLS."""
        return self.broker.startswith("mqtts://") if "://" in self.broker else self.mqtt.tls

    @property
    def database_url(self) -> str:
        """The database as a URL."""
        return self.database or f"sqlite:///{(self.data / DATABASE_FILE).absolute().as_posix()}"

    @property
    def materials_folder(self) -> Path:
        """The folder that holds the materials of sessions."""
        return self.data / "materials"

    @property
    def archive_folder(self) -> Path:
        """The folder that holds lesson packages."""
        return self.archive or self.data / ARCHIVE_FOLDER


def load_settings(path: Path) -> HubSettings:
    """Read the hub's settings; relative paths in the file start at its folder, also that of an SQLite database.

    Raises:
        contract.settings.SettingsRefused: the file is missing or has something to mend, told line by line.
    """
    read = load(path, HubSettings)
    base = path.absolute().parent
    return read.model_copy(
        update={
            **_rooted(read, base, "data", "archive"),
            "database": _rooted_database(read.database, base),
            "http": read.http.model_copy(update=_rooted(read.http, base, "tls_cert", "tls_key")),
            "ca": read.ca.model_copy(update=_rooted(read.ca, base, "certificate", "key")),
        }
    )


def _rooted(table: Settings, base: Path, *keys: str) -> dict[str, Path]:
    """What is set of these paths, from `base` on."""
    paths = ((key, getattr(table, key)) for key in keys)
    return {key: base / path.expanduser() for key, path in paths if path is not None}


def _rooted_database(url: str, base: Path) -> str:
    """The URL; where it is that of an SQLite file with a relative path, from `base` on."""
    found = SQLITE_FILE.fullmatch(url)
    return f"{found[1]}{(base / found[2]).as_posix()}" if found else url
