"""The settings file of a backup: it names whole paths there, and the place of its hub where that is restored."""

import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from contract.settings import SettingsRefused
from hub.backup.manifest import SETTINGS, BackupManifest
from hub.settings import ARCHIVE_FOLDER, HubSettings, load_settings

MARK = "  # set by `tongtang hub restore`"
TOP = ""
"""Stands for what is above the first table."""

Changes = Mapping[tuple[str, str], str]
"""New values by table and key."""


def rooted(file: Path) -> bytes:
    """A settings file as it goes into a backup: with whole paths, so that it says the same in another folder."""
    data = file.read_bytes()
    try:
        text = data.decode()
        before, read = tomllib.loads(text), load_settings(file)
        places = {
            (TOP, "data"): read.data,
            (TOP, "archive"): read.archive,
            (TOP, "database"): read.database,
            ("http", "tls_cert"): read.http.tls_cert,
            ("http", "tls_key"): read.http.tls_key,
            ("ca", "certificate"): read.ca.certificate,
            ("ca", "key"): read.ca.key,
        }
        whole = {at: place.as_posix() if isinstance(place, Path) else place for at, place in places.items() if place}
        changes = {at: place for at, place in whole.items() if _table(before, at[0]).get(at[1]) != place}
        new = changed(text, changes) if changes else None
        return data if new is None else new.encode()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, SettingsRefused):
        return data


def fit(data: Path, manifest: BackupManifest, database: str, *, at: Path) -> None:
    """Have the settings file name the restored folder, database and archive; one that cannot be read is left alone.

    Args:
        data: the folder in which the hub will be.
        manifest: of the backup.
        database: URL of the database into which one of PostgreSQL was restored.
        at: the file.
    """
    whole = data.absolute()
    changes = {(TOP, "data"): whole.as_posix()}
    try:
        old = at.read_text(encoding="utf-8")
        before = tomllib.loads(old)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return
    if manifest.database == "postgresql":
        changes[TOP, "database"] = database
    elif before.get("database"):
        changes[TOP, "database"] = ""
    if manifest.archive and before.get("archive"):
        changes[TOP, "archive"] = (whole / ARCHIVE_FOLDER).as_posix()
    if (new := changed(old, changes, MARK)) is not None:
        at.write_text(new, encoding="utf-8")


def changed(text: str, changes: Changes, mark: str = "") -> str | None:
    """A TOML file with other values; everything else stays. None where it is not written a key a line.

    Args:
        text: the file.
        changes: what is to be different; a key that is not there yet is put on top.
        mark: goes behind each value, as a comment.
    """
    lines = text.splitlines()
    wanted = tomllib.loads(text)
    for (table, key), value in changes.items():
        line = f"{key} = {json.dumps(value, ensure_ascii=False)}{mark}"
        found = _line_of(lines, table, key)
        if found is not None:
            lines[found] = line
        elif table == TOP:
            lines.insert(0, line)
        _table(wanted, table)[key] = value
    new = "\n".join(lines) + "\n"
    try:
        return new if tomllib.loads(new) == wanted else None
    except tomllib.TOMLDecodeError:
        return None


def _line_of(lines: Sequence[str], table: str, key: str) -> int | None:
    named = re.compile(rf"""\s*(["']?){re.escape(key)}\1\s*=""")
    inside = table == TOP
    for at, line in enumerate(lines):
        if line.lstrip().startswith("["):
            inside = re.match(rf"\s*\[\s*{re.escape(table)}\s*\]", line) is not None
        elif inside and named.match(line):
            return at
    return None


def _table(settings: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = settings if name == TOP else settings.setdefault(name, {})
    return found


def told(data: Path, manifest: BackupManifest) -> Iterator[str]:
    """What is to be known after a restore of settings, packages, and the files that the settings name."""
    archive = data / ARCHIVE_FOLDER
    if any(one.name == SETTINGS for one in manifest.files):
        file = data / SETTINGS
        try:
            settings = load_settings(file)
        except SettingsRefused as error:
            yield f"its settings file cannot be used: {error}"
        else:
            yield from _of_settings(file, settings, data.absolute())
            archive = settings.archive_folder
    elif manifest.database == "postgresql":
        yield "its database is not in the folder: name it in a settings file (database = ...), and say --config"
    if not manifest.archive:
        yield f"lesson packages were not in the backup: put the archive back into {archive}"


def _of_settings(file: Path, settings: HubSettings, data: Path) -> Iterator[str]:
    if settings.data == data:
        yield f"its settings file {file} names this folder now: say --config {file}, or put it where it was"
    else:
        yield f"its settings file {file} names {settings.data}: set data to {data} in it before you use it"
    named = {
        "tls_cert under [http]": settings.http.tls_cert,
        "tls_key under [http]": settings.http.tls_key,
        "certificate under [ca]": settings.ca.certificate,
        "key under [ca]": settings.ca.key,
    }
    for key, path in named.items():
        if path is not None and not os.access(path, os.R_OK):
            yield f"{key} in it names {path}, which cannot be read here: put it there, or mend the settings"
