"""Which steps of the files are to run, and why the others are not."""

from __future__ import annotations

from msgspec import Struct

from longshore.config.model import GroupEntry, GroupKind, PushEntry, StepEntry
from longshore.plan.matching import matches


class Selection(Struct, frozen=True, kw_only=True):
    """What the command line chose: the build tag (T-28), pushes (P-1), approval (T-40), names."""

    tag: str | None = None
    push: bool = False
    approve: bool = False
    only: tuple[str, ...] = ()
    start_from: str | None = None


WAITING = "waiting for approval (use --approve)"
"""Why a manual group is skipped; the run reports such groups by themselves (T-40)."""


def skip_reason(entry: StepEntry, selection: Selection) -> str | None:
    """Why this step will not run by its own keys, or None; groups decide for all below (T-21)."""
    tag = selection.tag
    if entry.tag is not None and not matches(entry.tag, tag):
        if tag is None:
            return f'tag "{entry.tag}" needs a build tag (use --tag)'
        return f'tag "{entry.tag}" does not match "{tag}"'
    if entry.exclude is not None and matches(entry.exclude, tag):
        return f'exclude "{entry.exclude}" matches "{tag}"'
    if isinstance(entry, PushEntry) and not selection.push:
        return "push steps need --push"
    if _waits(entry) and not selection.approve:
        return WAITING
    return None


def _waits(entry: StepEntry) -> bool:
    return isinstance(entry, GroupEntry) and entry.kind is GroupKind.MANUAL
