"""Many rows in one statement, without the cost of building each: the intake writes thousands a second.

SQLite takes the rows one by one in the driver's own loop; PostgreSQL gets one array a column and unpacks them itself.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Float, Integer, Table

Values = Sequence[tuple[Any, ...]]


def insert_many(connection: Connection, table: Table, names: tuple[str, ...], rows: Values) -> None:
    """Insert `rows`, each with a value for each of the columns `names`."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_insert_arrays(table, names), _turned(rows))
    else:
        connection.exec_driver_sql(_insert_each(table, names), list(rows))


def set_many(connection: Connection, table: Table, key: str, name: str, pairs: Values) -> None:
    """In the row whose `key` is the first of a pair, set the column `name` to the second."""
    if not pairs:
        return
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_set_arrays(table, key, name), _turned(pairs))
    else:
        connection.exec_driver_sql(_set_each(table, key, name), [(value, one) for one, value in pairs])


def _turned(rows: Values) -> tuple[list[Any], ...]:
    return tuple(list(column) for column in zip(*rows, strict=True))


@cache
def _insert_each(table: Table, names: tuple[str, ...]) -> str:
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608  ours


@cache
def _insert_arrays(table: Table, names: tuple[str, ...]) -> str:
    arrays = ", ".join(f"%s::{_array(table.c[name])}" for name in names)
    return f"INSERT INTO {table.name} ({', '.join(names)}) SELECT * FROM unnest({arrays})"  # noqa: S608  ours


@cache
def _set_each(table: Table, key: str, name: str) -> str:
    return f"UPDATE {table.name} SET {name} = ? WHERE {key} = ?"  # noqa: S608  ours


@cache
def _set_arrays(table: Table, key: str, name: str) -> str:
    arrays = f"%s::{_array(table.c[key])}, %s::{_array(table.c[name])}"
    return (
        f"UPDATE {table.name} SET {name} = fresh.value FROM unnest({arrays}) AS fresh (key, value) "  # noqa: S608  ours
        f"WHERE {table.name}.{key} = fresh.key"
    )


def _array(column: Column[Any]) -> str:
    # Not the column's own type: a cast to varchar(64) would cut a longer text instead of refusing it.
    if isinstance(column.type, BigInteger | Integer):
        return "bigint[]"
    return "double precision[]" if isinstance(column.type, Float) else "text[]"
