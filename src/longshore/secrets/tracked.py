"""What git knows of a file that should stay secret (spec E-5). Runs git."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

_TIMEOUT: Final = 10.0

BARE: Final = "safe.bareRepository"
NO_BARE: Final = ("-c", f"{BARE}=explicit")
"""A clone may hold a directory that git takes for a repository without a work tree, and obeys the
settings in it, which can name programs to run (git-config(1))."""


def is_tracked(path: Path) -> bool:
    """Whether git has `path` in its index; False without git or outside of a repository."""
    return _git(path, "ls-files", "--error-unmatch")


def is_ignored(path: Path) -> bool:
    """Whether git would leave `path` out; True also without git or outside of a repository."""
    return not _git(path, "rev-parse", "--is-inside-work-tree") or _git(path, "check-ignore", "-q")


def _git(path: Path, *words: str) -> bool:
    named = () if words[0] == "rev-parse" else ("--", path.name)
    try:
        done = subprocess.run(
            ["git", *NO_BARE, "-C", str(path.absolute().parent), *words, *named],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
