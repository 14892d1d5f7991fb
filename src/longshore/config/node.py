"""What a YAML text says, as an immutable tree that knows its places.

Scalars keep the text of the source: ``08``, ``9.10`` and ``true`` stay what was written (F-16,
Q-33). Aliases share the node of their anchor, so a tree is never larger than its text; `size`
and `height` tell how large it is when read through.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from msgspec import Struct

from longshore.config.problem import Place

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text. `plain`: it was written without quotes; `length` is what it takes in its line."""

    place: Place
    text: str
    plain: bool
    length: int
    size: int = field(default=1, init=False)
    height: int = field(default=0, init=False)

    @property
    def is_null(self) -> bool:
        """Whether nothing (or YAML's null) is written."""
        return self.plain and self.text in _NULLS


class Sequence(Struct, frozen=True):
    """A list."""

    place: Place
    items: tuple[Node, ...]
    size: int
    height: int


class Mapping(Struct, frozen=True):
    """A map with text keys in file order, merge keys resolved (F-15)."""

    place: Place
    pairs: tuple[tuple[Scalar, Node], ...]
    size: int
    height: int

    def get(self, key: str) -> Node | None:
        """The value of a key, or None when the key is absent."""
        return next((value for name, value in self.pairs if name.text == key), None)

    def __contains__(self, key: str) -> bool:
        return any(name.text == key for name, _ in self.pairs)


Node = Scalar | Sequence | Mapping


def places_below(
    node: Node, *, without: frozenset[str] = frozenset()
) -> Iterator[tuple[tuple[str | int, ...], Place]]:
    """The path and place of every value below `node`; keys in `without` are left out at the top."""
    if isinstance(node, Mapping):
        children: Iterator[tuple[str | int, Node]] = (
            (key.text, value) for key, value in node.pairs if key.text not in without
        )
    elif isinstance(node, Sequence):
        children = iter(enumerate(node.items))
    else:
        return
    for key, child in children:
        yield (key,), child.place
        if not isinstance(child, Scalar):
            for path, place in places_below(child):
                yield (key, *path), place
