"""What `longshore run --publish` asks the engine to publish (S-55, Q-11)."""

from __future__ import annotations

import pytest

from longshore.errors import InvalidValue
from longshore.run.ports import published_ports


@pytest.mark.parametrize(
    ("port", "published"),
    [
        ("8080:80", ["8080:80"]),
        ("443", ["443"]),
        ("0:80", ["0:80"]),
        ("127.0.0.1:53:5353/udp", ["127.0.0.1:53:5353/udp"]),
        ("127.0.0.1::80", ["127.0.0.1::80"]),
        ("18090-18091:80-81", ["18090:80", "18091:81"]),
        ("80-81/tcp", ["80/tcp", "81/tcp"]),
        ("::1:1-2:3-4/udp", ["::1:1:3/udp", "::1:2:4/udp"]),
        ("127.0.0.1::80-81", ["127.0.0.1::80", "127.0.0.1::81"]),
        ("18090-18099:80", ["18090-18099:80"]),
    ],
)
def test_a_range_of_ports_is_published_one_by_one(port: str, published: list[str]) -> None:
    assert list(published_ports([port])) == published


@pytest.mark.parametrize(
    "port",
    ["", "http", "8080:", "80-81:80-82", "80:80-81", "81-80", "0", "65536", "1:2/icmp", "x:1"],
)
def test_what_is_no_port_is_told_with_what_to_write(port: str) -> None:
    with pytest.raises(InvalidValue, match="is no port that can be published") as caught:
        published_ports(["8080:80", port])
    assert '"8080:80"' in (caught.value.hint or "")
