"""The settings file of a backup, made to name the place where its hub is restored."""

import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from contract.settings import SettingsRefused
from hub.backup.manifest import SETTINGS, BackupManifest
from hub.settings import ARCHIVE_FOLDER, HubSettings, load_settings

MARK = "  # set by `tongtang hub restore`"


def fit(data: Path, manifest: BackupManifest, database: str, *, at: Path) -> None:
    """Have the settings file name the restored folder, database and archive; one that cannot be read is left alone.

    Args:
        data: the folder in which the hub will be.
        manifest: of the backup.
        database: URL of the database into which one of PostgreSQL was restored.
        at: the file.
    """
    whole = data.absolute()
    changes = {"data": whole.as_posix()}
    try:
        old = at.read_text(encoding="utf-8")
        before = tomllib.loads(old)
        if manifest.database == "postgresql":
            changes["database"] = database
        elif before.get("database"):
            changes["database"] = ""
        if manifest.archive and before.get("archive"):
            changes["archive"] = (whole / ARCHIVE_FOLDER).as_posix()
        new = changed(old, changes)
        if tomllib.loads(new) != {**before, **changes}:
            return
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return
    at.write_text(new, encoding="utf-8")


def changed(text: str, changes: Mapping[str, str]) -> str:
    """A TOML file with other values of these keys, which stand above its first table; everything else stays."""
    lines = text.splitlines()
    tables = (at for at, line in enumerate(lines) if line.lstrip().startswith("["))
    end = next(tables, len(lines))
    for key, value in changes.items():
        line = f"{key} = {json.dumps(value, ensure_ascii=False)}{MARK}"
        named = re.compile(rf"""\s*(["']?){re.escape(key)}\1\s*=""")
        found = next((at for at in range(end) if named.match(lines[at])), None)
        if found is None:
            lines.insert(0, line)
            end += 1
        else:
            lines[found] = line
    return "\n".join(lines) + "\n"


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
