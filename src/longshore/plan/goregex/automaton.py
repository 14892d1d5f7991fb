"""Searching without backtracking: all ways through a pattern are followed side by side.

Thompson's construction (Communications of the ACM 11:6, 1968): a state is a number, and each
character of the text moves a set of states to the next set.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct, field

from longshore.plan.goregex.characters import Characters
from longshore.plan.goregex.faults import TooMuch
from longshore.plan.goregex.nodes import Choice, Node, Place, Repeat, Sequence

_MOST_STATES: Final = 50_000


class _Split(Struct, frozen=True):
    """Goes on at both ends without reading anything."""

    one: int
    other: int


_State = Characters | Place | _Split | None
"""What must hold to go on; None is the end: found."""


class Automaton(Struct):
    """The states of a pattern; state n goes on to `following[n]`."""

    states: list[_State] = field(default_factory=lambda: [None])
    following: list[int] = field(default_factory=lambda: [0])
    start: int = 0

    @staticmethod
    def of(node: Node) -> Automaton:
        """Raises TooMuch for a pattern of too many states."""
        automaton = Automaton()
        automaton.start = automaton._build(node, 0)
        return automaton

    def occurs_in(self, text: str) -> bool:
        """Whether the pattern is found anywhere in the text."""
        current: set[int] = set()
        for at in range(len(text) + 1):
            current = self._reached([*current, self.start], text, at)
            if 0 in current:
                return True
            if at < len(text):
                current = set(self._step(current, text[at]))
        return False

    def _step(self, current: set[int], character: str) -> Iterable[int]:
        for number in current:
            state = self.states[number]
            if isinstance(state, Characters) and state.holds(character):
                yield self.following[number]

    def _reached(self, waiting: list[int], text: str, at: int) -> set[int]:
        """The states, and all that can be reached from them without reading a character."""
        reached: set[int] = set()
        while waiting:
            number = waiting.pop()
            if number in reached:
                continue
            reached.add(number)
            state = self.states[number]
            if isinstance(state, _Split):
                waiting += (state.one, state.other)
            elif isinstance(state, Place) and _is_at(state, text, at):
                waiting.append(self.following[number])
        return reached

    def _add(self, state: _State, following: int) -> int:
        if len(self.states) >= _MOST_STATES:
            raise TooMuch(f"a pattern of more than {_MOST_STATES} states needs google-re2")
        self.states.append(state)
        self.following.append(following)
        return len(self.states) - 1

    def _build(self, node: Node, then: int) -> int:
        """Add the states of a node that go on to `then`; gives the first of them."""
        match node:
            case Sequence():
                for part in reversed(node.parts):
                    then = self._build(part, then)
                return then
            case Choice():
                first, *others = [self._build(option, then) for option in node.options]
                for other in others:
                    first = self._add(_Split(first, other), 0)
                return first
            case Repeat():
                return self._build_repeat(node, then)
        return self._add(node, then)

    def _build_repeat(self, repeat: Repeat, then: int) -> int:
        if repeat.most is None:
            loop = self._add(_Split(then, then), 0)
            self.states[loop] = _Split(self._build(repeat.part, loop), then)
            then = loop
        else:
            end = then
            for _ in range(repeat.most - repeat.least):
                then = self._add(_Split(self._build(repeat.part, then), end), 0)
        for _ in range(repeat.least):
            then = self._build(repeat.part, then)
        return then


def _is_at(place: Place, text: str, at: int) -> bool:
    match place:
        case Place.TEXT_BEGIN:
            return at == 0
        case Place.TEXT_END:
            return at == len(text)
        case Place.LINE_BEGIN:
            return at == 0 or text[at - 1] == "\n"
        case Place.LINE_END:
            return at == len(text) or text[at] == "\n"
    edge = _is_word(text[max(at - 1, 0) : at]) is not _is_word(text[at : at + 1])
    return edge is (place is Place.WORD_EDGE)


def _is_word(character: str) -> bool:
    """ASCII only, in RE2."""
    return character.isascii() and (character.isalnum() or character == "_")
