"""What a command takes of memory together with all processes it starts."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

_LOOK: Final = 0.03


def peak_memory(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Bytes of a command's processes at their highest, shared pages counted once (proportional
    set size); looked at often, so that what is only there for a moment may be missed.

    Its standard output is thrown away. Raises CalledProcessError when it fails.
    """
    peak = 0
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        while process.poll() is None:
            peak = max(peak, sum(map(_proportional, _of_session(process.pid))))
            try:
                process.wait(_LOOK)
            except subprocess.TimeoutExpired:
                continue
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return peak


def _of_session(leader: int) -> Iterator[Path]:
    """A session, for processes of ours are in process groups of their own (proc_pid_stat(5))."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        if int(fields[3]) == leader:
            yield entry


def _proportional(process: Path) -> int:
    try:
        lines = (process / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024
