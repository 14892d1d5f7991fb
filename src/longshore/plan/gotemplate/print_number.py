"""Integers under printf's verbs."""

from __future__ import annotations

from longshore.plan.gotemplate.flags import Flags
from longshore.plan.gotemplate.quoting import is_printable, quote
from longshore.plan.gotime.kinds import Uint8

_IN_DIGITS = frozenset("dboOxX")
_HIGHEST_CHARACTER = 0x10FFFF


def print_integer(number: int, verb: str, flags: Flags) -> bytes | None:
    """A Go integer; None for a verb that integers have not."""
    if verb == "v":
        if flags.sharp_v and isinstance(number, Uint8):
            return _based(number, "x", flags, prefix="0x")
        return _based(number, "d", flags)
    if verb in _IN_DIGITS:
        return _based(number, verb, flags, prefix=_prefix(number, verb, flags))
    match verb:
        case "c":
            return flags.padded(_character(number).encode())
        case "q":
            text = _character(number).encode()
            return flags.padded(quote(text, "'", ascii_only=flags.plus).encode())
        case "U":
            return _code_point(number, flags)
    return None


def _prefix(number: int, verb: str, flags: Flags) -> str:
    if verb == "O":
        return "0o"
    if not flags.sharp:
        return ""
    return {"b": "0b", "o": "0", "x": "0x", "X": "0X"}.get(verb, "")


def _based(number: int, verb: str, flags: Flags, *, prefix: str = "") -> bytes:
    """Sign, prefix, digits. A precision, or a width with ``0``, asks for leading zeros."""
    if flags.precision == 0 and number == 0:
        return b" " * (flags.width or 0)
    sign = "-" if number < 0 else "+" if flags.plus else " " if flags.space else ""
    least = flags.precision or 0
    if flags.precision is None and flags.zero and flags.width is not None:
        least = flags.width - len(sign)
    digits = format(abs(int(number)), verb.lower()).rjust(least, "0")
    if verb == "X":
        digits = digits.upper()
    if verb == "O" and flags.sharp and not digits.startswith("0"):
        digits = "0" + digits
    if verb == "o" and digits.startswith("0"):
        prefix = ""
    return flags.padded_with_blanks((sign + prefix + digits).encode())


def _character(number: int) -> str:
    """The character of a code point; U+FFFD for what is none."""
    if not 0 <= number <= _HIGHEST_CHARACTER or 0xD800 <= number <= 0xDFFF:
        return "\ufffd"
    return chr(number)


def _code_point(number: int, flags: Flags) -> bytes:
    """``U+0041``, and with ``#`` the character itself behind it."""
    unsigned = number & ((1 << 64) - 1)
    text = f"U+{unsigned:0{max(4, flags.precision or 0)}X}"
    if flags.sharp and unsigned <= _HIGHEST_CHARACTER and is_printable(chr(unsigned)):
        text += f" '{chr(unsigned)}'"
    return flags.padded_with_blanks(text.encode())
