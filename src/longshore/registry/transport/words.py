"""What a registry says itself, out of the body of its answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

_LIMIT: Final = 400
DISK_FULL: Final = ("no space left on device", "disk quota exceeded")
QUOTA: Final = ("quota", "configured upper limit", "storage limit")
"""What registries say where they let no more be stored (Harbor: goharbor/harbor#17390)."""
_LINUX_ERRORS: Final = dict(zip((28, 122), DISK_FULL, strict=True))
"""errno(3) on Linux, where registries run; the numbers are others on a client's macOS."""


def registry_words(body: bytes) -> tuple[str | None, str | None]:
    """The first code and text of a registry's error document (OCI distribution spec 1.1).

    (None, some of the text) when it is no such document: proxies answer in HTML.
    """
    document = _document(body)
    found = _first_error(document)
    if found is None:
        text = _sentence(document) or body.decode("utf-8", "replace").strip()
        return None, _cut(text) if text and not text.startswith("<") else None
    code, message, detail = (found.get(key) for key in ("code", "message", "detail"))
    words = str(message or "")
    if detail and detail != message:
        words = f"{words} ({_detail(detail)})" if words else _detail(detail)
    return (_cut(str(code)) if code else None), _cut(words) or None


def _document(body: bytes) -> Mapping[str, object]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _sentence(document: Mapping[str, object]) -> str | None:
    """What token servers say: Docker Hub's, GitLab's, and those of OAuth 2 (RFC 6749, 5.2)."""
    said = (document.get(key) for key in ("error_description", "message", "details", "error"))
    return next((words for words in said if isinstance(words, str) and words), None)


def _first_error(document: Mapping[str, object]) -> Mapping[str, object] | None:
    errors = document.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    return first if isinstance(first, dict) else None


def _detail(detail: object) -> str:
    if isinstance(detail, str):
        return detail
    known = _actions(detail) or _system_error(detail)
    return known or json.dumps(detail, separators=(", ", ": "))


def _actions(detail: object) -> str | None:
    """What would have been needed, by the list of rights that distribution answers 401 with
    (``registry/auth``, ``Access``); the repository is told already."""
    if not isinstance(detail, list) or not all(isinstance(one, dict) for one in detail):
        return None
    actions = [one.get("Action") for one in detail]
    return f"for {', '.join(map(str, actions))}" if actions and all(actions) else None


def _system_error(detail: object) -> str | None:
    """What its operating system said, when distribution's storage driver failed: Go writes the
    error as a number (``{"DriverName": …, "Enclosed": {"Op": …, "Path": …, "Err": 28}}``)."""
    cause = detail.get("Enclosed") if isinstance(detail, dict) else None
    number = cause.get("Err") if isinstance(cause, dict) else None
    if not isinstance(cause, dict) or not isinstance(number, int) or number not in _LINUX_ERRORS:
        return None
    return f"{cause.get('Op')} {cause.get('Path')}: {_LINUX_ERRORS[number]}"


def _cut(text: str) -> str:
    flat = "".join(character if character.isprintable() else " " for character in text)
    return flat if len(flat) <= _LIMIT else f"{flat[: _LIMIT - 1]}…"
