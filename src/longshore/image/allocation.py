"""What the C library does with memory that is given back to it."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from functools import cache
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8
"""``M_TRIM_THRESHOLD`` and so on of glibc's malloc.h; see mallopt(3)."""

_LARGEST: Final = 32 << 20
"""glibc takes no more for the second."""


@cache
def keep_freed_memory() -> None:
    """Have it kept for what is allocated next, in one heap for all threads; for whole processes.

    A push allocates pieces of some hundred kilobytes thousands of times. Each would be mapped and
    cleared anew: a twentieth of all work. Nothing happens with C libraries other than glibc.
    """
    library = ctypes.CDLL(None)
    with suppress(AttributeError):
        library.mallopt(_MMAP_THRESHOLD, _LARGEST)
        library.mallopt(_TRIM_THRESHOLD, 1 << 30)
        library.mallopt(_ARENA_MAX, 1)
