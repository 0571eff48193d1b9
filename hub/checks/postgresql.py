"""Whether a PostgreSQL server can keep what the hub promises."""

from collections.abc import Iterator

from sqlalchemy import Connection

from hub.checks.line import CheckLine, bad, warn

NAME = "database"
OLDEST = 13
"""First PostgreSQL that numbers transactions as the hub asks for them."""
CONNECTIONS = 30
"""What a hub with some intake workers may open at a time, with room for whoever looks after the server."""


def wrong(connection: Connection, where: str) -> Iterator[CheckLine]:
    """What is wrong with the server, the worst first.

    Args:
        connection: to the hub's database.
        where: its URL, without the password.
    """

    def shown(name: str) -> str:
        return str(connection.exec_driver_sql(f"SHOW {name}").scalar())

    number = int(shown("server_version_num"))
    if number < OLDEST * 10_000:
        yield bad(NAME, f"{where} is PostgreSQL {number // 10_000}", f"use PostgreSQL {OLDEST} or newer")
    if shown("server_encoding") != "UTF8":
        yield bad(NAME, f"{where} keeps text as {shown('server_encoding')}", "make a database WITH ENCODING 'UTF8'")
    if connection.exec_driver_sql("SELECT pg_is_in_recovery()").scalar():
        yield bad(NAME, f"{where} is a standby that cannot be written", "name the primary server in `database`")
    if not connection.exec_driver_sql("SELECT has_schema_privilege(current_schema(), 'CREATE')").scalar():
        yield bad(NAME, f"{where}: its account may not make tables", "make that account the owner of the database")
    if shown("fsync") == "off" or shown("full_page_writes") == "off":
        words = f"{where} runs with fsync or full_page_writes off: a power cut may cost rows that devices let go of"
        yield warn(NAME, words, "switch both on in postgresql.conf")
    if int(shown("max_connections")) < CONNECTIONS:
        words = f"{where} takes {shown('max_connections')} connections"
        yield warn(NAME, words, f"set max_connections to {CONNECTIONS} or more")
