"""Which hosts may be spoken to in plain."""

from __future__ import annotations

import pytest

from longshore.registry.transport.scheme import Reach, is_loopback


@pytest.mark.parametrize(
    ("authority", "loopback"),
    [
        ("localhost", True),
        ("localhost:5000", True),
        ("registry.localhost:5000", True),
        ("127.0.0.1:5000", True),
        ("127.9.9.9", True),
        ("[::1]:5000", True),
        ("localhost.example:5000", False),
        ("127.0.0.1.example", False),
        ("10.0.0.1:5000", False),
        ("ghcr.io", False),
    ],
)
def test_loopback_is_this_machine_and_nothing_that_looks_like_it(
    authority: str, loopback: bool
) -> None:
    assert is_loopback(authority) is loopback
    assert Reach().allows_plain(authority) is loopback


@pytest.mark.parametrize(
    ("listed", "authority", "insecure"),
    [
        ("registry.example:5000", "registry.example:5000", True),
        ("registry.example", "registry.example:5000", True),
        ("registry.example:5000", "registry.example:5001", False),
        ("http://Registry.example:5000/", "registry.example:5000", True),
        ("10.0.0.0/8", "10.2.3.4:5000", True),
        ("10.0.0.0/8", "11.2.3.4:5000", False),
        ("10.0.0.0/8", "registry.example", False),
        ("registry.example", "evil-registry.example", False),
    ],
)
def test_insecure_hosts_are_those_listed(listed: str, authority: str, insecure: bool) -> None:
    assert Reach((listed,)).is_insecure(authority) is insecure
