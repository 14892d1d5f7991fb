"""Volumes as services name them, and what their names tell (S-37)."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from msgspec import Struct

from longshore.config import codes
from longshore.config.model import VolumeEntry
from longshore.config.node import Node
from longshore.config.report import Report
from longshore.config.shapes import Items, Schema, Text
from longshore.errors import InvalidValue

_LOOKS_LIKE_PATH = re.compile(r"[./~\\]|\$")
_MODES = frozenset(
    {"ro", "rw", "z", "Z", "cached", "delegated", "consistent", "nocopy"}
    | {prefix + mode for prefix in ("", "r") for mode in ("private", "shared", "slave")}
)

# Of files that get mounted alone; no endings of hosts, which directories are called after.
_FILES = re.compile(
    r"\.(cert|cfg|cnf|conf|crt|env|ini|json|key|pem|properties|pub|sh|sql|toml|txt|xml|ya?ml)"
)

# `nocopy` is for named volumes: engines refuse it with a host directory.
_NOT_KEPT = frozenset({"", "ro", "rw", "nocopy"})


def is_bare_name(host: str) -> bool:
    """Whether the host part of a volume is written like the name of a volume, not like a path."""
    return not _LOOKS_LIKE_PATH.search(host)


def is_file_mount(host: str, container: str) -> bool:
    """Whether a volume is written as one file in the place of another, as far as names tell."""
    suffix = PurePosixPath(host).suffix
    return bool(_FILES.fullmatch(suffix)) and suffix == PurePosixPath(container).suffix


def parse_volume(text: str) -> VolumeEntry:
    """``/path``, ``host:/path`` or ``host:/path:ro,z`` (S-37); raises InvalidValue."""
    host, colon, rest = text.partition(":")
    if not colon:
        host, rest = "", text
    container, _, mode = rest.partition(":")
    if not container.startswith("/") or (colon and not host):
        raise InvalidValue(
            f'"{text[:60]}" is no volume',
            hint='write "/path/in/container" or "./directory:/path/in/container"',
        )
    if not container.strip("/."):
        raise InvalidValue(
            f'"{text[:60]}" would hide the whole image',
            hint='write a directory below "/", for example "./directory:/path/in/container"',
        )
    options = set(mode.split(",")) - {""}
    if options - _MODES:
        raise InvalidValue(
            f'"{mode[:20]}" is no mode of a volume', hint='write ":ro", ":rw" or nothing'
        )
    return VolumeEntry(
        host=host or None,
        container=container,
        read_only="ro" in options,
        modes=tuple(option for option in mode.split(",") if option not in _NOT_KEPT),
    )


class Volumes(Struct, frozen=True):
    """A list of volumes; compose's long form is not taken."""

    what: str = 'a list of "host:container"'

    def decode(self, node: Node, report: Report) -> tuple[VolumeEntry, ...] | None:
        return _VOLUMES.decode(node, report)

    def schema(self) -> Schema:
        return {
            "type": "array",
            "items": {"type": "string", "pattern": "^([^:]*[./~$\\\\][^:]*:)?/"},
        }


class _Volume(Struct, frozen=True):
    what: str

    def schema(self) -> Schema:
        return {"type": "string"}

    def decode(self, node: Node, report: Report) -> VolumeEntry | None:
        text = Text(self.what).decode(node, report)
        if text is None:
            return None
        try:
            return parse_volume(text)
        except InvalidValue as fault:
            report.error(codes.VOLUME, node, fault.message, fault.hint)
            return None


_VOLUMES = Items(_Volume('a volume such as "./directory:/path"'))
