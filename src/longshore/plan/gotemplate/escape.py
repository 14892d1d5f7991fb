"""``html``, ``js`` and ``urlquery``: texts made safe for other languages."""

from __future__ import annotations

from urllib.parse import quote_plus

from longshore.plan.gotemplate.quoting import is_printable

_HTML = {
    0: b"\xef\xbf\xbd", ord('"'): b"&#34;", ord("'"): b"&#39;", ord("&"): b"&amp;",
    ord("<"): b"&lt;", ord(">"): b"&gt;",
}  # fmt: skip
_JS = {
    "\\": "\\\\", "'": "\\'", '"': '\\"', "<": "\\u003C", ">": "\\u003E", "&": "\\u0026",
    "=": "\\u003D",
}  # fmt: skip


def html(text: bytes) -> bytes:
    """Safe between tags and in quoted attributes."""
    return b"".join(_HTML.get(byte, bytes([byte])) for byte in text)


def js(text: bytes) -> bytes:
    """Safe inside a JavaScript string. Bytes that are no UTF-8 become U+FFFD."""
    return "".join(_js(character) for character in text.decode("utf-8", "replace")).encode()


def _js(character: str) -> str:
    if character in _JS:
        return _JS[character]
    if character < " " or not (character.isascii() or is_printable(character)):
        return f"\\u{ord(character):04X}"
    return character


def urlquery(text: bytes) -> bytes:
    """Safe as a value in the query of a URL."""
    return quote_plus(text).encode()
