"""Many rows in one statement, without the cost of building each: the intake writes thousands a second.

SQLite takes the rows one by one in the driver's own loop; PostgreSQL gets all of them as one JSON text and unpacks it.
"""

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from pydantic_core import to_json
from sqlalchemy import BigInteger, Column, ColumnElement, Connection, Float, Integer, Table, Text, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY

Values = Sequence[tuple[Any, ...]]


def insert_many(
    connection: Connection, table: Table, names: tuple[str, ...], rows: Values, *, skip_known: bool = False
) -> None:
    """Insert `rows`, each with a value for each of the columns `names`.

    With `skip_known`, rows that are there already are left as they are (PostgreSQL alone).
    """
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_insert_json(table, names, skip_known), (_as_json(names, rows),))
    else:
        connection.exec_driver_sql(_insert_each(table, names), list(rows))


def set_many(connection: Connection, table: Table, key: str, name: str, pairs: Values) -> None:
    """In the row whose `key` is the first of a pair, set the column `name` to the second."""
    if not pairs:
        return
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_set_json(table, key, name), (_as_json((key, name), pairs),))
    else:
        connection.exec_driver_sql(_set_each(table, key, name), [(value, one) for one, value in pairs])


def among(column: Column[str], values: Collection[str]) -> ColumnElement[bool]:
    """Whether a column of a PostgreSQL holds one of `values`: one parameter, however many there are."""
    return column == any_(literal(list(values), ARRAY(Text)))


def _as_json(names: tuple[str, ...], rows: Values) -> str:
    return to_json([dict(zip(names, row, strict=True)) for row in rows]).decode()


@cache
def _insert_each(table: Table, names: tuple[str, ...]) -> str:
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608  ours


@cache
def _insert_json(table: Table, names: tuple[str, ...], skip_known: bool) -> str:  # noqa: FBT001  a key of the cache
    rest = " ON CONFLICT DO NOTHING" if skip_known else ""
    return f"INSERT INTO {table.name} ({', '.join(names)}) SELECT * FROM {_unpacked(table, names)}{rest}"  # noqa: S608


@cache
def _set_each(table: Table, key: str, name: str) -> str:
    return f"UPDATE {table.name} SET {name} = ? WHERE {key} = ?"  # noqa: S608  ours


@cache
def _set_json(table: Table, key: str, name: str) -> str:
    return (
        f"UPDATE {table.name} SET {name} = fresh.{name} FROM {_unpacked(table, (key, name))} "  # noqa: S608  ours
        f"WHERE {table.name}.{key} = fresh.{key}"
    )


def _unpacked(table: Table, names: tuple[str, ...]) -> str:
    columns = ", ".join(f"{name} {_type(table.c[name])}" for name in names)
    return f"json_to_recordset(%s::json) AS fresh ({columns})"


def _type(column: Column[Any]) -> str:
    # Not the column's own type: a cast to varchar(64) would cut a longer text instead of refusing it.
    if isinstance(column.type, BigInteger | Integer):
        return "bigint"
    return "double precision" if isinstance(column.type, Float) else "text"
