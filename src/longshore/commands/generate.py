"""``longshore generate``: a fresh AES key (spec E-4)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from longshore.errors import UsageError
from longshore.secrets.atomic_file import PRIVATE, create_file, replace_file
from longshore.secrets.key import generate_key
from longshore.secrets.tracked import is_ignored, is_tracked


def generate(*, path: Path, force: bool, out: Callable[[str], None]) -> int:
    """Write a new key to `path`, readable by its owner alone; never over another one by accident.

    Raises UsageError when `path` exists and not `force`, or is ``-``.
    """
    if str(path) == "-":
        raise UsageError(
            '--key-path is "-"', hint="a key is kept in a file: name one, as codeship.aes"
        )
    content = generate_key().reveal_text().encode()
    if force:
        replace_file(path, content, mode=PRIVATE)
    elif path.exists():
        raise UsageError(
            f"{path} exists already",
            hint="files encrypted with it can only be read with it: keep it, or replace it with "
            "--force (and move files to the new key with `longshore rekey`)",
        )
    else:
        create_file(path, content, mode=PRIVATE)
    out(f"A new AES key is in {path}. Keep a copy in a safe place: nobody can restore it.")
    _remind(path, out)
    return 0


def _remind(path: Path, out: Callable[[str], None]) -> None:
    if is_tracked(path):
        out(f"warning: git tracks {path}; run `git rm --cached {path}` and add it to .gitignore")
    elif not is_ignored(path):
        out(f"Add {path.name} to .gitignore and .dockerignore: the key must not be committed.")
