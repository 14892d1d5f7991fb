"""HTTPS or HTTP: which hosts may be spoken to in plain, and finding out what one speaks."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from msgspec import Struct
from yarl import URL

from longshore.errors import RegistryUnavailable
from longshore.oci.reference import DOCKER_HUB, normalise_registry
from longshore.registry.hosts import address_of, bare_host, is_loopback
from longshore.registry.transport.errors import Interrupted, NotTls
from longshore.registry.transport.exchange import Answer, Request, Sender, Subject

_HUB_API_HOST: Final = "registry-1.docker.io"


class Reach(Struct, frozen=True):
    """Which hosts may be reached without (proper) TLS.

    `insecure` holds what users list for ``--insecure-registry``: a host, ``host:port``, or a
    network in CIDR notation, as the engine's ``insecure-registries`` does.
    """

    insecure: tuple[str, ...] = ()

    def allows_plain(self, authority: str, named_by: str) -> bool:
        """Whether a host may be reached by plain HTTP: it is listed, or on this machine as is the
        host that names it. One elsewhere is not to send us to what listens here."""
        here = is_loopback(authority) and is_loopback(named_by)
        return here or self.is_insecure(authority)

    def is_insecure(self, authority: str) -> bool:
        """Whether the user listed the host: its certificate is not checked either."""
        host, address = bare_host(authority), address_of(authority)
        for entry in self.insecure:
            network = _network(entry)
            if network is None:
                if normalise_registry(entry) in (authority.lower(), host):
                    return True
            elif address is not None and address in network:
                return True
        return False


def _network(entry: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(entry, strict=False) if "/" in entry else None
    except ValueError:
        return None


class Found(Struct, frozen=True):
    """Where a registry's API is (`base` without path), and what it said to ``GET /v2/``."""

    base: URL
    greeting: Answer


def _schemes(host: str, reach: Reach) -> tuple[str, ...]:
    """In the order to try. Nothing secret is sent before we know what a host speaks.

    Loopback begins in plain: it is nearly always that, and a TLS context takes 20 ms to make.
    """
    if is_loopback(host):
        return ("http", "https")
    return ("https", "http") if reach.is_insecure(host) else ("https",)


async def discover(sender: Sender, host: str, reach: Reach, *, deadline: float) -> Found:
    """Ask ``GET /v2/`` (OCI distribution spec, end-1) over what the host may and does speak.

    Any status counts as an answer: 401 brings the challenge. Raises RegistryUnavailable.
    """
    possible = list(_schemes(host, reach))
    for scheme in tuple(possible) if len(possible) > 1 else ():
        try:
            answer = await sender.send(_greeting(scheme, host, deadline, once=True))
        except Interrupted:
            continue
        except NotTls:
            possible.remove(scheme)
            continue
        if not _wants_tls(answer):
            return _found(scheme, host, answer)
        possible.remove(scheme)
    if possible:
        # With all retries what it may be.
        answer = await sender.send(_greeting(possible[0], host, deadline, once=False))
        if not _wants_tls(answer):
            return _found(possible[0], host, answer)
    raise RegistryUnavailable(f"{host} wants HTTPS, but does not speak it properly", registry=host)


def _greeting(scheme: str, host: str, deadline: float, *, once: bool) -> Request:
    return Request(
        method="GET",
        url=_address_of(scheme, host),
        subject=Subject(registry=host),
        once=once,
        deadline=deadline,
    )


def _address_of(scheme: str, host: str) -> URL:
    return URL.build(scheme=scheme, authority=_api_host(host), path="/v2/")


def _found(scheme: str, host: str, answer: Answer) -> Found:
    """A redirect may upgrade to TLS, but never make another host the registry."""
    asked = _address_of(scheme, host)
    return Found((answer.url if answer.url.host == asked.host else asked).origin(), answer)


def _api_host(host: str) -> str:
    return _HUB_API_HOST if host == DOCKER_HUB else host


def _wants_tls(answer: Answer) -> bool:
    """Go and nginx answer plain HTTP on a TLS port with 400 and a word about HTTPS."""
    return answer.url.scheme == "http" and answer.status == 400 and b"https" in answer.body.lower()
