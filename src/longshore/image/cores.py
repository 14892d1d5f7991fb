"""How many processors there are for us."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """Those this process may run on (a container may have few of many); without a scheduler that
    tells, as on macOS, all there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
