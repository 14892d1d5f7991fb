"""``--only`` and ``--from``: parts of a plan left out by name (spec C-10)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import takewhile

from msgspec.structs import replace

from longshore.config.suggest import nearest
from longshore.errors import UsageError
from longshore.plan.model import Plan, PushStep, RunStep, Serial, Step, walk
from longshore.plan.selection import Selection

_LISTED = 20


def focused(plan: Plan, selection: Selection) -> Plan:
    """The plan with every step skipped that the command line leaves out.

    A group's name stands for everything in it, ``name`` for every ``name [service]`` (T-25), and
    what several steps are called, one for each tag, for all of them. Raises UsageError for a name
    no step has.
    """
    root = plan.root
    if selection.start_from is not None:
        root = _from(root, selection.start_from)
    if selection.only:
        chosen = frozenset().union(*(_paths_of(root, name) for name in selection.only))
        root = _without(root, lambda step: step.path not in chosen, "left out by --only")
    return replace(plan, root=root)


def _from(root: Serial, name: str) -> Serial:
    chosen = _paths_of(root, name)
    earlier = takewhile(lambda step: step.path not in chosen, _leaves(root))
    before = {step.path for step in earlier}
    return _without(root, lambda step: step.path in before, f"before --from {name}")


def _paths_of(root: Step, name: str) -> frozenset[str]:
    """Paths of the leaves that are named so, or lie in a group that is."""
    steps = [step for step in walk(root) if step.name]
    numbered = [step for step in steps if step.name == name]  # as the log has it
    named = [step for step in steps if name in step.names] or numbered
    if not named:
        raise _unknown(name, [step.name for step in steps])
    return frozenset(leaf.path for step in named for leaf in _leaves(step))


def _leaves(step: Step) -> Iterator[RunStep | PushStep]:
    return (leaf for leaf in walk(step) if isinstance(leaf, RunStep | PushStep))


def _without(root: Serial, leave_out: Callable[[Step], bool], because: str) -> Serial:
    def mapped(step: Step) -> Step:
        if isinstance(step, RunStep | PushStep):
            return replace(step, skipped=because) if leave_out(step) else step
        if step.steps and all(map(leave_out, _leaves(step))):
            return replace(step, skipped=because)
        return replace(step, steps=tuple(mapped(child) for child in step.steps))

    return replace(root, steps=tuple(mapped(child) for child in root.steps))


def _unknown(name: str, names: list[str]) -> UsageError:
    near = nearest(name, names)
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    known = f"the steps are: {', '.join(names[:_LISTED]) or 'none'}{more}"
    hint = known if near is None else f'did you mean "{near}"?'
    return UsageError(f'no step is named "{name}"', hint=hint)
