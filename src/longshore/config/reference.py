"""The reference pages of the two files and of all problems, in Markdown; pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from longshore.config.build_keys import BUILD_KEYS
from longshore.config.catalogue import CATALOGUE
from longshore.config.keys import Key, Status
from longshore.config.kind import Kind
from longshore.config.service_keys import SERVICE_KEYS
from longshore.config.services import IGNORED_AT_TOP
from longshore.config.step_keys import STEP_KEYS

_NOTE = "<!-- Generated from the declarations in src/longshore/config; do not edit. -->\n"


def services_page() -> str:
    """The page of every key of codeship-services.yml."""
    ignored = ", ".join(f"`{key}`" for key in IGNORED_AT_TOP)
    parts = [
        "# Keys of `codeship-services.yml`\n",
        _NOTE,
        "The file is a map of services by name, at the top or below one key `services:`. The "
        f"top-level keys {ignored} and all that begin with `x-` are ignored. Values keep their "
        "text: `9.10` and `true` need no quotes.\n",
        *_section("Keys of a service", SERVICE_KEYS.keys),
        *_section("Keys of `build`", BUILD_KEYS.keys),
    ]
    return "\n".join(parts)


def steps_page() -> str:
    """The page of every key of codeship-steps.yml."""
    parts = [
        "# Keys of `codeship-steps.yml`\n",
        _NOTE,
        "The file is a list of steps. A step with a `command` runs it, one with `type: push` "
        "pushes an image, one with `steps` is a group.\n",
        *_section("Keys of a step", STEP_KEYS.keys),
    ]
    return "\n".join(parts)


def problems_page() -> str:
    """The page of every kind of problem."""
    parts = [
        "# Problems\n",
        _NOTE,
        "Every problem of the files has a code. `longshore explain LS022` shows the same in the "
        "terminal.\n",
        "| Code | Problem |\n| --- | --- |",
        "\n".join(
            f"| [{kind.code}](#{kind.code.lower()}) | {kind.title} |" for kind in CATALOGUE.values()
        )
        + "\n",
    ]
    for kind in CATALOGUE.values():
        parts.append(f"## {kind.code}\n\n**{kind.title}** (`{kind.name}`)\n\n{kind.meaning}\n")
        if kind.example:
            parts.append(f"```yaml\n# {kind.file}\n{_printable(kind.example)}```\n")
        parts.append(f"What to do: {kind.remedy}\n")
    return "\n".join(parts)


def explanation(kind: Kind) -> str:
    """A kind of problem for the terminal, ending in a newline."""
    lines = [f"{kind.code}  {kind.title} ({kind.name})", "", *_wrapped(kind.meaning)]
    if kind.example:
        lines += ["", f"For example, in {kind.file}:", ""]
        lines += ["    " + line for line in _printable(kind.example).splitlines()]
    lines += ["", "What to do:", *_wrapped(kind.remedy)]
    return "\n".join(lines) + "\n"


def _printable(text: str) -> str:
    return "".join(c if c == "\n" or c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, 88)


def _section(title: str, keys: tuple[Key[Any], ...]) -> Iterator[str]:
    yield f"## {title}\n"
    yield "| Key | Value | Default | Status |\n| --- | --- | --- | --- |"
    yield "\n".join(map(_row, keys)) + "\n"
    for key in keys:
        if key.status is not Status.IGNORED:
            yield f"### `{key.name}`\n"
            yield _about(key) + "\n"
            yield f"```yaml\n{key.example}\n```\n"


def _row(key: Key[Any]) -> str:
    value = "anything" if key.status is Status.IGNORED else key.shape.what
    cells = (f"`{key.name}`", value, key.default or "–", _status(key))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _status(key: Key[Any]) -> str:
    remark = f"write `{key.instead}`" if key.instead else key.why
    return f"{key.status}: {remark}" if remark else str(key.status)


def _about(key: Key[Any]) -> str:
    lines = [key.description]
    if key.steps and len(key.steps) < 6:
        lines.append(f"For steps of type {', '.join(sorted(key.steps))}.")
    if key.required:
        lines.append("Required.")
    if key.instead:
        lines.append(f"Deprecated: write `{key.instead}`.")
    return " ".join(lines)
