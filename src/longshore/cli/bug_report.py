"""What is printed when we fail ourselves: short, ready to paste, and without anything secret."""

from __future__ import annotations

import platform
import traceback
from collections.abc import Iterator, Sequence

from longshore import __version__

_FRAMES = 12
_INNER = 3


def bug_report(bug: BaseException, words: Sequence[str]) -> str:
    """The report. Values stay out of it: of the exception it has the type and places, not the text.

    `words` are the arguments that may be shown.
    """
    return "\n".join(
        [
            f"Error: this is a bug in longshore ({type(bug).__name__})",
            "hint: please report it with the lines below; they hold no values of your files",
            "",
            f"longshore {__version__}, Python {platform.python_version()}, {platform.platform()}",
            f"arguments: {' '.join(words)}",
            *_story(bug),
        ]
    )


def _story(bug: BaseException) -> Iterator[str]:
    """Type and places of the exception, of what caused it, and of what a group holds."""
    yield f"exception: {type(bug).__module__}.{type(bug).__qualname__}"
    for frame in traceback.extract_tb(bug.__traceback__)[-_FRAMES:]:
        yield f"  {frame.filename}:{frame.lineno} in {frame.name}"
    if bug.__cause__ is not None:
        yield from _story(bug.__cause__)
    if isinstance(bug, BaseExceptionGroup):
        for inner in bug.exceptions[:_INNER]:
            yield from _story(inner)
