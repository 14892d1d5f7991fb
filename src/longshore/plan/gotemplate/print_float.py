"""Floating point and complex numbers under printf's verbs."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from msgspec.structs import replace

from longshore.plan.gotemplate.flags import Flags

_VERBS: Final = "vbgGxXfFeE"
_MANTISSA_BITS: Final = 52
_MOST_PLACES: Final = 6


def print_complex(number: complex, verb: str, flags: Flags) -> bytes | None:
    """A Go complex128 as ``(1+2i)``; None for a verb that it has not."""
    real = print_float(number.real, verb, flags)
    imaginary = print_float(number.imag, verb, replace(flags, plus=True))
    if real is None or imaginary is None:
        return None
    return b"(" + real + imaginary + b"i)"


def print_float(number: float, verb: str, flags: Flags) -> bytes | None:
    """A Go float64; None for a verb that it has not."""
    if verb not in _VERBS:
        return None
    letter = {"v": "g", "F": "f"}.get(verb, verb)
    digits = _unsigned(abs(number), letter, flags)
    if flags.sharp and letter != "b":
        digits = _with_point(digits, letter, flags)
    negative = math.copysign(1.0, number) < 0
    sign = "-" if negative else "+" if flags.plus else " " if flags.space else ""
    if flags.zero and sign and (flags.width or 0) > len(digits) + 1:
        return (sign + digits.rjust((flags.width or 0) - 1, "0")).encode()
    return flags.padded((sign + digits).encode())


def _unsigned(number: float, letter: str, flags: Flags) -> str:
    precision = flags.precision
    match letter:
        case "f":
            return f"{number:.{6 if precision is None else precision}f}"
        case "e" | "E":
            return format(number, f".{6 if precision is None else precision}{letter}")
        case "b":
            return _binary(number)
        case "x" | "X":
            text = _hexadecimal(number, precision)
            return text.upper() if letter == "X" else text
    text = _general(number, precision)
    return text.upper() if letter == "G" else text


def _general(number: float, precision: int | None) -> str:
    """With an exponent below 1e-4 and from 1e6 on, or from as many digits on as are asked for."""
    if precision is not None:
        return _trimmed(number, precision or 1)
    shortest = Decimal(repr(number))
    digits = "".join(map(str, shortest.as_tuple().digits)).rstrip("0") or "0"
    exponent = shortest.adjusted() if number else 0
    if exponent < -4 or exponent >= _MOST_PLACES:
        return _scientific(digits, exponent)
    return _positional(digits, exponent)


def _trimmed(number: float, precision: int) -> str:
    rounded = f"{number:.{precision - 1}e}"
    mantissa, _, power = rounded.partition("e")
    digits = mantissa.replace(".", "").rstrip("0") or "0"
    exponent = int(power)
    limit = precision
    if limit > len(digits) >= exponent + 1:
        limit = len(digits)
    if exponent < -4 or exponent >= limit:
        return _scientific(digits, exponent)
    return _positional(digits, exponent)


def _scientific(digits: str, exponent: int) -> str:
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def _positional(digits: str, exponent: int) -> str:
    if exponent < 0:
        return "0." + "0" * (-exponent - 1) + digits
    whole = digits[: exponent + 1].ljust(exponent + 1, "0")
    fraction = digits[exponent + 1 :]
    return f"{whole}.{fraction}" if fraction else whole


def _binary(number: float) -> str:
    """Mantissa and power of two, both decimal: ``4503599627370496p-52``."""
    if number == 0:
        return f"0p-{_MANTISSA_BITS + 1022}"
    mantissa, exponent = math.frexp(number)
    shift = max(exponent - _MANTISSA_BITS - 1, -1074)
    return f"{int(math.ldexp(mantissa, exponent - shift))}p{shift:+d}"


def _hexadecimal(number: float, precision: int | None) -> str:
    """``0x1.8p+00``: a mantissa of one digit before the point."""
    if number == 0:
        zeros = "." + "0" * precision if precision else ""
        return f"0x0{zeros}p+00"
    mantissa, exponent = math.frexp(number)
    exponent -= 1
    scaled = int(math.ldexp(mantissa, _MANTISSA_BITS + 1))
    if precision is not None and precision < 13:
        unit = 1 << (4 * (13 - precision))
        scaled = int((Decimal(scaled) / unit).to_integral_value(ROUND_HALF_EVEN)) * unit
        if scaled >= 1 << (_MANTISSA_BITS + 1):
            scaled >>= 1
            exponent += 1
    digits = f"{scaled & ((1 << _MANTISSA_BITS) - 1):013x}"
    digits = digits.rstrip("0") if precision is None else digits.ljust(precision, "0")[:precision]
    point = "." if digits else ""
    return f"0x1{point}{digits}p{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def _with_point(text: str, letter: str, flags: Flags) -> str:
    """``#``: always a decimal point, and for %g the zeros it would drop."""
    marks = "pP" if letter in "xX" else "eE"
    cut = next((place for place, mark in enumerate(text) if mark in marks), len(text))
    number, tail = text[:cut], text[cut:]
    wanted = 0
    if letter in "gGx":
        wanted = 6 if flags.precision is None else flags.precision
        wanted -= _significant(number)
    if "." not in number:
        wanted -= number == "0"
        number += "."
    return number + "0" * max(wanted, 0) + tail


def _significant(number: str) -> int:
    """Characters from the first digit that is not zero on, the point not counted."""
    return len(number.replace(".", "").lstrip("0"))
