"""Which proxy leads to a host, by the environment."""

from __future__ import annotations

import base64
from ipaddress import ip_address, ip_network

from yarl import URL

from longshore.environment import Environment
from longshore.errors import UsageError
from longshore.registry.hosts import is_loopback
from longshore.registry.transport.exchange import host_of


def proxy_for(url: URL, environment: Environment) -> URL | None:
    """The proxy for `url`, None for a direct connection.

    ``HTTPS_PROXY``/``HTTP_PROXY``/``NO_PROXY``, lower case first as curl does; loopback is never
    reached through a proxy. Raises UsageError when the variable holds no HTTP address.
    """
    host = url.host or ""
    if is_loopback(host_of(url)) or _is_exempt(url, _value(environment, "NO_PROXY") or ""):
        return None
    name = "HTTPS_PROXY" if url.scheme == "https" else "HTTP_PROXY"
    text = _value(environment, name)
    if not text or not host:
        return None
    try:
        proxy = URL(text if "://" in text else f"http://{text}")
    except ValueError:
        raise _no_proxy(name) from None  # it may hold a password
    if proxy.scheme not in ("http", "https") or not proxy.host:
        raise _no_proxy(name)
    return proxy


def proxy_login(proxy: URL | None) -> dict[str, str]:
    """The header with the login of a proxy's address; in UTF-8, as curl and Go send it."""
    if proxy is None or proxy.user is None:
        return {}
    pair = f"{proxy.user}:{proxy.password or ''}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _no_proxy(name: str) -> UsageError:
    return UsageError(
        f"{name} does not hold the address of an HTTP proxy",
        hint='write it as "http://host:port" or "http://user:password@host:port", with #, /, ? and '
        "\\ in a password as %23, %2F, %3F and %5C; SOCKS proxies are not supported",
    )


def _value(environment: Environment, name: str) -> str | None:
    return environment.get(name.lower()) or environment.get(name)


def _is_exempt(url: URL, no_proxy: str) -> bool:
    host = (url.host or "").lower()
    return any(
        _matches(entry.strip().lower(), host, url.port) for entry in no_proxy.split(",") if entry
    )


def _matches(entry: str, host: str, port: int | None) -> bool:
    """``*``, a domain (with all below it), ``host:port``, an address (of IPv6 in
    brackets or bare) or a network (CIDR)."""
    if entry == "*":
        return True
    if "/" in entry:
        return _in_network(entry, host)
    name, colon, digits = entry.rpartition(":")
    if colon and digits.isdigit() and (":" not in name or name.endswith("]")):
        if int(digits) != port:
            return False
        entry = name
    domain = entry.strip("[]").removeprefix("*").removeprefix(".")
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def _in_network(entry: str, host: str) -> bool:
    try:
        return ip_address(host) in ip_network(entry, strict=False)
    except ValueError:
        return False
