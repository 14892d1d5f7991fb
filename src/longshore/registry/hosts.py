"""Hosts of registries as image names have them, with a port or without; pure."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address


def is_loopback(authority: str) -> bool:
    """Whether a host (and port) is this machine: ``localhost``, 127.0.0.0/8, ``::1`` (P-20)."""
    address = address_of(authority)
    if address is not None:
        return address.is_loopback
    host = bare_host(authority)
    return host == "localhost" or host.endswith(".localhost")


def bare_host(authority: str) -> str:
    """The host without its port, in lower case, an IPv6 address without brackets."""
    if authority.startswith("["):
        return authority[1:].partition("]")[0].lower()
    return (authority.partition(":")[0] if authority.count(":") == 1 else authority).lower()


def address_of(authority: str) -> IPv4Address | IPv6Address | None:
    """The host as an address in numbers, if it is one."""
    try:
        return ip_address(bare_host(authority))
    except ValueError:
        return None
