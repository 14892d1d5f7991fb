"""Answers of a registry made by hand, for the pure parts of the protocol."""

from __future__ import annotations

from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from longshore.registry.transport.exchange import Answer


def answer(status: int, url: URL, body: bytes = b"", **headers: str) -> Answer:
    """An answer of `url`; ``_`` in names of headers is ``-``."""
    named = CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})
    return Answer(status=status, headers=CIMultiDictProxy(named), body=body, url=url)
