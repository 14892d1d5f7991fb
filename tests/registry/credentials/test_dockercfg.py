from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from longshore.errors import InvalidValue
from longshore.registry.credentials.dockercfg import (
    parse_dockercfg,
    render_dockercfg,
    usable_entries,
)
from longshore.secrets.credential import Credential
from longshore.secrets.secret import Secret


def auth(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def read(document: Any) -> dict[str, Credential]:
    return dict(parse_dockercfg(json.dumps(document).encode(), origin="cfg").entries)


def password_of(credential: Credential) -> tuple[str, str | None]:
    password = credential.password
    return credential.username, password.reveal() if password else None


def test_both_forms_are_read() -> None:
    entry = {"auth": auth("user:pass:word"), "email": "a@b.c"}
    old = read({"https://index.docker.io/v1/": entry})
    new = read({"auths": {"https://index.docker.io/v1/": entry}, "HttpHeaders": {"X": "y"}})
    assert old == new
    assert password_of(old["https://index.docker.io/v1/"]) == ("user", "pass:word")
    assert old["https://index.docker.io/v1/"].origin == "cfg"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"username": "u", "password": "p"}, ("u", "p")),
        ({"Username": "u", "PASSWORD": "p"}, ("u", "p")),
        ({"auth": auth("a:b"), "username": "u", "password": "p"}, ("a", "b")),
        ({"auth": auth("a:b").rstrip("=")}, ("a", "b")),
        ({"auth": auth("a:b\0\0")}, ("a", "b")),
        ({"auth": auth("_json_key:{\n}")}, ("_json_key", "{\n}")),
        ({"auth": auth("ключ:слово")}, ("ключ", "слово")),
        ({"auth": "", "username": "u", "password": "p"}, ("u", "p")),
    ],
)
def test_user_and_password_are_read_as_docker_does(
    entry: dict[str, str], expected: tuple[str, str]
) -> None:
    assert password_of(read({"auths": {"quay.io": entry}})["quay.io"]) == expected


def test_identity_tokens_are_read() -> None:
    entry = {"auth": auth("00000000-0000-0000-0000-000000000000:"), "identitytoken": "ey.token"}
    credential = read({"auths": {"x.azurecr.io": entry}})["x.azurecr.io"]
    assert credential.identity_token == Secret("ey.token")
    assert credential.password is None


@pytest.mark.parametrize("entry", [{}, {"email": "a@b.c"}, {"auth": ""}, {"auth": auth("user:")}])
def test_entries_without_a_secret_are_named_but_no_credentials(entry: dict[str, str]) -> None:
    file = parse_dockercfg(json.dumps({"auths": {"quay.io": entry}}).encode(), origin="cfg")
    assert file.entries == ()
    assert file.named == ("quay.io",)


@pytest.mark.parametrize("value", ["no base64!", auth("no colon"), "=", "/w=="])
def test_an_auth_that_is_none_is_refused_without_showing_it(value: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        read({"auths": {"quay.io": {"auth": value}}})
    assert caught.value.message == (
        'Failed to parse dockercfg: the auth of "quay.io" is not base64 of user:password'
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'{"auths": {}} x', "invalid character 'x' after top-level value"),
        (b'{"auths": {}}}', "invalid character '}' after top-level value"),
        (b"1\xe8", "invalid character 'è' after top-level value"),
        (b"\x8e\x12 noise", "invalid character '\\u008e' looking for beginning of value"),
        (b"{'auths': {}}", "invalid character '\\'' looking for beginning of object key string"),
        (b'{"auths": {}', "unexpected end of JSON input"),
        (b"", "unexpected end of JSON input"),
        (b"[]", "it is a list, expected an object {…}"),
        (b"null", "it is null, expected an object {…}"),
        (b'{"auths": "x"}', '"auths" is a text, expected an object {…}'),
        (b'{"quay.io": 1}', 'the entry of "quay.io" is a number, expected an object {…}'),
        (b'{"quay.io": true}', 'the entry of "quay.io" is a truth value, expected an object {…}'),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_the_documented_words(
    text: bytes, words: str
) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_dockercfg(text, origin="dockercfg.encrypted")
    assert caught.value.message == f"Failed to parse dockercfg: {words}"
    assert "dockercfg.encrypted" in (caught.value.hint or "")


def test_a_byte_order_mark_and_unknown_keys_do_no_harm() -> None:
    text = b"\xef\xbb\xbf" + json.dumps({"auths": {}, "plugins": {"x": 1}, "proxies": []}).encode()
    assert parse_dockercfg(text, origin="cfg").entries == ()
    assert parse_dockercfg(b"{}", origin="cfg").named == ()


@pytest.mark.parametrize(
    "settings", [{"currentContext": "colima"}, {"proxies": {"default": {}}, "detachKeys": "ctrl-e"}]
)
def test_a_configuration_without_any_registry_has_no_credentials(settings: Any) -> None:
    file = parse_dockercfg(json.dumps(settings).encode(), origin="config.json")
    assert (file.entries, file.named) == ((), ())


def test_a_registry_without_a_dot_is_known_by_its_auth() -> None:
    assert password_of(read({"registry": {"auth": auth("u:p")}})["registry"]) == ("u", "p")


def test_passwords_kept_by_a_helper_are_missed_with_its_name() -> None:
    document = {
        "auths": {"https://index.docker.io/v1/": {}},
        "credsStore": "osxkeychain",
        "credHelpers": {"gcr.io": "gcloud"},
    }
    file = parse_dockercfg(json.dumps(document).encode(), origin="dockercfg.encrypted")
    assert (file.store, dict(file.helpers)) == ("osxkeychain", {"gcr.io": "gcloud"})
    with pytest.raises(InvalidValue, match="gcloud, osxkeychain") as caught:
        usable_entries(file)
    assert "longshore dockercfg --encrypt" in (caught.value.hint or "")


def test_a_file_with_passwords_and_a_helper_is_used_for_its_passwords() -> None:
    document = {"auths": {"quay.io": {"auth": auth("a:b")}}, "credsStore": "desktop"}
    file = parse_dockercfg(json.dumps(document).encode(), origin="cfg")
    assert [registry for registry, _ in usable_entries(file)] == ["quay.io"]


def test_a_registry_token_is_told_to_be_unsupported() -> None:
    file = parse_dockercfg(b'{"auths": {"quay.io": {"registrytoken": "x"}}}', origin="cfg")
    assert file.warnings == ('cfg: the registrytoken of "quay.io" is not supported',)


plain_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
credentials = st.builds(
    lambda username, password: Credential(username=username, password=Secret(password)),
    plain_texts.map(lambda text: text.replace(":", "")),
    plain_texts.filter(bool),
) | st.builds(
    lambda token: Credential(username="<token>", identity_token=Secret(token)),
    plain_texts.filter(bool),
)


@given(st.dictionaries(plain_texts, credentials))
def test_what_is_written_is_read(entries: dict[str, Credential]) -> None:
    text = render_dockercfg(entries.items())
    found = parse_dockercfg(text, origin="").entries
    assert {key: replace(credential, origin="") for key, credential in found} == entries


@given(st.recursive(st.none() | st.text() | st.integers(), lambda v: st.dictionaries(st.text(), v)))
def test_any_json_is_read_or_refused_with_one_error(document: object) -> None:
    try:
        usable_entries(parse_dockercfg(json.dumps(document).encode(), origin="cfg"))
    except InvalidValue as error:
        assert error.hint  # noqa: PT017 -- either outcome is right
