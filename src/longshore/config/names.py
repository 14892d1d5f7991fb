"""Names of services and images: which are meant, which are generated, which are legal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from longshore.config.model import ServiceEntry, ServicesFile
from longshore.config.report import Report
from longshore.config.suggest import did_you_mean
from longshore.errors import UsageError

_NOT_IN_A_NAME = re.compile(r"[^a-z0-9_.-]")
_NO_SEPARATOR = re.compile(r"(?!(?:__|-+)(?![._-]))[._-]{2,}")
"""Distribution's grammar of names takes ``.``, ``_``, ``__`` and dashes between two parts."""

V = TypeVar("V")


def image_name(entry: ServiceEntry) -> str:
    """The name of the image a service builds: the file's, or a generated one (I-1, I-2)."""
    if entry.build is not None and entry.build.image:
        return entry.build.image
    legal = _NOT_IN_A_NAME.sub("_", f"codeship_{entry.name.lower()}")
    name = _NO_SEPARATOR.sub("_", legal).rstrip("._-")
    return "codeship_service" if name == "codeship" else name


def suggestion(name: str, services: ServicesFile, report: Report) -> str:
    """``; did you mean "…"?`` for the undefined service of a step, or nothing.

    The nearest name; where none is near, the only service there is, or the only one that is built:
    a step hardly ever means a ready-made image.
    """
    near = report.did_you_mean(name, services.services)
    if near:
        return near
    built = [entry.name for entry in services.services.values() if entry.build is not None]
    for candidates in list(services.services), built:
        if len(candidates) == 1:
            return f'; did you mean "{candidates[0]}"?'
    return ""


def no_service(name: str, services: Mapping[str, V], wanted: str = "") -> UsageError:
    """What is wrong with a service that the command line names; `wanted`: what it is to be."""
    return UsageError(
        f'there is no service "{name}"' + did_you_mean(name, services),
        hint=wanted + defined(services),
    )


def no_generator(name: str, services: Mapping[str, V]) -> UsageError:
    """What is wrong with the service that ``--dockercfg-service`` names."""
    wanted = "--dockercfg-service takes the service that writes registry credentials; "
    return no_service(name, services, wanted)


def defined(services: Mapping[str, V]) -> str:
    """The hint that lists what is defined, cut to a readable length."""
    names = list(services)
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return f"defined services: {', '.join(names[:20])}{more}" if names else "no service is defined"
