"""The text of one of the user's files: decoded, its lines, and places in it."""

from __future__ import annotations

import codecs
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from longshore.config import codes
from longshore.config.problem import Place, Problem, Severity

MAX_BYTES = 10 * 1024 * 1024
"""Larger files are refused: the largest real one known has 20 kB."""

_BREAK = re.compile(r"\r\n|\r|\n")
_UNREADABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
"""What YAML 1.1 (5.1, c-printable) allows nowhere in a file; its complement compiles slowly."""
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(slots=True)
class SourceText:
    """A file's text. Lines end at LF, CRLF or CR, as editors count them."""

    path: str
    text: str
    _starts: list[int] = field(default_factory=list, repr=False)

    @property
    def starts(self) -> Sequence[int]:
        """The index at which each line begins."""
        if not self._starts:
            self._starts = [0, *(found.end() for found in _BREAK.finditer(self.text))]
        return self._starts

    def place_at(self, index: int) -> Place:
        """The place of the character at `index` of the text."""
        line = bisect_right(self.starts, index)
        return Place(self.path, line, index - self.starts[line - 1] + 1)

    def index_of(self, place: Place) -> int:
        """The opposite of `place_at`."""
        return self.starts[place.line - 1] + place.column - 1

    def line(self, number: int) -> str | None:
        """Line `number` (from 1) without its line break, or None when there is none."""
        if not 1 <= number <= len(self.starts):
            return None
        end = self.starts[number] if number < len(self.starts) else len(self.text)
        return self.text[self.starts[number - 1] : end].rstrip("\r\n")


def decode(path: str, data: bytes) -> SourceText | Problem:
    """The text of a file: UTF-8, or UTF-16/32 with a byte order mark (YAML 1.1, 5.2)."""
    if len(data) > MAX_BYTES:
        return too_large(path, len(data))
    bom, encoding = next(
        ((bom, name) for bom, name in _BOMS if data.startswith(bom)), (b"", "utf-8")
    )
    try:
        text = data[len(bom) :].decode(encoding)
    except UnicodeDecodeError as fault:
        before = data[len(bom) : len(bom) + fault.start].decode(encoding, "replace")
        return _encoding(path, before, f"this is not {encoding.upper()} text")
    found = _UNREADABLE.search(text)
    if found:
        name = (
            "a NUL character" if found[0] == "\0" else f"the control character {ord(found[0]):#x}"
        )
        return _encoding(path, text[: found.start()], f"{name} may not stand in a YAML file")
    return SourceText(path, text)


def too_large(path: str, size: int) -> Problem:
    """The problem of a file of `size` bytes, more than are ever read."""
    return Problem(
        place=Place(path, 0, 0),
        severity=Severity.ERROR,
        code=codes.TOO_LARGE,
        message=f"the file has {size:,} bytes; at most {MAX_BYTES:,} are read",
        hint="is this the right file?",
    )


def _encoding(path: str, before: str, message: str) -> Problem:
    return Problem(
        place=SourceText(path, before).place_at(len(before)),
        severity=Severity.ERROR,
        code=codes.ENCODING,
        message=message,
        hint="save the file as plain UTF-8 text",
    )
