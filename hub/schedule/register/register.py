"""Facts by kind and id, as models."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast

from pydantic import ValidationError

from hub.schedule.register.kinds import MODELS, Fact, Kind
from hub.schedule.register.words import Words, words

F = TypeVar("F", bound=Fact)


class FactRow(Protocol):
    """A fact as it is kept (`hub.store.plan_facts.PlanFact`)."""

    @property
    def kind(self) -> str:
        """One of `Kind`."""

    @property
    def id(self) -> str:
        """Unique in its kind."""

    @property
    def data(self) -> str:
        """JSON, as `kinds.written` writes it."""


@dataclass(frozen=True, slots=True)
class Register:
    """Everything that is known."""

    facts: Mapping[Kind, Mapping[str, Fact]]
    unread: tuple[Words, ...] = ()
    """Facts that cannot be read, in words: a newer hub has written them, or somebody by hand."""

    @classmethod
    def read(cls, rows: Iterable[FactRow]) -> "Register":
        """The register of facts as they are kept; one that cannot be read is left out, and told."""
        facts: dict[Kind, dict[str, Fact]] = {kind: {} for kind in Kind}
        unread = []
        for row in rows:
            try:
                kind = Kind(row.kind)
                facts[kind][row.id] = MODELS[kind].model_validate_json(row.data)
            except ValidationError as error:
                why = error.errors(include_url=False)[0]["msg"]
                unread.append(words("fit.unread", kind=words(f"kind.{row.kind}"), id=row.id, why=why))
            except ValueError:
                unread.append(words("fit.unread", kind=row.kind, id=row.id, why=row.kind))
        return cls(facts, tuple(unread))

    def all(self, model: type[F]) -> Mapping[str, F]:
        """Facts of one kind by id, in the order of their ids."""
        return cast("Mapping[str, F]", self.facts[_KINDS[model]])


_KINDS: Mapping[type[Any], Kind] = {model: kind for kind, model in MODELS.items()}
