"""Environment files, plain or decrypted: ``KEY=VALUE`` lines, taken literally (spec S-22, Q-18)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct

from longshore.errors import InvalidValue

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_EXPORT: Final = re.compile(r"export[ \t]+")
_ASSIGNED: Final = re.compile(rf"(?:{_EXPORT.pattern})?{_NAME.pattern}=(?!=?$)")
"""A line of a variable with a value; base64 may end with one "=" or two, nothing behind them."""
_YAML: Final = re.compile(rf"({_NAME.pattern}):(?:[ \t]|$)")


class LineWarning(Struct, frozen=True):
    """Something odd in line `line` (from 1); `message` holds names but never a value."""

    line: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvFile:
    """`pairs` in file order, a later one overrides; value None: take it from the host (S-22)."""

    pairs: tuple[tuple[str, str | None], ...] = field(repr=False)
    warnings: tuple[LineWarning, ...] = ()


def parse_env(text: str) -> EnvFile:
    """Read the lines of an environment file.

    Values are the rest of the line, character by character, but for one final carriage return:
    no quotes removed, no escapes, no interpolation. Lines end with LF only, as in Docker; the
    further lines of a PEM key are ignored. Raises InvalidValue for a NUL character, which no
    variable can hold.
    """
    pairs: list[tuple[str, str | None]] = []
    warnings: list[LineWarning] = []
    for number, line, cut in _lines(text.removeprefix("\ufeff").split("\n")):
        if "\0" in line:
            raise InvalidValue(
                f"line {number} holds a NUL character, which no variable can hold",
                hint="remove it; if the whole file has them, save it as UTF-8 text",
            )
        pair, warning = _pair(line.removesuffix("\r"))
        if cut:
            warning = _cut(None if pair is None else pair[0])
        if pair is not None:
            pairs.append(pair)
        if warning is not None:
            warnings.append(LineWarning(number, warning))
    return EnvFile(pairs=tuple(pairs), warnings=tuple(warnings))


def is_plain_name(name: str) -> bool:
    """Whether `name` is a variable's; any other may be a piece of a value of several lines, in
    which there happens to be a "="."""
    return _NAME.fullmatch(name) is not None


def _lines(lines: Sequence[str]) -> Iterator[tuple[int, str, bool]]:
    """Number and text of those that say something, and whether the rest of a key was left out."""
    left_out = 0
    for number, line in enumerate(lines, start=1):
        stripped = line.strip()
        if number > left_out and stripped and not stripped.startswith("#"):
            left_out = _end_of_key(lines, number)
            yield number, line, left_out > number


def _end_of_key(lines: Sequence[str], number: int) -> int:
    """The line with the end of a key that begins in line `number`; `number` where there is none.

    Variables in between show that it is no key of several lines.
    """
    begin = lines[number - 1]
    if "-----BEGIN " not in begin or "-----END" in begin:
        return number
    for place in range(number, len(lines)):
        line = lines[place].strip()
        if line.startswith("-----END "):
            return place + 1
        if "-----BEGIN " in line or _ASSIGNED.match(line):
            break
    return number


def _cut(name: str | None) -> str:
    known = f' of "{name}"' if name and is_plain_name(name) else ""
    return (
        f'the lines{known} up to "-----END" are ignored '
        "(write a multi-line value on one line with \\n)"
    )


def _pair(line: str) -> tuple[tuple[str, str | None] | None, str | None]:
    """The pair a line stands for, if any, and what is odd about it, if anything."""
    left, equals, value = line.partition("=")
    name = left.strip()
    bare = _EXPORT.sub("", name, count=1) if _EXPORT.match(name) else name
    if not bare:
        return None, 'there is no name before the "="; the line is ignored'
    if not equals:
        pair, warning = _from_host(bare)
        return pair, warning or (_exported(bare) if bare != name else None)
    if bare != name:
        return (bare, value), _exported(bare)
    if any(character.isspace() for character in bare):
        return (bare, value), 'the name before the "=" contains blanks'
    return (bare, value), None


def _from_host(name: str) -> tuple[tuple[str, str | None] | None, str | None]:
    if is_plain_name(name):
        return (name, None), None
    # The line may be part of a multi-line secret: nothing of it is shown but a plain key.
    if match := _YAML.match(name):
        return None, f'"{match[1]}:" looks like YAML; write {match[1]}=VALUE; the line is ignored'
    return (
        None,
        'the line has no "="; it is ignored (write a multi-line value on one line with \\n)',
    )


def _exported(name: str) -> str:
    known = f' before "{name}"' if is_plain_name(name) else ""
    return f'"export"{known} is ignored: this is not a shell script'
