"""Finds what a cell names: by id, or by the name that people use."""

import difflib
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping

from hub.schedule.imports.cells import identifier, plain, quoted, text
from hub.schedule.imports.mistakes import CellWrong
from hub.schedule.register.kinds import Kind
from hub.schedule.register.words import words

MOST_GUESSED = 20
"""Unknown names for which a similar one is sought: each costs a look at all of them."""


def made_id(kind: Kind, *parts: object) -> str:
    """An id for something that brought none: the same for the same parts, whichever file they come in.

    >>> made_id(Kind.TEACHER, "s-1", "李梅") == made_id(Kind.TEACHER, "s-1", "李梅 ")
    True
    """
    said = "\n".join(plain(str(part)) for part in parts)
    return f"{kind}-{hashlib.blake2b(said.encode(), digest_size=5).hexdigest()}"


class Names:
    """Ids and names of everything that is known, or comes with the same import."""

    def __init__(self) -> None:
        self._ids: dict[Kind, dict[str, str]] = defaultdict(dict)
        self._named: dict[Kind, dict[tuple[str, str], set[str]]] = defaultdict(lambda: defaultdict(set))
        self._homes: dict[Kind, dict[str, str]] = defaultdict(dict)
        self._bad: dict[Kind, set[str]] = defaultdict(set)
        self._guessed = 0

    def add(self, kind: Kind, fact: str, name: str = "", school: str = "") -> None:
        """Make something known."""
        self._ids[kind][fact.casefold()] = fact
        self._homes[kind][fact] = school
        if name:
            self._named[kind]["", plain(name)].add(fact)
            self._named[kind][school, plain(name)].add(fact)

    def add_bad(self, kind: Kind, names: Iterable[object]) -> None:
        """Something whose own row has mistakes: whoever names it is told so."""
        self._bad[kind] |= {plain(str(name)) for name in names if name}

    def has(self, kind: Kind, fact: str) -> bool:
        """Whether an id is known."""
        return self._ids[kind].get(fact.casefold()) == fact

    def called(self, kind: Kind, name: str, school: str = "") -> str | None:
        """The one thing of this name in a school; None where there is none, or there are several."""
        found = self._named[kind].get((school, plain(name)), set())
        return next(iter(found)) if len(found) == 1 else None

    def only(self, kind: Kind, name: str, school: str = "") -> str | None:
        """As `called`.

        Raises:
            CellWrong: there are several of that name: which is meant cannot be known.
        """
        found = self._named[kind].get((school, plain(name)), set())
        if len(found) > 1:
            ids = "、".join(sorted(found)[:4])
            raise CellWrong(words("cell.several", kind=words(f"kind.{kind}"), found=quoted(name), ids=ids))
        return next(iter(found), None)

    def find(self, kind: Kind, cell: object, school: str = "") -> str:
        """The id of what a cell names.

        Args:
            kind: what is sought.
            cell: an id, or a name.
            school: where it is sought; empty for everywhere.

        Raises:
            CellWrong: there is nothing of the kind, several of that name, or it is of another school.
        """
        written = text(cell)  # type: ignore[arg-type]
        exact = self._ids[kind].get(written.casefold())
        if exact is not None:
            there = self._homes[kind][exact]
            if school and there and there != school:
                told = words("cell.other_school", kind=words(f"kind.{kind}"), found=exact, there=there, here=school)
                raise CellWrong(told)
            return exact
        named = self.only(kind, written, school)
        if named is not None:
            return named
        if plain(written) in self._bad[kind]:
            raise CellWrong(words("cell.of_bad_row", kind=words(f"kind.{kind}"), found=quoted(written)))
        guess = self._similar(kind, written)
        if guess:
            raise CellWrong(
                words("cell.unknown_similar", kind=words(f"kind.{kind}"), found=quoted(written), similar=guess)
            )
        raise CellWrong(words("cell.unknown", kind=words(f"kind.{kind}"), found=quoted(written)))

    def new_id(self, kind: Kind, written: object, name: str, school: str, parts: Iterable[object]) -> str:
        """The id of a row: what it says; else that of what has its name; else one made from `parts`.

        Raises:
            CellWrong: it cannot be an id, or there are several of its name.
        """
        if written is not None:
            found = identifier(written)  # type: ignore[arg-type]
            return self._ids[kind].get(found.casefold(), found)
        return (self.only(kind, name, school) if name else None) or made_id(kind, *parts)

    def _similar(self, kind: Kind, written: str) -> str:
        if self._guessed >= MOST_GUESSED:
            return ""
        self._guessed += 1
        known: Mapping[str, str] = {
            **self._ids[kind],
            **{name: name for _, name in self._named[kind]},
        }
        close = difflib.get_close_matches(plain(written), known, n=1, cutoff=0.6)
        return known[close[0]] if close else ""
