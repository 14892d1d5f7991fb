"""``longshore rekey --old KEY --new KEY FILE…``: the same secrets under another key (K-4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path

from msgspec import Struct

from longshore.errors import DecryptionFailed, UsageError
from longshore.plan.paths import real_path
from longshore.secrets import envelope
from longshore.secrets.atomic_file import explained, read_file, replace_file, staged
from longshore.secrets.envelope import Format
from longshore.secrets.key import AesKey
from longshore.secrets.key_lookup import read_key


class _Change(Struct, frozen=True, kw_only=True):
    """A file before and after; `after` None: it has the new key already.

    `kept` is where it stays as it was, when nothing can tell which of the keys it has.
    """

    path: Path
    mode: int
    before: bytes
    after: bytes | None
    kept: Path | None = None

    def __str__(self) -> str:
        done = "has the new key" if self.after else "had the new key already"
        return f"{self.path}: {done}{f'; {self.kept} is what it was' if self.kept else ''}"


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
    left alone. Those in jet's first format whose content is of no known kind (`binary`) cannot
    tell; they are kept under another name as well, and not taken again while that is there.
    Raises KeyUnavailable, DecryptionFailed, InvalidValue or UsageError.
    """
    make = "make a new key: longshore generate --key-path {}"
    old_key = read_key(old, "name the file of the old key with --old")
    new_key = read_key(new, make.format(new))
    if old_key == new_key:
        raise UsageError(f"{old} and {new} hold the same key", hint=make.format("new.aes"))
    changes = [
        _prepared(path, old_key, new_key, format, binary=binary)
        for path in dict.fromkeys(real_path(file) for file in files)
    ]
    _replace_all(changes)
    for change in changes:
        out(str(change))
    return 0


def _prepared(
    path: Path,
    old: AesKey,
    new: AesKey,
    format: Format,  # noqa: A002 -- as above
    *,
    binary: bool,
) -> _Change:
    text, mode = read_file(path), path.stat().st_mode & 0o7777
    kept = None
    try:
        plain = envelope.decrypt_file(text, old, str(path))
    except DecryptionFailed:
        if _readable(text, new, path):
            return _Change(path=path, mode=mode, before=text, after=None)
        if not binary:
            raise
        plain = envelope.decrypt_file(text, old, str(path), binary=True)
        kept = _free(path.with_name(f"{path.name}.before-rekey"))
    after = envelope.encrypt(plain, new, format)
    return _Change(path=path, mode=mode, before=text, after=after, kept=kept)


def _free(kept: Path) -> Path:
    if kept.exists():
        raise UsageError(
            f"{kept} is there from another rekey: it may have the new key already, and nothing in "
            "the file tells",
            hint=f"remove it when the file next to it is right, or move it back ({kept.stem})",
        )
    return kept


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
            if change.kept is not None:
                replace_file(change.kept, change.before, mode=change.mode)
                undo.callback(change.kept.unlink)
            undo.callback(replace_file, change.path, change.before, mode=change.mode)
            with explained(change.path):
                written.replace(change.path)
        undo.pop_all()
