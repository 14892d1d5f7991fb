"""The variables of container links, which engines no longer make by themselves (spec S-30).

The address is the alias, not an IP: it resolves on the step's network and is known beforehand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from longshore.engine.spec import ImageInfo


def link_variables(
    service: str, alias: str, image: ImageInfo, environment: tuple[tuple[str, str], ...]
) -> Iterator[tuple[str, str]]:
    """``<ALIAS>_PORT``, ``_NAME``, ``_ENV_*`` and ``_PORT_<p>_<proto>*`` for one linked service.

    `service` is the one that links: engines gave ``DB_NAME=/web/db`` to ``web`` that links ``db``
    (Docker documentation, "Legacy container links").
    """
    prefix = re.sub(r"[^A-Z0-9_]", "_", alias.upper())
    yield f"{prefix}_NAME", f"/{service}/{alias}"
    ports = sorted(map(_port, image.exposed_ports), key=lambda port: (int(port[0]), port[1]))
    for number, protocol in ports[:1]:
        yield f"{prefix}_PORT", f"{protocol}://{alias}:{number}"
    for number, protocol in ports:
        name = f"{prefix}_PORT_{number}_{protocol.upper()}"
        yield name, f"{protocol}://{alias}:{number}"
        yield f"{name}_ADDR", alias
        yield f"{name}_PORT", number
        yield f"{name}_PROTO", protocol
    for key, value in dict((*image.environment, *environment)).items():
        if key not in ("PATH", "HOME"):
            yield f"{prefix}_ENV_{key}", value


def _port(text: str) -> tuple[str, str]:
    number, _, protocol = text.partition("/")
    return number, protocol or "tcp"
