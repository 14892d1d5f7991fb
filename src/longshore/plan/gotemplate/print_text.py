"""Texts and byte lists under printf's verbs."""

from __future__ import annotations

from longshore.plan.gotemplate.flags import Flags
from longshore.plan.gotemplate.quoting import backquotable, go_bytes, quote


def print_text(text: bytes, verb: str, flags: Flags) -> bytes | None:
    """A Go string; None for a verb that strings have not."""
    match verb:
        case "v":
            return _quoted(text, flags) if flags.sharp_v else _plain(text, flags)
        case "s":
            return _plain(text, flags)
        case "q":
            return _quoted(text, flags)
        case "x" | "X":
            return _hexadecimal(text, verb, flags)
    return None


def _cut(text: bytes, flags: Flags) -> bytes:
    """To `precision` characters."""
    if flags.precision is None:
        return text
    return go_bytes(text.decode("utf-8", "surrogateescape")[: flags.precision])


def _plain(text: bytes, flags: Flags) -> bytes:
    return flags.padded(_cut(text, flags))


def _quoted(text: bytes, flags: Flags) -> bytes:
    text = _cut(text, flags)
    if flags.sharp and backquotable(text):
        return flags.padded(b"`" + text + b"`")
    return flags.padded(go_bytes(quote(text, ascii_only=flags.plus)))


def _hexadecimal(text: bytes, verb: str, flags: Flags) -> bytes:
    """Two digits a byte; ``# `` puts 0x before each and blanks between. Precision counts bytes."""
    pairs = [f"{byte:02x}" for byte in text[: flags.precision]]
    prefix = "0x" if flags.sharp and pairs else ""
    separator = " " + prefix if flags.space else ""
    digits = prefix + separator.join(pairs)
    return flags.padded((digits.upper() if verb == "X" else digits).encode())
