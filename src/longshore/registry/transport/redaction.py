"""URLs as they may be shown: what we do not know to be harmless is masked."""

from __future__ import annotations

from typing import Final

from yarl import URL

from longshore.secrets.secret import MASK

HARMLESS: Final = frozenset({"digest", "from", "last", "mount", "n", "scope", "service"})
"""Keys of queries whose values say nothing secret."""


def redact(url: URL | str) -> str:
    """The URL without user, password and fragment, values of unknown query keys masked.

    An allow-list: signed URLs of object stores carry their signature under many names.
    """
    try:
        bare = URL(str(url)).with_user(None).with_fragment(None)
    except ValueError:
        return MASK
    if not bare.query_string:
        return str(bare)
    shown = (f"{key}={value if key in HARMLESS else MASK}" for key, value in bare.query.items())
    return f"{bare.with_query(None)}?{'&'.join(shown)}"
