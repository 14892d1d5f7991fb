"""Texts of others as they may be shown on a terminal; pure."""

from __future__ import annotations


def printable(text: str) -> str:
    """`text` without characters that would move the cursor or end the line."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character == "\t" else f"\\x{ord(character):02x}"
        for character in text
    )


def printable_lines(text: str) -> str:
    """The same of a text of several lines, which stay; also those that end as on Windows."""
    return "\n".join(map(printable, text.replace("\r\n", "\n").split("\n")))
