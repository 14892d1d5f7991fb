"""``.dockerignore``: which paths of a context stay at home, exactly as Docker decides it; pure.

The rules are those of Docker's reference ("docker build", ".dockerignore file") and, where it is
silent, of the engine's own matcher. Paths are relative to the context, with ``/`` between parts.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

from msgspec import Struct

from longshore.engine.wildcards import ANY_DIRECTORIES, Wildcards
from longshore.errors import InvalidValue

_BOM = "\ufeff"
_SPACE = (
    "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
    "\u200a\u2028\u2029\u202f\u205f\u3000"
)
"""What Go's ``strings.TrimSpace`` takes away."""

_RANGE = r"\[\^?(?:(?:\\.|[^\\\]-])(?:-(?:\\.|[^\\\]-]))?)+\]"
_VALID = re.compile(rf"(?:[^\\\[]|\\.|{_RANGE})*", re.DOTALL)
"""The syntax of Go's ``path.Match``, which the engine checks patterns against."""

_TOKEN = re.compile(r"\*\*/?|\\.|.", re.DOTALL)
_CLASS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)


class Pattern(Struct, frozen=True):
    """One line: its text (cleaned, without ``!``), whether it is an exception, and its meaning.

    `wildcards` takes the place of `expression` where there are many.
    """

    text: str
    exception: bool
    expression: re.Pattern[str]
    wildcards: Wildcards | None = None

    def matches(self, path: str) -> bool:
        """Whether the pattern means exactly `path` (not what is below it)."""
        if self.wildcards is not None:
            return self.wildcards.match(path)
        return self.expression.fullmatch(path) is not None


class Ignore(Struct, frozen=True):
    """All patterns in order; the last one that matches a path or a parent of it decides."""

    patterns: tuple[Pattern, ...] = ()

    def ignores(self, path: str) -> bool:
        """Whether `path` is left out."""
        names = _with_parents(path)
        left_out = False
        for pattern in self.patterns:
            # An exclusion cannot change what is out already, nor an exception what is in.
            if pattern.exception == left_out and any(map(pattern.matches, names)):
                left_out = not pattern.exception
        return left_out

    def may_keep_below(self, directory: str) -> bool:
        """Whether an ignored directory must be looked into: an exception names a path below it.

        The comparison is by text, wildcards included: so does the engine's own client.
        """
        start = directory + "/"
        return any(p.exception and f"{p.text}/".startswith(start) for p in self.patterns)

    def keeping(self, paths: Iterable[str]) -> Ignore:
        """The same, but with exceptions for `paths` that would be left out."""
        extra = tuple(parse_pattern(f"!{path}") for path in paths if self.ignores(path))
        return Ignore(self.patterns + extra)


def parse(text: str) -> Ignore:
    """The patterns of a ``.dockerignore``; raises `InvalidValue` naming the line that is none."""
    patterns = []
    for number, line in enumerate(text.removeprefix(_BOM).split("\n"), start=1):
        cleaned = None if line.startswith("#") else _cleaned(line)
        if cleaned and cleaned.strip(_SPACE):
            try:
                patterns.append(parse_pattern(cleaned))
            except InvalidValue as exception:
                raise InvalidValue(f"line {number}: {exception.message}") from exception
    return Ignore(tuple(patterns))


def parse_pattern(text: str) -> Pattern:
    """One pattern; raises `InvalidValue` for a broken one."""
    cleaned = _clean_path(text.strip(_SPACE))
    exception = cleaned.startswith("!")
    body = cleaned[1:] if exception else cleaned
    if not _VALID.fullmatch(body):
        raise _broken(text)
    if not body:
        raise InvalidValue('"!" alone is no pattern', hint="write the path after the `!`")
    try:
        expression = re.compile(_expression(body), re.ASCII)
    except re.error as error:
        raise _broken(text) from error
    return Pattern(body, exception, expression, Wildcards.of(expression.pattern))


def _broken(text: str) -> InvalidValue:
    return InvalidValue(
        f'"{text}" is no pattern', hint="a `[` needs its `]`; a `\\` needs a character after it"
    )


def _with_parents(path: str) -> list[str]:
    """The path, then its parents from the top."""
    parts = path.split("/")
    return [path, *("/".join(parts[: end + 1]) for end in range(len(parts) - 1))]


def _cleaned(line: str) -> str:
    """A line as the engine's reader hands it on: trimmed, cleaned, without leading slash."""
    pattern = line.strip(_SPACE)
    exception = pattern.startswith("!")
    body = pattern[1:].strip(_SPACE) if exception else pattern
    if body:
        body = _clean_path(body)
        if len(body) > 1:
            body = body.removeprefix("/")
    return f"!{body}" if exception else body


def _clean_path(path: str) -> str:
    """Go's ``path.Clean``: unlike `posixpath.normpath` it never keeps two leading slashes."""
    return posixpath.normpath(re.sub(r"^/+", "/", path))


def _expression(pattern: str) -> str:
    """The regular expression of a pattern, as the engine's matcher understands it.

    It compares three forms as text: those without wildcard, those that only begin with ``**``
    (the path ends like the rest) and those that only end with ``**`` (the path begins so).
    """
    if not _is_wild(pattern):
        return re.escape(pattern)
    if pattern.startswith("**") and not _is_wild(pattern[2:]):
        whole = re.escape(pattern[3:]) if pattern.startswith("**/") else None
        ending = f"(?s:.*){re.escape(pattern[2:])}"
        return ending if whole is None else f"{ending}|{whole}"
    if pattern.endswith("**") and not _is_wild(pattern[:-2]):
        return f"{re.escape(pattern[:-2])}(?s:.*)"
    # The engine does not look for brackets here: a `*` or `?` within them is translated as well.
    go = "".join(_translated(match) for match in _TOKEN.finditer(pattern))
    return _CLASS.sub(_plain_class, go)


def _is_wild(text: str) -> bool:
    return any(character in "*?[]\\" for character in text)


def _translated(token: re.Match[str]) -> str:
    text = token.group()
    if text.startswith("**"):
        return ".*" if token.end() == len(token.string) else ANY_DIRECTORIES
    if text == "*":
        return "[^/]*"
    if text == "?":
        return "[^/]"
    if text.startswith("\\"):
        # Go's expressions know no escape of a letter that is not ASCII, Python's do.
        return text if text.isascii() else r"\C"
    # These stay what they are in the engine's expression: `^` outside of brackets is an anchor.
    return text if text in "[]^-" else re.escape(text)


def _plain_class(match: re.Match[str]) -> str:
    """A Go character class as Python writes it: a bracket within is nothing special."""
    text = match.group()
    if text.startswith("\\"):
        return text
    return text[0] + re.sub(r"\\.|[\[&|~]", _escaped, text[1:-1], flags=re.DOTALL) + "]"


def _escaped(match: re.Match[str]) -> str:
    text = match.group()
    return text if text.startswith("\\") else f"\\{text}"
