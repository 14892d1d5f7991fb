"""``longshore validate --fix``: deprecated keys rewritten, after the change was shown."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

from longshore.config.fix import fix_services
from longshore.config.source import SourceText
from longshore.report.sink import Sink
from longshore.secrets.atomic_file import replace_file


def fix(source: SourceText | None, confirm: Callable[[str], bool], sink: Sink) -> bool:
    """Whether the services file was rewritten: the difference is shown, then the user asked.

    The file keeps its mode. Raises InvalidValue when it cannot be written.
    """
    fixed = fix_services(source) if source is not None else None
    if source is None or fixed is None or not fixed.edits:
        sink.tell("nothing to fix\n")
        return False
    sink.tell(_difference(source, fixed.text))
    one = len(fixed.edits) == 1
    changes = "this change" if one else f"these {len(fixed.edits)} changes"
    if not confirm(f"write {changes}?"):
        sink.tell(f"{source.path} is left as it was\n")
        return False
    path = Path(source.path)
    replace_file(path, fixed.text.encode(), mode=path.stat().st_mode & 0o777)
    sink.tell(f"{source.path}: {len(fixed.edits)} {'change' if one else 'changes'} written\n")
    return True


def _difference(source: SourceText, text: str) -> str:
    """A unified diff (as diff -u writes it)."""
    lines = difflib.unified_diff(
        source.text.splitlines(keepends=True),
        text.splitlines(keepends=True),
        fromfile=source.path,
        tofile=source.path,
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )
