"""The parser: what Go 1.19 compiles, and why it does not compile the rest."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from longshore.plan.goregex.characters import ANY, Characters, Item, single
from longshore.plan.goregex.classes import bracketed
from longshore.plan.goregex.escapes import escaped_character, escaped_set
from longshore.plan.goregex.faults import NotAPattern, TooMuch
from longshore.plan.goregex.flags import Flags, flags_of
from longshore.plan.goregex.nodes import Choice, Node, Place, Repeat, Sequence

_MOST_REPEATS: Final = 1000
_DEEPEST: Final = 100

_OPERATOR = re.compile(r"(?:([*+?])|\{(0|[1-9][0-9]*)(?:(,)(0|[1-9][0-9]*)?)?\})\??")
_NAMED = re.compile(r"\(\?P<([A-Za-z0-9_]+)>")
_UNNAMED = re.compile(r"\(\?([a-zA-Z-]*)([:)])")
_SIMPLE: Final = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_PLACES: Final = {
    "\\A": Place.TEXT_BEGIN,
    "\\z": Place.TEXT_END,
    "\\b": Place.WORD_EDGE,
    "\\B": Place.NO_WORD_EDGE,
}
_FOREIGN: Final = (
    ("(?=", "look-ahead (?=…) does not exist in RE2"),
    (
        "(?!",
        "look-ahead (?!…) does not exist in RE2; what may not match belongs into the key exclude",
    ),
    ("(?<=", "look-behind (?<=…) does not exist in RE2"),
    ("(?<!", "look-behind (?<!…) does not exist in RE2"),
    ("(?>", "(?>…) does not exist in RE2"),
    ("(?#", "comments (?#…) do not exist in RE2"),
    ("(?(", "conditions (?(…)…) do not exist in RE2"),
    ("(?<", "a group is named (?P<name>…)"),
    ("(?P", "a group is named (?P<name>…), with letters, digits and _"),
)


def parse_pattern(pattern: str) -> Node:
    """The pattern as a tree; raises NotAPattern, or TooMuch for what only google-re2 can do."""
    parser = _Parser(pattern)
    node = parser.choice()
    if parser.at < len(pattern):
        raise NotAPattern('")" without "("')
    return node


@dataclass(slots=True)
class _Parser:
    pattern: str
    at: int = 0
    depth: int = 0
    flags: Flags = field(default_factory=Flags)

    def choice(self) -> Node:
        """Up to a ``)`` that is not ours, or the end."""
        options = [self._sequence()]
        while self._next() == "|":
            self.at += 1
            options.append(self._sequence())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _next(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def _sequence(self) -> Node:
        parts: list[Node] = []
        repeated = False
        while (character := self._next()) and character not in "|)":
            operator = _OPERATOR.match(self.pattern, self.at)
            if operator is None:
                parts += self._atom(character)
            else:
                self._repeat(parts, operator, repeated)
            repeated = operator is not None
        return Sequence(tuple(parts))

    def _repeat(self, parts: list[Node], operator: re.Match[str], repeated: bool) -> None:
        if not parts:
            raise NotAPattern(f"{operator[0]} has nothing before it to repeat")
        if repeated:
            raise NotAPattern(f"{operator[0]} repeats a repetition")
        least, most = _bounds(operator)
        node = Repeat(parts.pop(), least, most)
        if max(least, most or 0) > 1 and not _repeats_at_most(node, _MOST_REPEATS):
            raise NotAPattern(f"{operator[0]} repeats more than {_MOST_REPEATS} times in all")
        parts.append(node)
        self.at = operator.end()

    def _atom(self, character: str) -> list[Node]:
        match character:
            case "(":
                return self._group()
            case "[":
                node, self.at = bracketed(self.pattern, self.at, folded=self.flags.fold)
                return [node]
            case "\\":
                return self._escape()
        self.at += 1
        return [self._plain(character)]

    def _plain(self, character: str) -> Node:
        match character:
            case "^":
                return Place.LINE_BEGIN if self.flags.lines else Place.TEXT_BEGIN
            case "$":
                return Place.LINE_END if self.flags.lines else Place.TEXT_END
            case ".":
                newline = () if self.flags.dot_all else (Item(ranges=(("\n", "\n"),)),)
                every = Characters(items=(Item(ranges=(ANY,)),))
                return Characters(items=newline, negated=True) if newline else every
        return single(character, folded=self.flags.fold)

    def _escape(self) -> list[Node]:
        two = self.pattern[self.at : self.at + 2]
        if two in _PLACES:
            self.at += 2
            return [_PLACES[two]]
        if two == "\\Q":
            return self._literal()
        found = escaped_set(self.pattern, self.at)
        if found is not None:
            item, self.at = found
            return [Characters(items=(item,), folded=self.flags.fold)]
        character, self.at = escaped_character(self.pattern, self.at)
        return [single(character, folded=self.flags.fold)]

    def _literal(self) -> list[Node]:
        text, closed, _ = self.pattern[self.at + 2 :].partition("\\E")
        self.at += 2 + len(text) + len(closed)
        return [single(character, folded=self.flags.fold) for character in text]

    def _group(self) -> list[Node]:
        outer = self.flags
        if self.pattern.startswith("(?", self.at):
            if not self._special_group():
                return []
        else:
            self.at += 1
        self.depth += 1
        if self.depth > _DEEPEST:
            raise TooMuch(f"more than {_DEEPEST} groups inside one another need google-re2")
        node = self.choice()
        if self._next() != ")":
            raise NotAPattern('"(" without ")"')
        self.at += 1
        self.depth -= 1
        self.flags = outer
        return [node]

    def _special_group(self) -> bool:
        """Read ``(?…`` up to where its inside begins; False for flags alone: ``(?i)``."""
        if named := _NAMED.match(self.pattern, self.at):
            self.at = named.end()
            return True
        unnamed = _UNNAMED.match(self.pattern, self.at)
        if unnamed is None:
            raise self._foreign()
        self.flags = flags_of(unnamed[1], self.flags)
        self.at = unnamed.end()
        return unnamed[2] == ":"

    def _foreign(self) -> NotAPattern:
        for start, reason in _FOREIGN:
            if self.pattern.startswith(start, self.at):
                return NotAPattern(reason)
        return NotAPattern(f"{self.pattern[self.at : self.at + 3]} has no meaning in RE2")


def _bounds(operator: re.Match[str]) -> tuple[int, int | None]:
    if operator[1]:
        return _SIMPLE[operator[1]]
    least = _count(operator[2])
    if not operator[3]:
        return least, least
    if not operator[4]:
        return least, None
    most = _count(operator[4])
    if most < least:
        raise NotAPattern(f"{operator[0]} has its ends the wrong way round")
    return least, most


def _count(digits: str) -> int:
    if len(digits) > 4 or int(digits) > _MOST_REPEATS:
        raise NotAPattern(f"nothing can be repeated more than {_MOST_REPEATS} times")
    return int(digits)


def _repeats_at_most(node: Node, limit: int) -> bool:
    """Go's rule: counts inside one another must not multiply to more than the limit."""
    match node:
        case Repeat():
            counted = node.least if node.most is None else node.most
            simple = (node.least, node.most) in _SIMPLE.values()
            if counted == 0 and node.most == 0:
                return True
            if not simple and counted > limit:
                return False
            rest = limit // counted if counted and not simple else limit
            return _repeats_at_most(node.part, rest)
        case Sequence():
            return all(_repeats_at_most(part, limit) for part in node.parts)
        case Choice():
            return all(_repeats_at_most(option, limit) for option in node.options)
    return True
