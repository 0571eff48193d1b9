"""Seeded draws that give the same on every machine and in every Python to come."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

One = TypeVar("One")


class Draws:
    """Draws made of `random.Random.random` alone: the one method whose numbers Python promises never to change."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed).random

    def share(self) -> float:
        """A number from 0 to 1, without 1."""
        return self._random()

    def chance(self, share: float) -> bool:
        """Whether something with this share happens. For a share of 0 nothing is drawn, so the rest stays as it was."""
        return share > 0 and self._random() < share

    def below(self, count: int) -> int:
        """A whole number from 0 to `count` - 1."""
        return int(self._random() * count)

    def one(self, among: Sequence[One]) -> One:
        """One of them."""
        return among[self.below(len(among))]

    def some(self, among: Sequence[One], count: int) -> list[One]:
        """So many of them at most, none twice, in an order that is drawn as well."""
        rest = list(among)
        for place in range(min(count, len(rest))):
            other = place + self.below(len(rest) - place)
            rest[place], rest[other] = rest[other], rest[place]
        return rest[:count]
