"""Manual groups: one for a build tag, and nothing after it (T-38, T-40); pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from msgspec import Struct

from longshore.config import codes
from longshore.config.model import GroupEntry, GroupKind, StepEntry, StepsFile
from longshore.config.report import Report
from longshore.config.steps import label

_MAX = 100
"""Manual groups that are looked at; keeps the work linear in a file made of nothing else."""

_LONG = 200
_BEGINNING = re.compile(r"\^([A-Za-z0-9_/-]+)(?![*?{])")
_GROUPED = re.compile(r"\\.|\[[^]]*\]|\([^()]*\)")


class _Conditions(Struct, frozen=True):
    """The tags and excludes that all must hold, from the outermost group inwards."""

    tags: frozenset[str] = frozenset()
    excludes: frozenset[str] = frozenset()

    def of(self, entry: StepEntry) -> _Conditions:
        return _Conditions(
            self.tags | ({entry.tag} if entry.tag else set()),
            self.excludes | ({entry.exclude} if entry.exclude else set()),
        )


class _Leaf(Struct, frozen=True):
    """A step or manual group, in file order; `branch` tells parallel siblings apart.

    `within` are the ordinals of the manual groups it lies in.
    """

    entry: StepEntry
    conditions: _Conditions
    branch: tuple[tuple[int, int], ...]
    within: tuple[str, ...] = ()

    @property
    def manual(self) -> bool:
        return isinstance(self.entry, GroupEntry) and self.entry.kind is GroupKind.MANUAL

    def belongs_to(self, manual: _Leaf) -> bool:
        """Whether it is one of the steps that the group is there for."""
        return manual.entry.ordinal in self.within


def check_manual_groups(file: StepsFile, report: Report) -> None:
    """Errors where two things surely meet in one build; warnings where patterns may let them."""
    leaves = list(_leaves(file.steps, _Conditions(), ()))
    manual = [number for number, leaf in enumerate(leaves) if leaf.manual]
    for number in manual[:_MAX]:
        for later in leaves[number + 1 :]:
            if _apart(leaves[number], later):
                continue
            if _tell(leaves[number], later, report):
                break


def _tell(manual: _Leaf, later: _Leaf, report: Report) -> bool:
    """Whether a problem was added about `later`, which comes after `manual`."""
    meet = _meet(manual.conditions, later.conditions)
    if meet is False:
        return False
    tell = report.error if meet else report.warning
    name = label(later.entry.name, later.entry.ordinal)
    line = manual.entry.place.line
    if later.manual:
        tags = manual.conditions.tags & later.conditions.tags
        where = f'"{min(tags)}"' if tags else "one build tag"
        tell(
            codes.MANUAL_TWICE,
            later.entry.place,
            f"only one manual group may apply to {where}: {name} and the one in line {line} "
            + ("do" if meet else "may both do"),
            'write "type: serial": what lies in a manual group waits for approval already'
            if later.belongs_to(manual)
            else "give them tags that exclude each other",
        )
    else:
        tell(
            codes.MANUAL_NOT_LAST,
            later.entry.place,
            f"{name} {'follows' if meet else 'may follow'} a manual group (line {line})",
            "a manual group must be the last thing in the pipeline: move it to the end, or give "
            "both tags that exclude each other",
        )
    return True


def _leaves(
    steps: tuple[StepEntry, ...],
    above: _Conditions,
    branch: tuple[tuple[int, int], ...],
    within: tuple[str, ...] = (),
) -> Iterator[_Leaf]:
    for entry in steps:
        leaf = _Leaf(entry, above.of(entry), branch, within)
        if leaf.manual or not isinstance(entry, GroupEntry):
            yield leaf
        if isinstance(entry, GroupEntry):
            yield from _below(entry, leaf)


def _below(group: GroupEntry, at: _Leaf) -> Iterator[_Leaf]:
    parallel = group.kind in (GroupKind.PARALLEL, GroupKind.MATRIX)
    within = (*at.within, group.ordinal) if at.manual else at.within
    for number, child in enumerate(group.steps):
        branch = (*at.branch, (id(group), number)) if parallel else at.branch
        yield from _leaves((child,), at.conditions, branch, within)


def _apart(manual: _Leaf, later: _Leaf) -> bool:
    """Whether it is no matter that `later` comes after `manual`."""
    return _side_by_side(manual, later) or (later.belongs_to(manual) and not later.manual)


def _side_by_side(one: _Leaf, other: _Leaf) -> bool:
    """Whether they stand in different branches of one parallel group."""
    branches = dict(one.branch)
    return any(branches.get(group, number) != number for group, number in other.branch)


def _meet(one: _Conditions, other: _Conditions) -> bool | None:
    """Whether both hold in some build: True surely, False surely not, None unknown."""
    tags, excludes = one.tags | other.tags, one.excludes | other.excludes
    plain = {tag for tag in tags if not _is_pattern(tag)}
    if len(plain) > 1 or tags & excludes or _differ(tags):
        return False
    if not tags:
        # Without a build tag nothing is excluded (T-32).
        return True
    if len(tags) == 1 and not excludes:
        return True
    return None


def _is_pattern(text: str) -> bool:
    return "^" in text or "$" in text


def _differ(tags: frozenset[str]) -> bool:
    """Whether the tags ask for build tags that begin differently."""
    plain = [tag for tag in tags if not _is_pattern(tag)]
    beginnings = sorted(filter(None, (_beginning(tag) for tag in tags if _is_pattern(tag))))
    if any(not tag.startswith(text) for tag in plain for text in beginnings):
        return True
    return any(not later.startswith(one) for one, later in pairwise(beginnings))


def _beginning(pattern: str) -> str:
    """The plain text that every match of `pattern` begins with, as far as it is easily seen."""
    found = _BEGINNING.match(pattern)
    if found is None or len(pattern) > _LONG:
        return ""
    rest = _GROUPED.sub("", pattern)
    while (shorter := _GROUPED.sub("", rest)) != rest:
        rest = shorter
    return "" if "|" in rest else found[1]
