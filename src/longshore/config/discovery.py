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
    """No file has a name we look for; `hint` says which one may be meant."""

    hint: str


def find(names: Sequence[str], present: Collection[str]) -> Found | NotFound:
    """The first of `names` that is `present` in the directory (F-3, F-7)."""
    name = next((name for name in names if name in present), None)
    if name is None:
        return NotFound(_hint(names, present))
    if name == COMPOSE:
        return Found(name, f'no "{names[0]}" here: "{name}" is read instead')
    if name.startswith("jet-"):
        return Found(name, f'"{name}" is an old name of "{name.replace("jet-", "codeship-")}"')
    return Found(name)


def _hint(names: Sequence[str], present: Collection[str]) -> str:
    usual = names[0]
    for other in sorted(present):
        lower = other.lower()
        if lower in names:
            return f'"{other}" is there: rename it to "{lower}" (lower case)'
        if lower.endswith(".yaml") and f"{lower[:-5]}.yml" in names:
            return f'"{other}" is there: rename it to "{lower[:-5]}.yml", or name it with ' + (
                "--services-path" if "services" in usual or "compose" in other else "--steps-path"
            )
    return f'write a "{usual}", or name the project with --dir'
