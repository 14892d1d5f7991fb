"""The two tables: exceptions of the HTTP library, and answers of registries."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator, Mapping

import aiohttp
import pytest
from aiohttp import client_exceptions
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from longshore.errors import RegistryDenied, RegistryError, RegistryUnavailable
from longshore.registry.transport.errors import (
    TABLE,
    Interrupted,
    refusal,
    translate,
)
from longshore.registry.transport.exchange import Answer, Subject
from longshore.secrets.credential import Credential
from longshore.secrets.secret import Secret
from longshore.testing.registry_answer import answer

SUBJECT = Subject(registry="r.example", repository="team/app", what="blob sha256:12")


def _family(cls: type[BaseException]) -> Iterator[type[BaseException]]:
    yield cls
    for child in cls.__subclasses__():
        yield from _family(child)


def test_every_exception_of_aiohttp_is_translated_by_something_nearer_than_its_root() -> None:
    """A new aiohttp that adds a branch to its tree makes this fail, so that we look at it."""
    known_leaves = {aiohttp.ClientError}
    for cls in _family(aiohttp.ClientError):
        nearest = next(parent for parent in cls.__mro__ if parent in TABLE)
        if nearest is aiohttp.ClientError and cls not in known_leaves:
            # Only raised when redirects are followed, which we never ask for.
            assert cls is aiohttp.RedirectClientError


def test_everything_the_client_part_of_aiohttp_raises_is_in_the_tree_we_translate() -> None:
    for name in client_exceptions.__all__:
        if not name.startswith("WS"):
            assert issubclass(getattr(client_exceptions, name), aiohttp.ClientError), name


@pytest.mark.parametrize(
    ("error", "temporary", "words"),
    [
        (aiohttp.ServerDisconnectedError(), True, "closed without an answer"),
        (aiohttp.ClientOSError(104, "x"), True, "connection reset"),
        (aiohttp.ClientPayloadError("x"), True, "ended too early"),
        (aiohttp.SocketTimeoutError(), True, "no answer in time"),
        (ConnectionResetError(104, "x"), True, "connection reset"),
        (TimeoutError(), True, "no answer in time"),
        (aiohttp.InvalidURL("x"), False, "an address that is none"),
    ],
)
def test_what_breaks_is_told_in_words(error: Exception, temporary: bool, words: str) -> None:
    ours = translate(error, SUBJECT, "r.example")
    assert isinstance(ours, Interrupted) is temporary
    assert ours.message.startswith("r.example: blob sha256:12 of team/app: ")
    assert words in ours.message
    assert (ours.registry, ours.repository) == ("r.example", "team/app")


def test_an_address_that_is_none_is_told_with_what_one_looks_like() -> None:
    """``127.1``, which a resolver would take."""
    error = aiohttp.InvalidUrlClientError("127.1", "is not a canonical IPv4 address")
    assert translate(error, SUBJECT, "127.1:5000").hint == (
        "check that 127.1:5000 is the address of a registry; one in numbers has four, "
        "as 127.0.0.1 has"
    )


def test_a_plain_server_on_a_tls_port_is_recognised() -> None:
    os_error = ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number")
    key = aiohttp.client_reqrep.ConnectionKey("r.example", 443, True, True, None, None, None)
    ours = translate(aiohttp.ClientConnectorSSLError(key, os_error), SUBJECT, "r.example")
    assert ours.message == "r.example does not speak HTTPS"
    assert ours.hint is not None
    assert "--insecure-registry r.example" in ours.hint


def _answer(status: int, *errors: Mapping[str, object], retry_after: str = "") -> Answer:
    body = json.dumps({"errors": errors}).encode()
    headers = {"Retry_After": retry_after} if retry_after else {}
    return answer(status, URL("https://r.example/v2/"), body, **headers)


DENIED = {"code": "DENIED", "message": "requested access to the resource is denied"}


def test_a_refusal_names_registry_repository_blob_code_text_and_the_credential_tried() -> None:
    bob = Credential(username="bob", password=Secret("pw"), origin="~/.docker/config.json")
    error = refusal(_answer(403, DENIED), SUBJECT, bob)
    assert isinstance(error, RegistryDenied)
    assert error.message == (
        "r.example refused blob sha256:12 of team/app: DENIED: requested access to the resource "
        "is denied (HTTP 403 Forbidden)"
    )
    assert error.hint == (
        'tried user "bob" from ~/.docker/config.json for r.example; '
        "check that it is valid and its rights of team/app"
    )
    assert (error.status, error.code, error.detail) == (403, "DENIED", DENIED["message"])


def test_without_credentials_the_hint_says_how_to_add_them() -> None:
    error = refusal(_answer(401, DENIED), SUBJECT)
    assert error.hint == (
        "no credential for r.example was found; add one with: docker login r.example"
    )


@pytest.mark.parametrize(
    "words",
    [
        "adding 29.0 MiB of storage resource will exceed the configured upper limit of 10.0 MiB.",
        "Quota exceeded when processing the request of adding 1.3 MiB",
    ],
)
def test_a_quota_that_is_used_up_is_not_taken_for_a_login_that_does_not_suffice(words: str) -> None:
    error = refusal(_answer(403, {"code": "DENIED", "message": words}), SUBJECT)
    assert error.hint == (
        "what r.example lets be stored there is used up; delete images, or have its owner raise "
        "the limit"
    )


def test_a_web_page_that_forbids_is_told_as_such() -> None:
    """HAProxy's and firewalls' (docker/hub-feedback#302)."""
    page = b"\n<html><body>Request forbidden by administrative rules.</body></html>"
    error = refusal(answer(403, URL("https://r.example/v2/"), page), SUBJECT)
    assert error.hint == (
        "that is a web page, no registry's answer: something before r.example, a firewall or a "
        "proxy, refuses such requests"
    )


@pytest.mark.parametrize("status", [408, 425, 429, 499, 500, 502, 503, 504, 520, 524, 529, 599])
def test_temporary_statuses_are_interruptions_with_their_retry_after(status: int) -> None:
    error = refusal(_answer(status, retry_after="3"), SUBJECT)
    assert isinstance(error, Interrupted)
    assert (error.status, error.retry_after) == (status, "3")


@pytest.mark.parametrize("status", [400, 404, 405, 409, 413, 501])
def test_other_statuses_are_final(status: int) -> None:
    error = refusal(_answer(status), SUBJECT)
    assert isinstance(error, RegistryError)
    assert not isinstance(error, RegistryUnavailable | RegistryDenied)


def test_a_full_disk_is_final_and_says_whose() -> None:
    full = {"code": "UNKNOWN", "message": "unknown error", "detail": "no space left on device"}
    for answered in (_answer(500, full), _answer(507)):
        error = refusal(answered, SUBJECT)
        assert not isinstance(error, Interrupted)
        assert error.hint == "the disk of r.example is full; its owner has to free some space"


def _unresolved(number: int) -> aiohttp.ClientConnectorDNSError:
    key = aiohttp.client_reqrep.ConnectionKey("r.example", 443, True, True, None, None, None)
    return aiohttp.ClientConnectorDNSError(key, socket.gaierror(number, "no answer"))


def _by_proxy(status: int) -> aiohttp.ClientHttpProxyError:
    info = aiohttp.RequestInfo(URL("https://r.example"), "CONNECT", CIMultiDictProxy(CIMultiDict()))
    return aiohttp.ClientHttpProxyError(info, (), status=status, message="x")


@pytest.mark.parametrize(
    ("error", "hopeless"),
    [
        (_unresolved(socket.EAI_NONAME), True),
        (_unresolved(socket.EAI_AGAIN), False),
        (aiohttp.ConnectionTimeoutError(), False),
    ],
    ids=["no such name", "no resolver for now", "too slow"],
)
def test_only_what_cannot_pass_makes_a_host_hopeless(error: Exception, hopeless: bool) -> None:
    translated = translate(error, SUBJECT, "r.example")
    assert isinstance(translated, Interrupted)
    assert translated.unproven is hopeless


@pytest.mark.parametrize(("status", "temporary"), [(502, True), (503, True), (403, False)])
def test_a_proxys_answer_is_named_and_says_whether_to_try_again(
    status: int, temporary: bool
) -> None:
    translated = translate(_by_proxy(status), SUBJECT, "r.example")
    assert isinstance(translated, Interrupted) is temporary
    assert f"HTTP {status}" in translated.message


@pytest.mark.parametrize(
    "error",
    [
        refusal(answer(429, URL("http://r.example/")), SUBJECT),
        refusal(answer(503, URL("http://r.example/")), SUBJECT),
        translate(aiohttp.ServerDisconnectedError(), SUBJECT, "r.example"),
        translate(ConnectionResetError(104, "reset"), SUBJECT, "r.example"),
    ],
    ids=["too often", "in trouble", "closed", "reset"],
)
def test_what_happens_most_often_comes_with_what_to_do(error: RegistryError) -> None:
    assert "--push-retries" in (error.hint or "")


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        (b"", "r.example may be read-only"),
        (b'{"errors": [{"code": "UNSUPPORTED"}]}', "r.example may be read-only"),
        (b'{"errors": [{"code": "REGISTRY_DISALLOWED_OPERATION", "message": "locked"}]}', None),
    ],
)
def test_a_registry_that_gives_its_own_reason_is_not_told_to_be_read_only(
    body: bytes, hint: str | None
) -> None:
    """Azure's refuses a locked repository or tag with a text that says where to look."""
    assert refusal(answer(405, URL("https://r.example/v2/"), body), SUBJECT).hint == hint
