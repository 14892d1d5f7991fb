"""``--only`` and ``--from``: parts of a plan left out by name (spec C-10)."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from dataclasses import replace

from longshore.errors import UsageError
from longshore.plan.model import Plan, PushStep, RunStep, Serial, Step, walk
from longshore.plan.selection import Selection


def focused(plan: Plan, selection: Selection) -> Plan:
    """The plan with every step skipped that the command line leaves out.

    A group's name stands for everything in it. Raises UsageError for a name no step has.
    """
    for name in (*selection.only, *filter(None, [selection.start_from])):
        _check_known(plan, name)
    root = plan.root
    if selection.start_from is not None:
        root = _from(root, selection.start_from)
    if selection.only:
        chosen = _paths_of(root, set(selection.only))
        root = _without(root, lambda step: step.path not in chosen, "left out by --only")
    return replace(plan, root=root)


def _from(root: Serial, name: str) -> Serial:
    order = [step.path for step in _leaves(root)]
    first = min(order.index(path) for path in _paths_of(root, {name}))
    before = set(order[:first])
    return _without(root, lambda step: step.path in before, f"before --from {name}")


def _paths_of(root: Step, names: set[str]) -> set[str]:
    """Paths of the leaves that are named, or lie in a group that is."""
    return {
        leaf.path for step in walk(root) if step.name in names for leaf in _leaves(step)
    }


def _leaves(step: Step) -> Iterator[RunStep | PushStep]:
    return (leaf for leaf in walk(step) if isinstance(leaf, RunStep | PushStep))


def _without(root: Serial, leave_out: Callable[[Step], bool], because: str) -> Serial:
    def mapped(step: Step) -> Step:
        if isinstance(step, RunStep | PushStep):
            return replace(step, skipped=because) if leave_out(step) else step
        if all(leave_out(leaf) for leaf in _leaves(step)) and step.skipped is None:
            return replace(step, skipped=because)
        return replace(step, steps=tuple(mapped(child) for child in step.steps))

    return replace(root, steps=tuple(mapped(child) for child in root.steps))


def _check_known(plan: Plan, name: str) -> None:
    names = [step.name for step in walk(plan.root) if step.name]
    if name in names:
        return
    near = difflib.get_close_matches(name, names, n=1)
    hint = f'did you mean "{near[0]}"?' if near else f"the steps are: {', '.join(names)}"
    raise UsageError(f'no step is named "{name}"', hint=hint)
