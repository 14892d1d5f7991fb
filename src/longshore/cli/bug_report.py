"""What is printed when we fail ourselves: short, ready to paste, and without anything secret."""

from __future__ import annotations

import platform
import traceback
from collections.abc import Sequence

from longshore import __version__


def bug_report(bug: BaseException, arguments: Sequence[str]) -> str:
    """The report. Values stay out of it: of the arguments only the words that name flags and the
    command are shown, of the exception its type and places, but not its text."""
    frames = traceback.extract_tb(bug.__traceback__)[-12:]
    places = [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
    return "\n".join(
        [
            f"Error: this is a bug in longshore ({type(bug).__name__})",
            "hint: please report it with the lines below; they hold no values of your files",
            "",
            f"longshore {__version__}, Python {platform.python_version()}, {platform.platform()}",
            f"arguments: {' '.join(_shown(arguments))}",
            *_causes(bug),
            *places,
        ]
    )


def _causes(bug: BaseException) -> list[str]:
    names = []
    current: BaseException | None = bug
    while current is not None:
        names.append(f"{type(current).__module__}.{type(current).__qualname__}")
        if isinstance(current, BaseExceptionGroup):
            names += [type(inner).__qualname__ for inner in current.exceptions]
        current = current.__cause__
    return [f"exception: {' <- '.join(names)}"]


def _shown(arguments: Sequence[str]) -> list[str]:
    words = [word.partition("=")[0] for word in arguments[1:] if word.startswith("-")]
    return [*arguments[1:2], *(word for word in words if word not in arguments[1:2])]
