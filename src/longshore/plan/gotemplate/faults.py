"""What is wrong with a template, and where in its text."""

from __future__ import annotations

from longshore.errors import InvalidValue


class Fault(InvalidValue):
    """A fault with its place: `offset` counts characters of the template from 0."""

    def __init__(self, message: str, offset: int, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.offset = offset


def in_template(fault: Fault, source: str) -> InvalidValue:
    """The fault as a message that stands by itself: what, where, in which template."""
    where = f"at offset {fault.offset}"
    line = source.count("\n", 0, fault.offset) + 1
    if line > 1:
        where += f" (line {line})"
    return InvalidValue(f'template "{_short(source)}": {fault.message} {where}', hint=fault.hint)


def _short(source: str) -> str:
    return source if len(source) <= 60 else source[:57] + "..."
