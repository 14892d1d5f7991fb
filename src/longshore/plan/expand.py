"""Groups with ``services`` multiplied out (spec T-24 to T-26, Q-1, Q-3)."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from longshore.config.model import GroupEntry, GroupKind, StepEntry


class Multiplied(Struct, frozen=True):
    """A sub-step of a group as it will run: with the service it inherits, and its name's suffix."""

    entry: StepEntry
    service: str | None
    suffix: str


def sub_steps(group: GroupEntry, service: str | None, suffix: str) -> Iterator[Multiplied]:
    """The steps below `group`, once for each of its services.

    Parallel and matrix: one serial block a service, side by side. Serial and manual: one after
    the other, service by service, as the documentation's listing has it.
    """
    if not group.services:
        inherited = group.service or service
        yield from (Multiplied(step, inherited, suffix) for step in group.steps)
        return
    for name in group.services:
        named = f"{suffix} [{name}]"
        if group.kind in (GroupKind.PARALLEL, GroupKind.MATRIX):
            yield Multiplied(_serial_block(group), name, named)
        else:
            yield from (Multiplied(step, name, named) for step in group.steps)


def _serial_block(group: GroupEntry) -> GroupEntry:
    return GroupEntry(
        place=group.place,
        places=group.places,
        ordinal=group.ordinal,
        kind=GroupKind.SERIAL,
        steps=group.steps,
    )
