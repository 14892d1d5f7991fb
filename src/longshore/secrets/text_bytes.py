"""Texts as bytes and back, whatever is in them: secrets need not have been text once."""

from __future__ import annotations


def encode(text: str) -> bytes:
    """UTF-8, with the bytes that ``surrogateescape`` smuggled in put back; never raises."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def decode(data: bytes) -> str:
    """The text that `encode` made `data` from; never raises."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "surrogateescape")
