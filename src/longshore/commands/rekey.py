"""``longshore rekey --old KEY --new KEY FILE…``: the same secrets under another key (K-4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path

from msgspec import Struct

from longshore.errors import DecryptionFailed, UsageError
from longshore.secrets import envelope
from longshore.secrets.atomic_file import explained, read_file, replace_file, staged
from longshore.secrets.envelope import Format
from longshore.secrets.key import AesKey
from longshore.secrets.key_lookup import read_key


class _Change(Struct, frozen=True, kw_only=True):
    """A file before and after; `after` None: it has the new key already."""

    path: Path
    mode: int
    before: bytes
    after: bytes | None


def rekey(
    *,
    old: Path,
    new: Path,
    files: Iterable[Path],
    format: Format,  # noqa: A002 -- the option is called so
    binary: bool,
    out: Callable[[str], None],
) -> int:
    """Re-encrypt all `files`, or none of them when one fails.

    Everything is decrypted, encrypted and written beside the originals before the first of them
    is replaced; when a replacement fails, those made before it are undone. If the machine stops
    between two replacements, the same command finishes: files that have the new key already are
    left alone. Raises KeyUnavailable, DecryptionFailed, InvalidValue or UsageError.
    """
    old_key, new_key = read_key(old), read_key(new)
    if old_key == new_key:
        raise UsageError(f"{old} and {new} hold the same key", hint="make one: longshore generate")
    changes = [
        _prepared(path, old_key, new_key, format, binary=binary)
        for path in dict.fromkeys(file.resolve() for file in files)
    ]
    _replace_all(changes)
    for change in changes:
        done = "has the new key" if change.after else "had the new key already"
        out(f"{change.path}: {done}")
    return 0


def _prepared(
    path: Path,
    old: AesKey,
    new: AesKey,
    format: Format,  # noqa: A002 -- as above
    *,
    binary: bool,
) -> _Change:
    text = read_file(path)
    try:
        plain = envelope.decrypt_file(text, old, str(path), binary=binary)
    except DecryptionFailed:
        if not _readable(text, new, path):
            raise
        after = None
    else:
        after = envelope.encrypt(plain, new, format)
    return _Change(path=path, mode=path.stat().st_mode & 0o7777, before=text, after=after)


def _readable(text: bytes, key: AesKey, path: Path) -> bool:
    try:
        envelope.decrypt_file(text, key, str(path))
    except DecryptionFailed:
        return False
    return True


def _replace_all(changes: Iterable[_Change]) -> None:
    with ExitStack() as stages, ExitStack() as undo:
        ready: list[tuple[_Change, Path]] = []
        for change in changes:
            if change.after is not None:
                with explained(change.path):
                    stage = staged(change.path, change.after, mode=change.mode)
                    ready.append((change, stages.enter_context(stage)))
        for change, written in ready:
            undo.callback(replace_file, change.path, change.before, mode=change.mode)
            with explained(change.path):
                written.replace(change.path)
        undo.pop_all()
