"""The journal of a run: its events as JSON lines in a file of the user's state directory.

It is what can be asked about a run when its terminal is gone. Output is kept from the beginning of
each container, and of each image's build, up to a limit, so that a flood fills no disk; everything
in it is masked already.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import AnyStr, BinaryIO

from msgspec import Struct, field
from msgspec.structs import replace

from longshore.report.json_lines import json_line
from longshore.run.events import ContainerOutput, Event, ImageOutput
from longshore.secrets.atomic_file import explained

KEPT_OUTPUT = 8 << 20
"""Bytes of output that are kept of each container; characters, of each image."""

_CUT = "[the journal keeps no more]"

KEPT_RUNS = 20
"""Journals that are kept; older ones are removed when a run starts."""


class Journal(Struct):
    """Writes events; a disk that is full or gone ends the journal, never the run."""

    file: BinaryIO
    _written: Counter[tuple[str, str]] = field(default_factory=Counter)
    _broken: bool = False

    def __call__(self, event: Event) -> None:
        """Write one event."""
        kept = self._shortened(event)
        if kept is None or self._broken:
            return
        try:
            self.file.write(json_line(kept, datetime.now(UTC)))
        except OSError:
            self._broken = True

    def _shortened(self, event: Event) -> Event | None:
        """None for output beyond the limit."""
        if isinstance(event, ContainerOutput):
            data = self._kept((event.step, event.service), event.data, b"\n%s\n" % _CUT.encode())
            return None if data is None else replace(event, data=data)
        if isinstance(event, ImageOutput):
            text = self._kept(("image", event.image), event.text, f"\n{_CUT}")
            return None if text is None else replace(event, text=text)
        return event

    def _kept(self, source: tuple[str, str], output: AnyStr, cut: AnyStr) -> AnyStr | None:
        room = KEPT_OUTPUT - self._written[source]
        self._written[source] += len(output)
        if room < 0:
            return None
        return output if len(output) <= room else output[:room] + cut


@contextmanager
def journal(directory: Path, run: str) -> Iterator[Journal]:
    """The journal ``<run>.jsonl`` in `directory`, readable by its owner alone.

    Raises InvalidValue when it cannot be made.
    """
    with explained(directory, "set XDG_STATE_HOME to a directory that can be written"):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        _forget_old(directory)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        descriptor = os.open(directory / f"{run}.jsonl", flags, 0o600)
    file = os.fdopen(descriptor, "wb")
    try:
        yield Journal(file)
    finally:
        # What is still in the buffer of a full disk ends the journal, never the run.
        with suppress(OSError):
            file.close()


def _forget_old(directory: Path) -> None:
    journals = sorted(directory.glob("*.jsonl"), key=_written_at)
    for path in journals[: max(0, len(journals) - KEPT_RUNS + 1)]:
        path.unlink(missing_ok=True)


def _written_at(path: Path) -> float:
    """Zero for one that another run has removed in the meantime."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
