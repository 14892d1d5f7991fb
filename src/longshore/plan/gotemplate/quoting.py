"""Go's quoted strings, read and written (package strconv). Go strings are bytes."""

from __future__ import annotations

import re

from longshore.errors import InvalidValue

_ESCAPE = re.compile(
    r"""\\(?: (?P<simple>[abfnrtv\\'"]) | x(?P<hex>[0-9a-fA-F]{2}) | (?P<octal>[0-7]{3})
          | u(?P<u4>[0-9a-fA-F]{4}) | U(?P<u8>[0-9a-fA-F]{8}) | (?P<bad>.?) )""",
    re.VERBOSE | re.DOTALL,
)
_SIMPLE = {
    "a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, "'": 39, '"': 34,
}  # fmt: skip
_WRITTEN = {7: "\\a", 8: "\\b", 12: "\\f", 10: "\\n", 13: "\\r", 9: "\\t", 11: "\\v", 92: "\\\\"}


def go_bytes(text: str) -> bytes:
    """A Go string; bytes that were no UTF-8 (surrogate escapes) come back as they were."""
    return text.encode("utf-8", "surrogateescape")


def unquote(literal: str) -> bytes:
    """The value of a string literal, raw or interpreted; raises InvalidValue."""
    if literal[0] == "`":
        return go_bytes(literal[1:-1].replace("\r", ""))
    parts = []
    at = 1
    for found in _ESCAPE.finditer(literal, 1, len(literal) - 1):
        parts.append(go_bytes(literal[at : found.start()]))
        number, is_byte = _escaped(found, literal[0])
        parts.append(bytes([number]) if is_byte else chr(number).encode())
        at = found.end()
    parts.append(go_bytes(literal[at:-1]))
    return b"".join(parts)


def unquote_character(literal: str) -> int:
    """The code point of a character literal; raises InvalidValue."""
    inner = literal[1:-1]
    found = _ESCAPE.fullmatch(inner)
    if found is not None:
        return _escaped(found, "'")[0]
    if len(inner) != 1:
        raise InvalidValue(f"{literal} is not one character", hint='texts are written "…"')
    # A byte that is no UTF-8 is the replacement character, as everywhere in Go.
    return 0xFFFD if "\udc80" <= inner <= "\udcff" else ord(inner)


def _escaped(found: re.Match[str], quote: str) -> tuple[int, bool]:
    """The number an escape stands for, and whether that is a byte rather than a code point."""
    kind = found.lastgroup or "bad"
    digits = found[kind]
    if kind == "simple" and digits not in {"'": '"', '"': "'"}[quote]:
        return _SIMPLE[digits], False
    if kind in ("hex", "octal"):
        number = int(digits, 16 if kind == "hex" else 8)
        if number < 256:
            return number, True
    if kind in ("u4", "u8"):
        number = int(digits, 16)
        if number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF:
            return number, False
    raise InvalidValue(f"escape {found[0]} has no meaning in a string")


def quote(text: bytes, mark: str = '"', *, ascii_only: bool = False) -> str:
    """The text as a Go literal, what cannot be printed escaped."""
    characters = text.decode("utf-8", "surrogateescape")
    return mark + "".join(_written(each, mark, ascii_only) for each in characters) + mark


def _written(character: str, mark: str, ascii_only: bool) -> str:
    number = ord(character)
    if 0xDC80 <= number <= 0xDCFF:
        return f"\\x{number - 0xDC00:02x}"
    if character == mark:
        return "\\" + mark
    if number in _WRITTEN:
        return _WRITTEN[number]
    if is_printable(character) and (number < 0x80 or not ascii_only):
        return character
    if number < 0x20 or number == 0x7F:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def is_printable(character: str) -> bool:
    """Go's unicode.IsPrint: letters, marks, numbers, punctuation, symbols and the blank."""
    return character.isprintable()


def backquotable(text: bytes) -> bool:
    """Whether a raw literal can hold the text (strconv.CanBackquote)."""
    try:
        characters = text.decode()
    except UnicodeDecodeError:
        return False
    return not any(
        character in "`\x7f\ufeff" or (character < " " and character != "\t")
        for character in characters
    )
