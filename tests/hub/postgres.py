"""A private PostgreSQL: a cluster of its own in a temporary folder, on a Unix socket, gone with the tests."""

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

from hub.store.store import Store

ACCOUNT = "postgres"
START_S = 60.0
CONFIG = """
listen_addresses = ''
unix_socket_directories = '{folder}'
unix_socket_permissions = 0777
fsync = off
max_connections = 60
shared_buffers = 16MB
autovacuum_naptime = 10min
"""


def programs() -> Path | None:
    """The folder of PostgreSQL's own programs, the newest there is; Debian keeps them off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    named = shutil.which("initdb")
    if found:
        return found[-1].parent
    return Path(named).resolve().parent if named else None


def why_not() -> str:
    """Why no cluster can be run here; empty where one can."""
    if programs() is None:
        return "PostgreSQL is not installed; SQLite alone is tried"
    if os.geteuid() == 0 and (shutil.which("setpriv") is None or not _account()):
        return "PostgreSQL does not run as root, and there is no account `postgres` to run it as"
    return ""


def _account() -> bool:
    try:
        pwd.getpwnam(ACCOUNT)
    except KeyError:
        return False
    return True


class Cluster:
    """One PostgreSQL server; it ends with this process, however that ends."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tongtang-pg-"))
        self._bin = programs()
        self._process: subprocess.Popen | None = None
        self._numbers = itertools.count(1)
        self._template = ""
        if os.geteuid() == 0:
            shutil.chown(self.folder, ACCOUNT)
        initdb = [str(self._bin / "initdb"), "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8"]
        self._run([*initdb, "--locale=C.UTF-8", "--pgdata", str(self.folder / "data")])
        with (self.folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.write(CONFIG.format(folder=self.folder))
        self.start()

    def url(self, name: str = "postgres") -> str:
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        server = [str(self._bin / "postgres"), "-D", str(self.folder / "data")]
        with (self.folder / "log").open("ab") as sink:
            self._process = subprocess.Popen(self._as_account(server), stdout=sink, stderr=sink, cwd=self.folder)
        until = time.monotonic() + START_S
        while True:
            try:
                self.sql("SELECT 1")
            except psycopg.OperationalError:
                said = (self.folder / "log").read_text(errors="replace")[-2000:]
                assert self._process.poll() is None and time.monotonic() < until, said
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT in order, SIGQUIT as a crash would."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def fresh(self, *, empty: bool = False) -> str:
        """The name of a new database, with the hub's tables in it unless it is to be empty."""
        name = f"t{next(self._numbers)}"
        if not empty and not self._template:
            self._template = "made"
            self.sql("CREATE DATABASE made")
            Store.open(self.url("made")).close()
        self.sql(f"CREATE DATABASE {name}" if empty else f"CREATE DATABASE {name} TEMPLATE made")
        return name

    def drop(self, name: str) -> None:
        with contextlib.suppress(psycopg.OperationalError):
            self.sql(f"DROP DATABASE {name} WITH (FORCE)")

    def sql(self, text: str, database: str = "postgres") -> list:
        with psycopg.connect(f"host={self.folder} user=postgres dbname={database}", autocommit=True) as connection:
            done = connection.execute(text)
            return done.fetchall() if done.description else []

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(
            self._as_account(command), cwd=self.folder, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr

    def _as_account(self, command: list[str]) -> list[str]:
        dying = ["--pdeathsig", "INT"] if shutil.which("setpriv") else []
        if os.geteuid() != 0:
            return ["setpriv", *dying, *command] if dying else command
        account = pwd.getpwnam(ACCOUNT)
        return ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", *dying, *command]
