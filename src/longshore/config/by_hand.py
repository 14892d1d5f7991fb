"""Where a deprecated key cannot be replaced by the new one as it stands, and what to do then; pure.

`longshore.config.fix` leaves these, and the warnings say so. A function takes the map the key
stands in, and gives None where ``validate --fix`` can replace it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from longshore.config.node import Mapping, Node, Scalar, Sequence

ByHand = Callable[[Mapping], str | None]


def beside(new: str, how: str = "remove this one") -> ByHand:
    """Of a key that only got another name: what to do where both stand."""

    def by_hand(node: Mapping) -> str | None:
        return f'"{new}" is there already: {how}' if new in node else None

    return by_hand


encrypted_env: Final = beside("encrypted_env_file", "add these files to it")


def links(service: Mapping) -> str | None:
    """``depends_on`` has no aliases (S-29, S-30)."""
    if not _have_no_aliases(service.get("links")):
        return "it takes no aliases, so services are called by their own names then"
    return beside("depends_on", "add these services to it")(service)


def dockerfile(service: Mapping) -> str | None:
    """It moves below ``build`` where that is only a directory (S-7)."""
    build = service.get("build")
    if build is None or isinstance(build, Scalar):
        return None
    return 'move it below "build"'


def _have_no_aliases(links: Node | None) -> bool:
    return isinstance(links, Sequence) and all(
        isinstance(item, Scalar) and ":" not in item.text for item in links.items
    )
