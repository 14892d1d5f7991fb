"""Whole commands timed in turn, and shown as ratios against the first (never as a test)."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Contender:
    """One way of doing the work: a command line, and what to do before each run of it."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], None] = lambda: None
    work_directory: str | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds of wall clock and peak memory (MiB) of each counted run."""

    name: str
    seconds: tuple[float, ...]
    memory: float

    @property
    def median(self) -> float:
        """The figure to quote."""
        return statistics.median(self.seconds)


def compare(contenders: Sequence[Contender], runs: int) -> list[Measured]:
    """Run all contenders in turn, `runs` times after one warm-up, so that drift hits all alike."""
    times: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    memory: dict[str, float] = dict.fromkeys(times, 0.0)
    for turn in range(runs + 1):
        for contender in contenders:
            seconds, peak = once(contender)
            if turn:
                times[contender.name].append(seconds)
                memory[contender.name] = max(memory[contender.name], peak)
    return [Measured(name, tuple(found), memory[name]) for name, found in times.items()]


def once(contender: Contender) -> tuple[float, float]:
    """One run: wall-clock seconds, and peak memory in MiB as the kernel counted it."""
    contender.before()
    begun = time.perf_counter()
    process = subprocess.Popen(
        contender.command,
        env={**os.environ, **contender.environment},
        cwd=contender.work_directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{contender.name} failed: {' '.join(map(str, contender.command))}")
    return seconds, usage.ru_maxrss / 1024


def table(title: str, rows: Sequence[Measured]) -> str:
    """Medians, spreads, and each contender's ratio to the first one."""
    width = max(len(row.name) for row in rows)
    lines = [title, f"  {'':<{width}}   median     min     max   ratio   memory"]
    for row in rows:
        ratio = row.median / rows[0].median
        lines.append(
            f"  {row.name:<{width}}  {row.median:6.3f}s {min(row.seconds):6.3f}s "
            f"{max(row.seconds):6.3f}s  {ratio:5.2f}x  {row.memory:4.0f} MiB"
        )
    return "\n".join(lines) + "\n"
