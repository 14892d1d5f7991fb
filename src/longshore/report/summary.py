"""The last words of a run, for standard error: what failed, and what did not run (T-36); pure."""

from __future__ import annotations

from longshore.run.events import RunFinished
from longshore.run.outcome import Broken, Failed, NotRun, Outcome, Passed, Skipped, Stopped


def summary(event: RunFinished, *, error: str = "Error:", hints: bool = False) -> str:
    """A line for each; `error` begins those that are errors, `hints`: with what to do about them.

    A format that tells hints where the step ends leaves them out here.
    """
    lines: list[str] = []
    for name, outcome in event.failed:
        lines.append(f'{error} step "{name}" failed: {reason(outcome)}')
        lines += hint_lines(outcome) if hints else []
    if event.interrupted:
        lines.append(f"{error} interrupted")
    if event.timed_out:
        lines.append(f"{error} stopped by --timeout after {event.seconds:.1f} s")
    if event.stopped:
        lines.append(f"stopped: {', '.join(event.stopped)}")
    if event.not_run:
        lines.append(f"not run: {', '.join(event.not_run)}")
    lines += [f'"{name}" is waiting for approval (use --approve)' for name in event.waiting]
    return "".join(f"{line}\n" for line in lines)


def hint_lines(outcome: Outcome) -> list[str]:
    """What can be done about a failure, each line beginning with ``hint:``."""
    hint = outcome.hint if isinstance(outcome, Broken) else None
    return [f"hint: {line}" for line in (hint or "").splitlines()]


def reason(outcome: Outcome) -> str:
    """Why a step failed, in a few words."""
    match outcome:
        case Failed(code):
            return f"container exited with a {code} code"
        case Broken(message):
            return message
        case Passed() | Skipped() | Stopped() | NotRun():
            return ""
