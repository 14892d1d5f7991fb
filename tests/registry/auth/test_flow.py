"""The token handshake, driven by hand: answers go in, requests come out."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from yarl import URL

from longshore.registry.auth.challenge import Challenge
from longshore.registry.auth.flow import Flow, Grant, Refused, TokenRequest, bearer
from longshore.registry.transport.exchange import Answer
from longshore.secrets.credential import Credential
from longshore.secrets.secret import Secret
from longshore.testing.registry_answer import answer

CHALLENGE = Challenge("bearer", {"realm": "https://auth.example/token?a=1", "service": "reg"})
SCOPES = ("repository:a/b:pull,push", "repository:base:pull")
BOB = Credential(username="bob", password=Secret("pässword"))
REALM = URL("https://auth.example/token")


def _reply(status: int = 200, date: str = "", **document: object) -> Answer:
    return _dated(document, date, status)


def _dated(document: Mapping[str, object], date: str = "", status: int = 200) -> Answer:
    headers = {"Date": date} if date else {}
    return answer(status, REALM, json.dumps(document).encode(), **headers)


def _finish(flow: Flow, reply: Answer) -> Grant | Refused:
    with pytest.raises(StopIteration) as stop:
        flow.send(reply)
    result: Grant | Refused = stop.value.value
    return result


def _granted(flow: Flow, reply: Answer) -> Grant:
    result = _finish(flow, reply)
    assert isinstance(result, Grant)
    return result


def test_anonymous_asks_with_get_and_keeps_the_realms_own_query() -> None:
    request = next(bearer(CHALLENGE, SCOPES, None))
    assert (request.method, request.authorization) == ("GET", None)
    assert list(request.url.query.items()) == [
        ("a", "1"),
        ("service", "reg"),
        ("scope", SCOPES[0]),
        ("scope", SCOPES[1]),
    ]


def test_a_password_goes_as_basic_and_not_into_the_address() -> None:
    request = next(bearer(CHALLENGE, SCOPES, BOB))
    assert request.authorization == Secret("Basic Ym9iOnDDpHNzd29yZA==")
    assert request.url.query["account"] == "bob"
    assert "ssword" not in str(request.url)


def test_an_identity_token_is_posted_as_refresh_token() -> None:
    request = next(bearer(CHALLENGE, SCOPES, Credential(identity_token=Secret("id&1"))))
    assert request.method == "POST"
    assert request.url == URL("https://auth.example/token?a=1")
    assert request.form is not None
    assert request.form.reveal() == (
        "service=reg&client_id=longshore&scope=repository%3Aa%2Fb%3Apull%2Cpush+"
        "repository%3Abase%3Apull&grant_type=refresh_token&refresh_token=id%261"
    )


def test_a_server_without_get_is_asked_by_post() -> None:
    flow = bearer(CHALLENGE, SCOPES, BOB)
    next(flow)
    second: TokenRequest = flow.send(_reply(405))
    assert second.form is not None
    assert "grant_type=password&username=bob&password=p%C3%A4ssword" in second.form.reveal()
    assert _granted(flow, _reply(access_token="t")).token == Secret("t")


@pytest.mark.parametrize("key", ["token", "access_token"])
def test_both_names_of_the_token_are_read(key: str) -> None:
    flow = bearer(CHALLENGE, SCOPES, None)
    next(flow)
    assert _granted(flow, _dated({key: "abc", "expires_in": 300})) == Grant(
        token=Secret("abc"), lifetime=300
    )


@pytest.mark.parametrize(
    ("document", "date", "lifetime"),
    [
        ({}, "", 60),
        ({"expires_in": 0}, "", 60),
        ({"expires_in": "soon"}, "", 60),
        ({"expires_in": 10**400}, "", 365 * 24 * 3600),
        ({"expires_in": float("nan")}, "", 60),
        (
            {"expires_in": 300, "issued_at": "2026-01-01T00:00:00Z"},
            "Thu, 01 Jan 2026 00:00:40 GMT",
            260,
        ),
        (
            {"expires_in": 30, "issued_at": "2026-01-01T00:00:00.123456Z"},
            "Thu, 01 Jan 2026 00:10:00 GMT",
            30,
        ),
        (
            {"expires_in": 300, "issued_at": "0001-01-01T00:00:00Z"},
            "Thu, 01 Jan 2026 00:10:00 GMT",
            300,
        ),
        ({"expires_in": 300, "issued_at": "nonsense"}, "Thu, 01 Jan 2026 00:00:40 GMT", 300),
    ],
)
def test_lifetime_counts_by_the_servers_own_clock(
    document: dict[str, object], date: str, lifetime: float
) -> None:
    flow = bearer(CHALLENGE, SCOPES, None)
    next(flow)
    assert _granted(flow, _dated({"token": "t", **document}, date)).lifetime == lifetime


@pytest.mark.parametrize(
    "reply", [_reply(401), _reply(200), _reply(200, token=5), answer(200, REALM, b"<html>")]
)
def test_anything_else_is_a_refusal(reply: Answer) -> None:
    flow = bearer(CHALLENGE, SCOPES, None)
    next(flow)
    assert _finish(flow, reply) == Refused(answer=reply)
