"""``WWW-Authenticate``: what a server wants to see before it answers (RFC 9110, 11.6.1); pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct, field
from yarl import URL

_WORD: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_SPACE: Final = re.compile(r"[ \t]*")
_SEPARATOR: Final = re.compile(r"[ \t]*(?:,[ \t]*)*")
_PARAMETER: Final = re.compile(
    rf'({_WORD})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"=][^\s,"]*))', re.DOTALL
)
_SCHEME: Final = re.compile(rf"({_WORD})(?=[ \t]|,|$)")
_TOKEN68: Final = re.compile(r"[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))")
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


class Challenge(Struct, frozen=True):
    """One way to authenticate: `scheme` and the names of `parameters` in lower case."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        """A parameter, or the empty text."""
        return self.parameters.get(name, "")

    def at(self, realm: URL) -> Challenge:
        """The same with that address for its realm."""
        return Challenge(self.scheme, {**self.parameters, "realm": str(realm)})


def parse_challenges(headers: Iterable[str]) -> tuple[Challenge, ...]:
    """Every challenge in these header values, in order; never raises.

    A value may hold several challenges, parameters may be quoted strings with commas in them.
    Reading a value ends where it breaks the grammar; what came before counts.
    """
    return tuple(challenge for header in headers for challenge in _challenges(header))


def _challenges(text: str) -> Iterator[Challenge]:
    position = _end(_SEPARATOR, text, 0)
    while match := _SCHEME.match(text, position):
        position = _end(_SPACE, text, match.end())
        parameters, position = _parameters(text, position)
        yield Challenge(match[1].lower(), parameters)


def _parameters(text: str, position: int) -> tuple[dict[str, str], int]:
    """The parameters from here on, and where the next challenge begins."""
    found: dict[str, str] = {}
    while match := _PARAMETER.match(text, position):
        name, quoted, plain = match.groups()
        value = plain if quoted is None else _ESCAPED.sub(r"\1", quoted)
        found.setdefault(name.lower(), value)
        position = _end(_SEPARATOR, text, match.end())
    if not found and (blob := _TOKEN68.match(text, position)):
        position = blob.end()
    return found, _end(_SEPARATOR, text, position)


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position
