"""YAML whose every value still knows its line."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from hub.schedule.imports import cells
from hub.schedule.imports.csv_file import decoded
from hub.schedule.imports.mistakes import CellWrong, FileWrong, Where, file_wrong
from hub.schedule.register.words import words

MOST_YAML_BYTES = 1 << 20
"""A class's schedule has some tens of kilobytes; a megabyte of YAML takes seconds to read."""
MOST_VALUES = 100_000
"""Values of a file, those behind an alias each time anew: a small file can stand for endless ones."""
DEEPEST = 30


@dataclass(frozen=True, slots=True)
class Marked:
    """A value with its place."""

    value: Any
    """A scalar, a list of `Marked`, or a dictionary of `Marked` by name."""
    where: Where

    def get(self, name: str) -> "Marked | None":
        """What stands under a name; None where nothing does, or this has no names."""
        found = self.value.get(name) if isinstance(self.value, dict) else None
        return found if isinstance(found, Marked) and found.value is not None else None

    def need(self, name: str) -> "Marked":
        """What stands under a name.

        Raises:
            NodeWrong: nothing does.
        """
        found = self.get(name)
        if found is None:
            raise NodeWrong(self.where, words("yaml.missing", name=name))
        return found

    def entries(self) -> "list[Marked]":
        """As a list.

        Raises:
            NodeWrong: it is none.
        """
        if not isinstance(self.value, list):
            raise self.wrong("list")
        return self.value

    def text(self) -> str:
        """As a line of text; a number is its digits.

        Raises:
            NodeWrong: it is none.
        """
        if isinstance(self.value, bool) or not isinstance(self.value, str | int) or not str(self.value).strip():
            raise self.wrong("text")
        return self._read(cells.text)

    def label(self) -> str:
        """As a subject: text that others must equal.

        Raises:
            NodeWrong: it is none.
        """
        self.text()
        return self._read(cells.label)

    def integer(self, least: int, most: int) -> int:
        """As a whole number.

        Raises:
            NodeWrong: it is none, or lies outside.
        """
        if isinstance(self.value, bool) or not isinstance(self.value, int) or not least <= self.value <= most:
            raise self.wrong("integer", least=least, most=most)
        return self.value

    def _read(self, read: Callable[[cells.Cell], str]) -> str:
        try:
            return read(self.value)
        except CellWrong as error:
            raise NodeWrong(self.where, error.what) from error

    def wrong(self, expected: str, **values: int) -> "NodeWrong":
        """The refusal of this value."""
        kinds = {list: words("yaml.a_list"), dict: words("yaml.a_mapping"), type(None): words("yaml.nothing")}
        found = kinds.get(type(self.value), str(self.value)[:40])
        said = words("cell.wrong", found=found, expected=words(f"expected.{expected}", **values))
        return NodeWrong(self.where, said)


class NodeWrong(CellWrong):
    """A value is not what is expected; `where` is its place."""

    def __init__(self, where: Where, what: Any) -> None:
        super().__init__(what)
        self.where = where


def read_yaml(data: bytes, file: str) -> Marked:
    """The value of a file.

    Raises:
        FileWrong: it is too large, no text, or no YAML.
    """
    if len(data) > MOST_YAML_BYTES:
        raise file_wrong(file, "file.too_large", mib=MOST_YAML_BYTES >> 20)
    text = decoded(data, file)
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            raise file_wrong(file, "file.empty")
        return _marked(loader, node, Where(file), _counted(file), 0)
    except FileWrong:
        raise
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 1
        raise file_wrong(file, "file.yaml", row=line, why=str(error.problem)) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise file_wrong(file, "file.yaml", row=1, why=str(error).splitlines()[0]) from error


def _counted(file: str) -> Iterator[int]:
    yield from range(MOST_VALUES)
    raise file_wrong(file, "file.yaml_endless", most=MOST_VALUES)


def _marked(loader: yaml.SafeLoader, node: yaml.Node, at: Where, counted: Iterator[int], depth: int) -> Marked:
    next(counted)
    where = Where(at.file, at.sheet, node.start_mark.line + 1, at.column)
    if depth > DEEPEST:
        raise file_wrong(at.file, "file.yaml_endless", most=MOST_VALUES)
    if isinstance(node, yaml.SequenceNode):
        found = [
            _marked(loader, one, _below(where, f"[{number}]"), counted, depth + 1)
            for number, one in enumerate(node.value)
        ]
        return Marked(found, where)
    if isinstance(node, yaml.MappingNode):
        named = {}
        for key, one in node.value:
            name = str(key.value)
            named[name] = _marked(loader, one, _below(where, f".{name}" if where.column else name), counted, depth + 1)
        return Marked(named, where)
    try:
        return Marked(loader.construct_object(node), where)
    except (LookupError, AttributeError, ValueError) as error:  # a tag that does not fit, such as `!!bool maybe`
        raise file_wrong(at.file, "file.yaml", row=where.row, why=f"{node.tag} {node.value[: cells.SHOWN]}") from error


def _below(where: Where, step: str) -> Where:
    return Where(where.file, where.sheet, where.row, f"{where.column}{step}")
