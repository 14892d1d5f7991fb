"""Which files are the project's, by name (spec section 1.1, 1.2); pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec import Struct

SERVICES_NAMES = (
    "codeship-services.yml",
    "codeship-services.json",
    "jet-services.yml",
    "jet-services.json",
    "docker-compose.yml",
)
STEPS_NAMES = ("codeship-steps.yml", "codeship-steps.json", "jet-steps.yml", "jet-steps.json")
COMPOSE = "docker-compose.yml"


class Found(Struct, frozen=True):
    """The file to read, and a notice when its name is not the usual one (F-3)."""

    name: str
    notice: str | None = None


class NotFound(Struct, frozen=True):
    """No file has a name we look for; `near` is one that may be meant, and `hint` what to do."""

    hint: str
    near: str | None = None


def find(names: Sequence[str], present: Collection[str]) -> Found | NotFound:
    """The first of `names` that is `present` in the directory (F-3, F-7)."""
    name = next((name for name in names if name in present), None)
    if name is None:
        return _not_found(names, present)
    if name == COMPOSE:
        return Found(name, f'no "{names[0]}" here: "{name}" is read instead')
    if name.startswith("jet-"):
        return Found(name, f'"{name}" is an old name of "{name.replace("jet-", "codeship-")}"')
    return Found(name)


def _not_found(names: Sequence[str], present: Collection[str]) -> NotFound:
    usual = names[0]
    for other in sorted(present):
        lower = other.lower()
        if lower in names:
            return NotFound(f'rename it to "{lower}" (lower case)', other)
        if lower.endswith(".yaml") and f"{lower[:-5]}.yml" in names:
            flag = "--services-path" if "services" in usual else "--steps-path"
            return NotFound(f'rename it to "{lower[:-5]}.yml", or name it with {flag}', other)
    return NotFound(f'write a "{usual}", or name the project with --dir')
