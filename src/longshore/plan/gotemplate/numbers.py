"""Go's number literals, which have no type until they are used."""

from __future__ import annotations

import re

from msgspec import Struct

from longshore.errors import InvalidValue

_OCTAL = re.compile(r"([+-]?)0(_?[0-7_]+)")
_HEX_FLOAT = re.compile(r"[+-]?0[xX][0-9a-fA-F_.]+[pP][+-]?[0-9]+")
_MISPLACED = re.compile(r"(?<![0-9a-fA-FxX])_|_(?![0-9a-fA-F])")
_LOWEST, _HIGHEST = -(1 << 63), (1 << 63) - 1


class Constant(Struct, frozen=True, kw_only=True):
    """A literal with every form it has: `integer` for 1e3 as well as for 1000."""

    text: str
    integer: int | None = None
    floating: float | None = None
    imaginary: complex | None = None

    def ideal(self) -> int | float | complex:
        """The value where nothing says which type is wanted; raises InvalidValue."""
        if self.imaginary is not None:
            return self.imaginary
        if self.floating is not None and self._written_as_float():
            return self.floating
        if self.integer is None or not _LOWEST <= self.integer <= _HIGHEST:
            raise InvalidValue(f"{self.text} does not fit into an int")
        return self.integer

    def _written_as_float(self) -> bool:
        hexadecimal = self.text[:2] in ("0x", "0X") and not re.search("[pP]", self.text)
        rune = self.text[:1] == "'"
        return not hexadecimal and not rune and re.search("[.eEpP]", self.text) is not None


def character_constant(text: str, code_point: int) -> Constant:
    """A character literal: the number of the character."""
    return Constant(text=text, integer=code_point, floating=float(code_point))


def number_constant(text: str) -> Constant:
    """An integer, a floating point or an imaginary literal; raises InvalidValue."""
    if text.endswith("i"):
        floating = _float(text[:-1])
        if floating is None:
            raise _illegal(text)
        return _complex(text, complex(0, floating))
    integer = _integer(text)
    if integer is not None:
        return Constant(text=text, integer=integer, floating=float(integer))
    floating = _float(text)
    if floating is None:
        raise _illegal(text)
    if not re.search("[.eEpP]", text):
        raise InvalidValue(f"{text} does not fit into an int")
    return Constant(text=text, integer=_whole(floating), floating=floating)


def complex_constant(text: str) -> Constant:
    """A literal such as ``1+2i``; raises InvalidValue."""
    cut = max(text.rfind("+"), text.rfind("-"))
    while cut > 1 and text[cut - 1] in "eEpP":
        cut = max(text.rfind("+", 0, cut), text.rfind("-", 0, cut))
    real, imaginary = _float(text[:cut]), _float(text[cut:-1])
    if real is None or imaginary is None:
        raise _illegal(text)
    return _complex(text, complex(real, imaginary))


def _complex(text: str, value: complex) -> Constant:
    """Without an imaginary part it is a real number as well."""
    if value.imag:
        return Constant(text=text, imaginary=value)
    return Constant(text=text, integer=_whole(value.real), floating=value.real, imaginary=value)


def _whole(floating: float) -> int | None:
    whole = floating.is_integer() and _LOWEST <= floating < -_LOWEST
    return int(floating) if whole else None


def _illegal(text: str) -> InvalidValue:
    return InvalidValue(f'"{text}" is no number')


def _integer(text: str) -> int | None:
    octal = _OCTAL.fullmatch(text)
    try:
        number = int(f"{octal[1]}0o{octal[2]}" if octal else text, 0)
    except ValueError:
        return None
    # Beyond 64 bits Go falls back to floating point; a sign leaves no unsigned form.
    highest = _HIGHEST if text[0] in "+-" else (1 << 64) - 1
    return number if _LOWEST <= number <= highest else None


def _float(text: str) -> float | None:
    if _MISPLACED.search(text):
        return None
    try:
        if _HEX_FLOAT.fullmatch(text):
            return float.fromhex(text.replace("_", ""))
        number = float(text)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) != float("inf") else None
