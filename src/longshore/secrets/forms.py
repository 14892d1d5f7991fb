"""The shapes in which a secret may come to light in a log."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, quote_plus

from longshore.secrets.text_bytes import encode

MIN_LENGTH: Final = 4
"""Shorter texts are not masked: they would black out half of every log."""

COMMON_WORDS: Final = frozenset(
    {
        *("true", "false", "yes", "none", "null", "nil", "undefined", "enabled", "disabled"),
        *("auto", "default", "localhost", "127.0.0.1", "0.0.0.0"),  # noqa: S104 -- nothing is bound
        *("production", "development", "staging", "test", "testing"),
        *("debug", "info", "warn", "warning", "error"),
    }
)
"""Values that say nothing when seen and are everywhere, in lower case."""

_WRAPS: Final = (76, 64)
"""Columns at which `base64` (RFC 2045) and `openssl base64` (RFC 7468) break their lines."""

_LIVE_IN_QUOTES: Final = re.compile(r'["$`\\]')
_LIVE: Final = re.compile(r"""[ !"$&'()*,;<>?[\\\]^`{|}]|(?<=[:=])~""")
"""What bash puts a backslash before: between double quotes (``export -p``), and bare (``%q``)."""

_IN_ANSI_C: Final = str.maketrans(
    {
        character: f"\\{letter}"
        for character, letter in zip("\\'\a\b\x1b\f\n\r\t\v", "\\'abEfnrtv", strict=True)
    }
)
"""What bash writes between ``$'`` and ``'`` where a value has control characters, as line breaks
are (its manual, "ANSI-C Quoting")."""

_QUOTES_IN_MARKUP: Final = tuple(
    str.maketrans({'"': double, "'": single})
    for double, single in (
        ("&quot;", "'"),  # within double quotes
        ("&quot;", "&apos;"),  # XML
        ("&quot;", "&#39;"),  # Ruby, PHP, JavaScript
        ("&quot;", "&#x27;"),  # Python
        ("&#34;", "&#39;"),  # Go, Jinja
    )
)

_COMPONENT_SAFE: Final = "!'()*~"
"""What JavaScript's encodeURIComponent leaves as it is, besides letters, digits and ``_.-``."""


def is_maskable(value: str) -> bool:
    """Whether a value is long and rare enough to be masked."""
    bare = value.strip()
    return len(bare) >= MIN_LENGTH and bare.lower() not in COMMON_WORDS


def forms(value: str) -> frozenset[bytes]:
    """Every byte string to look for so that `value` does not come to light; empty: unmaskable.

    The value, its lines, and of each its base64 (at all three alignments, both alphabets),
    URL-encoded, JSON- or HTML-escaped form, and how shells and programs quote it. A value with the
    two characters ``\\n`` in it is multi-line too: that is how env files carry private keys (spec
    S-22).
    """
    found: set[bytes] = set()
    if is_maskable(value):
        for piece in _pieces(value):
            found.update(encode(form) for form in _text_forms(piece))
            found.update(_base64_forms(encode(piece)))
        for whole in {value, value.replace("\\n", "\n")}:
            found.update(_base64_forms(encode(whole)))
            found.update(_wrapped(encode(whole)))
    return frozenset(form for form in found if len(form) >= MIN_LENGTH)


def _pieces(value: str) -> Iterator[str]:
    """The value as one text, or its lines; also as one text when some line is too short."""
    expanded = value.replace("\\r\\n", "\n").replace("\\n", "\n").replace("\r\n", "\n")
    lines = [line for line in expanded.split("\n") if line.strip()]
    if len(lines) < 2 or not all(map(is_maskable, lines)):
        yield value
        yield value.strip()
        yield value.replace("\r\n", "\n").replace("\n", "\r\n")  # what a terminal makes of it
    if expanded != value:
        yield expanded.strip()
    for line in lines:
        if is_maskable(line):
            yield line
            yield line.strip()


def _text_forms(piece: str) -> Iterator[str]:
    yield piece
    yield from _shell_forms(piece)
    yield from _json_forms(piece)
    yield from _markup_forms(piece)
    yield from _literal_forms(piece)
    for quoted in _url_forms(piece):
        yield quoted
        yield _lower_hex(quoted)


def _shell_forms(piece: str) -> Iterator[str]:
    yield piece.replace("'", "'\\''")  # `set -x` of bash
    yield piece.replace("'", "'\"'\"'")  # dash and busybox; Python's shlex
    yield _LIVE_IN_QUOTES.sub(r"\\\g<0>", piece)
    yield _LIVE.sub(r"\\\g<0>", piece)
    yield piece.translate(_IN_ANSI_C)


def _json_forms(piece: str) -> Iterator[str]:
    for ascii_only in (True, False):
        escaped = json.dumps(piece, ensure_ascii=ascii_only)[1:-1]
        yield escaped
        yield escaped.replace("/", "\\/")  # PHP
        # Go's encoding/json, for HTML's sake
        yield escaped.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _markup_forms(piece: str) -> Iterator[str]:
    """In HTML and XML; between tags most leave quotes as they are."""
    bare = piece.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    yield bare
    for quotes in _QUOTES_IN_MARKUP:
        yield bare.translate(quotes)


def _literal_forms(piece: str) -> Iterator[str]:
    """In literals of programs (Python's repr, Node's inspect), in YAML and SQL, and in CSV."""
    yield piece.replace("\\", "\\\\").replace("'", "\\'")
    yield piece.replace("'", "''")
    yield piece.replace('"', '""')


def _url_forms(piece: str) -> Iterator[str]:
    raw = encode(piece)
    yield quote(raw, safe="")
    yield quote(raw, safe="/")
    yield quote_plus(raw)
    yield quote(raw, safe=_COMPONENT_SAFE)


def _lower_hex(quoted: str) -> str:
    head, *rest = quoted.split("%")
    return head + "".join(f"%{part[:2].lower()}{part[2:]}" for part in rest)


def _base64_forms(raw: bytes) -> Iterator[bytes]:
    for skipped in range(3):
        encoded = base64.b64encode(bytes(skipped) + raw)
        # The first characters also hold bits of what stands before the secret.
        start = (skipped * 8 + 5) // 6
        for end in (len(encoded), (skipped + len(raw)) * 8 // 6):
            yield encoded[start:end]
            yield encoded[start:end].translate(_URL_SAFE)


_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")


def _wrapped(raw: bytes) -> Iterator[bytes]:
    encoded = base64.b64encode(raw)
    # What follows, as the line break that `echo` writes, changes the last characters.
    ends = (len(encoded), len(raw) * 8 // 6)
    for width in _WRAPS:
        if len(encoded) > width:
            for start in range(0, len(encoded), width):
                lines = (encoded[start : min(start + width, end)] for end in ends)
                yield from (line for line in lines if len(line) >= 2 * MIN_LENGTH)
