"""The classic builder's messages as lines, the image's id and the reason of a failure; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from longshore.engine.docker.errors import reading, refusal
from longshore.engine.docker.progress import Progress, error_in
from longshore.errors import BuildFailed

LONGEST_LINE: Final = 1 << 20
"""A line longer than this is cut, so that output without newlines cannot grow without bound.

Lines are masked when they are whole: a secret is not recognised where one is cut, and so lines that
do occur, as those of packed JSON, may not be.
"""

_BUILT = re.compile(r"Successfully built ([0-9a-f]{12,64})\s*$")


class Output:
    """Takes the messages in order, calls `on_line` with finished lines, finds the image's id."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self.image: str | None = None
        self._on_line = on_line
        self._rest: list[str] = []
        self._held = 0
        self._progress = Progress()

    def take(self, message: Mapping[str, Any]) -> None:
        """One message; raises `BuildFailed` when it is the end of a failed build."""
        with reading("a build"):
            aux = message.get("aux")
            if isinstance(aux, dict) and "ID" in aux:
                self.image = str(aux["ID"])
            self._text(str(message.get("stream") or ""))
            line = self._progress.line(message)
        if line is not None:
            self._on_line(line)
        error = error_in(message)
        if error is not None:
            self.finish()
            raise refusal(None, error, otherwise=BuildFailed)

    def finish(self) -> None:
        """The output has ended: a line without newline is a line too."""
        if self._held:
            self._line("".join(self._rest))
        self._rest, self._held = [], 0

    def _text(self, text: str) -> None:
        *lines, rest = text.split("\n")
        for line in lines:
            self._line("".join((*self._rest, line)))
            self._rest, self._held = [], 0
        self._rest.append(rest)
        self._held += len(rest)
        if self._held > LONGEST_LINE:
            self.finish()

    def _line(self, line: str) -> None:
        built = _BUILT.match(line)
        if built and self.image is None:
            self.image = built[1]
        self._on_line(line.rstrip("\r"))
