"""``ports`` of a service as an engine takes them, for ``longshore run --publish`` (S-55, Q-11)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from longshore.errors import InvalidValue

_RANGE: Final = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_LARGEST: Final = 65535
_PROTOCOLS: Final = ("", "tcp", "udp", "sctp")


def published_ports(ports: Iterable[str]) -> tuple[str, ...]:
    """Each port of a container by itself: engines take no range of them.

    Raises InvalidValue for what is no port.
    """
    return tuple(single for port in ports for single in _singles(port))


def _singles(port: str) -> Iterator[str]:
    host, colon, inner = port.rpartition(":")
    address, between, outer = host.rpartition(":")
    number, slash, protocol = inner.partition("/")
    inside = _numbers(number)
    outside = _of_host(outer, len(inside))
    if not inside or len(inside) != len(outside) or protocol not in _PROTOCOLS:
        raise InvalidValue(
            f'"{port[:60]}" is no port that can be published',
            hint='write "8080:80" in ports of the service: the port of the host, then that of the '
            "container",
        )
    for one, other in zip(outside, inside, strict=True):
        yield f"{address}{between}{one}{colon}{other}{slash}{protocol}"


def _of_host(text: str, count: int) -> list[str]:
    """The host's ports for `count` of a container's.

    Without a number, or for 0, the engine takes a free one, before a single port one of the range.
    """
    numbers = _numbers(text)
    if text in ("", "0") or (numbers and count == 1):
        return [text] * count
    return [str(number) for number in numbers]


def _numbers(text: str) -> range:
    """The ports of ``80`` or ``80-89``; empty for what is neither."""
    match = _RANGE.fullmatch(text)
    if match is None:
        return range(0)
    first, last = int(match[1]), int(match[2] or match[1])
    return range(first, last + 1) if first > 0 and last <= _LARGEST else range(0)
