"""Redirects and Locations, without a byte of I/O."""

from __future__ import annotations

import anyio
import pytest
from msgspec.structs import replace
from yarl import URL

from longshore.errors import RegistryError, RegistryUnavailable
from longshore.registry.transport.errors import Interrupted
from longshore.registry.transport.exchange import Answer, Request, Subject, same_origin
from longshore.registry.transport.redirects import Redirecting, follow, resolve
from longshore.registry.transport.scheme import Reach
from longshore.testing.registry_answer import answer

SUBJECT = Subject(registry="r.example", repository="a/b", what="blob x")
HERE = URL("https://r.example/v2/a/b/blobs/x")
SECRETS = {"Authorization": "Bearer t", "Cookie": "lb=1", "accept": "x"}


def _request(method: str = "GET", **more: object) -> Request:
    return Request(method=method, url=HERE, subject=SUBJECT, headers=SECRETS, **more)  # type: ignore[arg-type]  # keywords of the test


def _to(location: str, status: int = 307, url: URL = HERE) -> Answer:
    return answer(status, url, Location=location)


def test_another_host_gets_neither_authorization_nor_cookies() -> None:
    moved = follow(_request(), _to("https://cdn.example/x?sig=1"), Reach())
    assert moved is not None
    assert (str(moved.url), dict(moved.headers)) == ("https://cdn.example/x?sig=1", {"accept": "x"})


@pytest.mark.parametrize(
    "location", ["https://r.example:8443/x", "https://sub.r.example/x", "//other.example/x"]
)
def test_another_port_or_subdomain_is_another_host(location: str) -> None:
    moved = follow(_request(), _to(location), Reach())
    assert moved is not None
    assert "Authorization" not in moved.headers


def test_the_same_host_keeps_them() -> None:
    moved = follow(_request(), _to("/elsewhere"), Reach())
    assert moved is not None
    assert (str(moved.url), moved.headers) == ("https://r.example/elsewhere", SECRETS)


@pytest.mark.parametrize("status", [301, 302, 303])
def test_writing_requests_do_not_follow_what_would_make_them_a_get(status: int) -> None:
    assert follow(_request("PUT", body=b"x"), _to("/y", status), Reach()) is None


def test_a_body_that_can_be_sent_again_follows_307() -> None:
    moved = follow(_request("PUT", body=b"x"), _to("/y"), Reach())
    assert moved is not None
    assert (moved.method, moved.body) == ("PUT", b"x")


async def test_a_stream_does_not_follow() -> None:
    send, receive = anyio.create_memory_object_stream[bytes](1)
    with send, receive:
        assert follow(_request("PATCH", body=receive), _to("/y"), Reach()) is None


def test_a_confidential_body_stays_with_its_host() -> None:
    request = _request("POST", body=b"password=1", confidential=True)
    assert follow(request, _to("https://evil.example/"), Reach()) is None
    assert follow(request, _to("/same"), Reach()) is not None


def test_from_https_to_plain_http_is_refused_unless_listed() -> None:
    with pytest.raises(RegistryError, match="Location over plain HTTP"):
        follow(_request(), _to("http://cdn.example/x"), Reach())
    assert follow(_request(), _to("http://cdn.example/x"), Reach(("cdn.example",))) is not None


def test_a_registry_elsewhere_sends_nobody_to_what_listens_on_this_machine() -> None:
    """Engines and databases do, and take what is put there."""
    for location in ("http://127.0.0.1:2375/containers/x/archive", "http://localhost/"):
        with pytest.raises(RegistryError, match="Location over plain HTTP"):
            resolve(_to(location), SUBJECT, Reach())
        assert resolve(_to(location), SUBJECT, Reach(("127.0.0.0/8", "localhost")))


@pytest.mark.parametrize("location", ["", "ftp://x/y", "http://[", "javascript:alert(1)"])
def test_a_location_that_leads_nowhere_is_an_error_that_names_the_blob(location: str) -> None:
    with pytest.raises(RegistryError, match=r"r\.example answered for blob x of a/b"):
        resolve(_to(location), SUBJECT, Reach(("x",)))


def test_a_location_keeps_the_registrys_encoding() -> None:
    location = "/v2/a/b/blobs/uploads/1?_state=a%3D%2Bb%2Fc+d&x=%7E"
    assert str(resolve(_to(location), SUBJECT, Reach())) == f"https://r.example{location}"


async def test_a_circle_of_redirects_ends() -> None:
    class Circle:
        sent = 0

        async def send(self, request: Request) -> Answer:
            self.sent += 1
            return _to("/again", url=request.url)

    circle = Circle()
    with pytest.raises(RegistryError, match="more than 5 redirects"):
        await Redirecting(circle, Reach()).send(_request())
    assert circle.sent == 5


class Store:
    """A registry whose blobs are on another host, which answers `heard` times and then no more."""

    def __init__(self, heard: int = 0) -> None:
        self.heard = heard
        self.asked = 0

    async def send(self, request: Request) -> Answer:
        if request.url.host == "r.example":
            return _to("https://store.example/x?sig=1", url=request.url)
        self.asked += 1
        if self.asked <= self.heard:
            return answer(200, request.url)
        raise Interrupted("store.example: blob x: no connection in time", reason="no connection")


async def test_a_store_out_of_reach_is_found_out_once_for_all_questions() -> None:
    """A firewall that swallows connections costs a timeout each time."""
    store = Store()
    redirecting = Redirecting(store, Reach())
    assert [(await redirecting.send(_request("HEAD"))).status for _ in range(3)] == [307] * 3
    assert store.asked == 1


async def test_nothing_is_read_from_a_store_out_of_reach() -> None:
    """What would be read there only saves time."""
    store = Store()
    redirecting = Redirecting(store, Reach())
    with pytest.raises(Interrupted):
        await redirecting.send(_request(keep_open=True))
    with pytest.raises(
        RegistryUnavailable, match=r"store\.example, where .*is out of reach"
    ) as last:
        await redirecting.send(_request(keep_open=True))
    assert not isinstance(last.value, Interrupted)
    assert store.asked == 1


async def test_a_store_that_has_answered_is_asked_again_after_a_break() -> None:
    store = Store(heard=1)
    redirecting = Redirecting(store, Reach())
    assert [(await redirecting.send(_request("HEAD"))).status for _ in range(3)] == [200, 307, 307]
    assert store.asked == 3


class Itself:
    """A registry that a proxy at another port than the usual sends to itself, without the port."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    async def send(self, request: Request) -> Answer:
        self.asked.append(request)
        if len(self.asked) == 1:
            return _to("https://r.example/v2/there/blobs/x", url=request.url)
        return answer(200, request.url)


async def test_a_registry_that_a_proxy_names_without_its_port_is_no_store_elsewhere() -> None:
    """What only a store would be is asked once, and not for long."""
    registry = Itself()
    asked = _request("HEAD")
    at_a_port = replace(asked, url=HERE.with_port(8443))
    assert (await Redirecting(registry, Reach()).send(at_a_port)).status == 200
    assert [str(one.url) for one in registry.asked][1:] == [
        "https://r.example:8443/v2/there/blobs/x"
    ]
    assert not registry.asked[1].once


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a.example/x", "https://a.example:443/y", True),
        ("https://a.example/x", "https://A.Example/y", True),
        ("http://a.example:80/x", "http://a.example/y", True),
        ("https://a.example/x", "http://a.example/y", False),
        ("https://a.example/x", "https://a.example:5000/y", False),
        ("https://a.example/x", "https://b.example/y", False),
    ],
)
def test_an_origin_may_be_written_in_several_ways(one: str, other: str, same: bool) -> None:
    """A proxy's Location may have the port that goes without saying, and wants us authorized."""
    joined = URL("https://z.example/").join(URL(other, encoded=True))
    assert same_origin(URL(one), joined) == same


@pytest.mark.parametrize(
    ("asked", "location", "target"),
    [
        ("https://a.example/v2/", "http://a.example/u", "https://a.example/u"),
        ("https://a.example/v2/", "http://a.example:80/u%2Fx", "https://a.example/u%2Fx"),
        ("https://a.example:5000/v2/", "http://a.example:5000/u", "https://a.example:5000/u"),
        ("https://a.example:5000/v2/", "http://a.example/u", "https://a.example:5000/u"),
        ("https://127.0.0.1:5000/v2/", "http://127.0.0.1:5001/u", "http://127.0.0.1:5001/u"),
        ("http://localhost/v2/", "http://localhost/u", "http://localhost/u"),
    ],
)
def test_plain_http_on_the_host_that_was_asked_by_https_is_https(
    asked: str, location: str, target: str
) -> None:
    """Its proxy ends TLS, and it does not know (distribution#1177)."""
    found = resolve(answer(202, URL(asked), Location=location), SUBJECT, Reach())
    assert str(found) == target


@pytest.mark.parametrize(
    ("asked", "location", "leads_to"),
    [
        (
            "https://r.example:8443/v2/a/b/blobs/uploads/",
            "https://r.example/v2/a/b/blobs/uploads/u?s=a%2Fb%3D",
            "https://r.example:8443/v2/a/b/blobs/uploads/u?s=a%2Fb%3D",
        ),
        (
            "http://localhost:5000/v2/a/b/blobs/uploads/",
            "http://localhost/v2/a/b/blobs/uploads/u",
            "http://localhost:5000/v2/a/b/blobs/uploads/u",
        ),
        ("https://r.example:8443/v2/x", "https://r.example/store/x", "https://r.example/store/x"),
        ("https://r.example:8443/v2/x", "https://cdn.example/v2/x", "https://cdn.example/v2/x"),
        ("http://localhost:5000/v2/x", "https://localhost/v2/x", "https://localhost/v2/x"),
        ("https://r.example/v2/x", "https://r.example/v2/y", "https://r.example/v2/y"),
        ("https://r.example:8443/v2/x", "https://r.example:443/v2/y", "https://r.example:443/v2/y"),
    ],
)
def test_the_port_that_a_proxy_drops_is_put_back(asked: str, location: str, leads_to: str) -> None:
    """nginx with ``Host $host`` (distribution/distribution#2862)."""
    target = resolve(_to(location, 202, URL(asked)), SUBJECT, Reach())
    assert target == URL(leads_to, encoded=True)
