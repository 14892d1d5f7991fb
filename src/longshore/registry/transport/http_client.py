"""aiohttp, imported without what it would do then and nobody here needs.

It makes two TLS contexts with the system's certificates (its ``connector`` module), which takes a
sixth of the start of a push; `longshore.registry.transport.tls` makes all that are used.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["aiohttp"]


@contextmanager
def _no_certificates_read() -> Iterator[None]:
    kind: Any = ssl.SSLContext
    kind.set_default_verify_paths = lambda _: None
    try:
        yield
    finally:
        # The method is inherited from the class in C.
        del kind.set_default_verify_paths


with _no_certificates_read():
    import aiohttp
