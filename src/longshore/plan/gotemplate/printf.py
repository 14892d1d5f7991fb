"""Go's ``fmt``: Sprint, Sprintln and Sprintf for the values templates have."""

from __future__ import annotations

from longshore.errors import InvalidValue
from longshore.plan.gotemplate.directives import Directive, Directives
from longshore.plan.gotemplate.flags import PLAIN, Flags
from longshore.plan.gotemplate.limits import LONGEST_TEXT, bounded
from longshore.plan.gotemplate.print_float import print_complex, print_float
from longshore.plan.gotemplate.print_number import print_integer
from longshore.plan.gotemplate.print_text import print_text
from longshore.plan.gotemplate.quoting import go_bytes
from longshore.plan.gotemplate.values import Root, Value, is_text, type_name
from longshore.plan.gotime import GoTime
from longshore.plan.gotime.duration import Duration
from longshore.plan.gotime.kinds import ByteSlice, Month, Uint8, Weekday
from longshore.plan.gotime.zone import Zone


def shown(value: Value) -> bytes:
    """What an action leaves in the text; for nil Go's remark."""
    return b"<no value>" if value is None else printed(value, "v", PLAIN)


def sprint(*values: Value) -> bytes:
    """Values one after the other, with blanks only between two that are no texts."""
    parts: list[bytes] = []
    for place, value in enumerate(values):
        if place and not is_text(value) and not is_text(values[place - 1]):
            parts.append(b" ")
        parts.append(printed(value, "v", PLAIN))
    return bounded(b"".join(parts))


def sprintln(*values: Value) -> bytes:
    """Values with blanks between, and a newline."""
    return bounded(b" ".join(printed(value, "v", PLAIN) for value in values) + b"\n")


def sprintf(pattern: bytes, *values: Value) -> bytes:
    """Go's Sprintf; what does not fit together is remarked on in the text, as Go does."""
    directives = Directives(pattern.decode("utf-8", "surrogateescape"), values)
    parts: list[bytes] = []
    size = 0
    for part in directives.parts():
        if isinstance(part, Directive):
            parts.append(printed(part.value, part.verb, part.flags))
        else:
            parts.append(go_bytes(part.text))
        size += len(parts[-1])
        if size > LONGEST_TEXT:
            break
    if directives.left:
        extra = (_typed(value, printed(value, "v", PLAIN)) for value in directives.left)
        parts.append(b"%!(EXTRA " + b", ".join(extra) + b")")
    return bounded(b"".join(parts))


def printed(value: Value, verb: str, flags: Flags) -> bytes:
    """One value under one verb; raises InvalidValue where Go shows its own memory."""
    if verb == "T":
        if value is None:
            return flags.padded(b"<nil>")
        return print_text(type_name(value).encode(), "s", flags) or b""
    text = _by_methods(value, verb, flags)
    if text is None:
        text = _by_kind(value, verb, flags)
    return _wrong_verb(value, verb, flags) if text is None else text


def _by_methods(value: Value, verb: str, flags: Flags) -> bytes | None:
    """Values that know how to show themselves: Go's GoStringer and Stringer."""
    if flags.sharp_v:
        if not isinstance(value, GoTime):
            return None
        return print_text(go_bytes(value.go_text()), "s", flags)
    if verb not in "vsxXq":
        return None
    if isinstance(value, GoTime | Duration | Month | Weekday):
        return print_text(go_bytes(value.text()), verb, flags)
    if isinstance(value, Zone):
        return print_text(go_bytes(value.name), verb, flags)
    return None


def _by_kind(value: Value, verb: str, flags: Flags) -> bytes | None:
    match value:
        case None:
            return flags.padded(b"<nil>") if verb == "v" else None
        case bool():
            text = b"true" if value else b"false"
            return flags.padded(text) if verb in "tv" else None
        case int():
            return print_integer(value, verb, flags)
        case float():
            return print_float(value, verb, flags)
        case complex():
            return print_complex(value, verb, flags)
        case ByteSlice():
            return _print_bytes(value, verb, flags)
        case bytes():
            return print_text(value, verb, flags)
        case Root():
            raise InvalidValue("all the fields together have no text", hint="name one: {{.Branch}}")
    raise InvalidValue(f"%{verb} cannot show a value of type {type_name(value)}")


def _print_bytes(value: ByteSlice, verb: str, flags: Flags) -> bytes:
    if verb == "p":
        raise InvalidValue("%p shows addresses, and there are none")
    text = print_text(bytes(value), verb, flags) if verb in "sqxX" else None
    if text is not None:
        return text
    if flags.sharp_v:
        return b"[]byte{" + b", ".join(printed(Uint8(byte), "v", flags) for byte in value) + b"}"
    element = "d" if verb == "v" else verb
    return b"[" + b" ".join(printed(Uint8(byte), element, flags) for byte in value) + b"]"


def _wrong_verb(value: Value, verb: str, flags: Flags) -> bytes:
    """Go's remark; names such as October are then shown as the numbers they are."""
    return f"%!{verb}(".encode() + _typed(value, _by_kind(value, "v", flags)) + b")"


def _typed(value: Value, text: bytes | None) -> bytes:
    """``type=value``, as Go shows an argument that it has no use for."""
    return b"<nil>" if value is None else type_name(value).encode() + b"=" + (text or b"")
