"""Which hosts may be spoken to in plain."""

from __future__ import annotations

import pytest

from longshore.errors import RegistryUnavailable
from longshore.registry.hosts import is_loopback
from longshore.registry.transport.errors import Interrupted, NotTls
from longshore.registry.transport.exchange import Answer, Request
from longshore.registry.transport.scheme import Reach, discover
from longshore.testing.registry_answer import answer


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
        ("notlocalhost", False),
    ],
)
def test_loopback_is_this_machine_and_nothing_that_looks_like_it(
    authority: str, loopback: bool
) -> None:
    assert is_loopback(authority) is loopback
    assert Reach().allows_plain(authority, "localhost") is loopback
    assert not Reach().allows_plain(authority, "registry.example")
    assert Reach((authority,)).allows_plain(authority, "registry.example")


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


Said = int | type[Exception]


class Host:
    """Says the next of the list of the scheme it is asked in; the last for ever."""

    def __init__(self, **said: list[Said]) -> None:
        self._said = said
        self.asked: list[tuple[str, bool]] = []

    async def send(self, request: Request) -> Answer:
        scheme = request.url.scheme
        self.asked.append((scheme, request.once))
        said = self._said[scheme]
        next_one = said.pop(0) if len(said) > 1 else said[0]
        if isinstance(next_one, int):
            body = b"an HTTP request to an HTTPS server" if next_one == 400 else b""
            return answer(next_one, request.url, body)
        if next_one is Interrupted:
            raise Interrupted(f"{scheme} is busy", reason="busy", registry="r")
        raise next_one(f"{scheme} does not work")


@pytest.mark.parametrize(
    ("name", "https", "http", "scheme"),
    [
        ("r.example", [NotTls], [Interrupted, 200], "http"),
        ("r.example", [Interrupted, 200], [400], "https"),
        ("r.example", [Interrupted, 401], [Interrupted], "https"),
        ("127.0.0.1", [Interrupted, 200], [400], "https"),
        ("127.0.0.1", [NotTls], [Interrupted, 200], "http"),
    ],
)
async def test_a_busy_host_is_asked_again_in_the_scheme_it_may_speak(
    name: str, https: list[Said], http: list[Said], scheme: str
) -> None:
    host = Host(https=https, http=http)
    found = await discover(host, name, Reach(("r.example",)), deadline=1.0)
    assert str(found.base) == f"{scheme}://{name}"
    assert host.asked[-1] == (scheme, False)


async def test_a_host_that_speaks_neither_is_refused() -> None:
    with pytest.raises(RegistryUnavailable, match="does not speak it properly"):
        await discover(Host(https=[NotTls], http=[400]), "127.0.0.1", Reach(), deadline=1.0)
