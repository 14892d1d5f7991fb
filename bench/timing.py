"""Whole commands timed in turn, and shown as ratios against the first (never as a test)."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from msgspec import Struct, field

ONE_COMMAND = Path(__file__).with_name("one_command.py")


class Contender(Struct, frozen=True):
    """One way of doing the work: a command line, and what to do before each run of it.

    `inner` finds in the command's output how long the work itself took, start-up left out.
    `piped`: the output goes through a pipe to a program that drops it, as into a user's log.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], None] = lambda: None
    work_directory: str | None = None
    inner: Callable[[bytes], float] | None = None
    piped: bool = False


class Measured(Struct, frozen=True):
    """Seconds of wall clock of each counted run, peak memory (MiB), and seconds of work alone."""

    name: str
    seconds: tuple[float, ...]
    memory: float
    inner: tuple[float, ...] = ()

    @property
    def median(self) -> float:
        """The figure to quote."""
        return statistics.median(self.seconds)


def compare(contenders: Sequence[Contender], runs: int, *, warm_ups: int = 1) -> list[Measured]:
    """Run all contenders in turn, `runs` times after the warm-up, so that drift hits all alike.

    A run that fails is not counted, and told in the contender's name.
    """
    found: dict[str, list[_Run | None]] = {contender.name: [] for contender in contenders}
    for turn in range(runs + warm_ups):
        for contender in contenders:
            measured = once(contender)
            if turn >= warm_ups:
                found[contender.name].append(measured)
    return [_measured(name, all_runs) for name, all_runs in found.items()]


class _Run(NamedTuple):
    seconds: float
    memory: float
    inner: float | None


def _measured(name: str, runs: Sequence[_Run | None]) -> Measured:
    counted = [run for run in runs if run is not None]
    if not counted:
        sys.exit(f"{name} failed every time")
    failed = len(runs) - len(counted)
    return Measured(
        f"{name} ({failed} of {len(runs)} failed)" if failed else name,
        tuple(run.seconds for run in counted),
        max(run.memory for run in counted),
        tuple(run.inner for run in counted if run.inner is not None),
    )


def once(contender: Contender) -> _Run | None:
    """One run: wall-clock seconds, peak memory in MiB of its largest process, seconds of work.

    None if the command failed.
    """
    contender.before()
    with _output(contender) as output, tempfile.TemporaryFile() as figures:
        descriptor = figures.fileno()
        done = subprocess.run(
            [sys.executable, "-IS", ONE_COMMAND, str(descriptor), *contender.command],
            env={**_environment(), **contender.environment},
            cwd=contender.work_directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.DEVNULL,
            pass_fds=[descriptor],
            check=False,
        )
        if done.returncode:
            return None
        figures.seek(0)
        seconds, memory = map(float, figures.read().split())
        inner = None
        if contender.inner is not None:
            output.seek(0)
            inner = contender.inner(output.read())
    return _Run(seconds, memory, inner)


@contextmanager
def _output(contender: Contender) -> Iterator[IO[bytes]]:
    """Where the command writes to."""
    if contender.piped:
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as sink:
            assert sink.stdin is not None
            yield sink.stdin
    elif contender.inner is None:
        with Path(os.devnull).open("wb") as dropped:
            yield dropped
    else:
        with tempfile.TemporaryFile() as kept:
            yield kept


def _environment() -> dict[str, str]:
    """Ours, less what makes Python slow to start."""
    slow = {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
    return {name: value for name, value in os.environ.items() if name not in slow}


def absence(names: Sequence[str]) -> str:
    """A sentence about rivals that are not installed, for nobody to take them for forgotten."""
    return "".join(f"{name} is not installed and takes no part\n" for name in names)


def table(title: str, rows: Sequence[Measured]) -> str:
    """Medians, spreads, and each contender's ratio to the first one."""
    width = max(len(row.name) for row in rows)
    lines = [title, f"  {'':<{width}}   median     min     max   ratio     memory   work alone"]
    for row in rows:
        ratio = row.median / rows[0].median
        lines.append(
            f"  {row.name:<{width}}  {row.median:6.3f}s {min(row.seconds):6.3f}s "
            f"{max(row.seconds):6.3f}s  {ratio:5.2f}x  {row.memory:5.0f} MiB{_work(row, rows[0])}"
        )
    return "\n".join(lines) + "\n"


def _work(row: Measured, first: Measured) -> str:
    """The columns of work without start-up."""
    if not row.inner:
        return ""
    median = statistics.median(row.inner)
    ratio = f" {median / statistics.median(first.inner):5.2f}x" if first.inner else ""
    return f"  {median:6.3f}s{ratio}"
