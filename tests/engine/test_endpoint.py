"""Where an engine is looked for."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from longshore.engine.endpoint import (
    Endpoint,
    TlsFiles,
    endpoint_at,
    known_endpoints,
    named_endpoint,
)
from longshore.environment import Environment
from longshore.errors import EngineUnavailable, UsageError


def _environment(home: Path, **values: str) -> Environment:
    return Environment({"HOME": str(home), **values})


def _add_context(config: Path, name: str, meta: object) -> Path:
    """Write a context as docker does; returns the directory of its certificates."""
    key = hashlib.sha256(name.encode()).hexdigest()
    directory = config / "contexts" / "meta" / key
    directory.mkdir(parents=True)
    (directory / "meta.json").write_text(json.dumps(meta))
    return config / "contexts" / "tls" / key / "docker"


def _meta(host: str, **more: object) -> object:
    return {"Name": "work", "Endpoints": {"docker": {"Host": host, **more}}}


def test_without_settings_no_engine_is_named(tmp_path: Path) -> None:
    assert named_endpoint(_environment(tmp_path)) is None


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("unix:///run/docker.sock", "unix:///run/docker.sock"),
        ("tcp://build.example.com:2376", "tcp://build.example.com:2376"),
        ("ssh://me@build.example.com", "ssh://me@build.example.com"),
        ("build.example.com:2375", "tcp://build.example.com:2375"),
        ("tcp://[::1]:2375", "tcp://[::1]:2375"),
    ],
)
def test_docker_host_is_taken_as_it_is(tmp_path: Path, host: str, url: str) -> None:
    named = named_endpoint(_environment(tmp_path, DOCKER_HOST=host))
    assert named == Endpoint(url=url, origin="DOCKER_HOST")


@pytest.mark.parametrize(
    "host",
    [
        "unix://",
        "unix://relative.sock",
        "fd://",
        "tcp://",
        "tcp://host:port",
        "tcp://host:0",
        "tcp://[::1",
    ],
)
def test_a_broken_docker_host_is_an_error_that_names_it(tmp_path: Path, host: str) -> None:
    with pytest.raises(EngineUnavailable, match="DOCKER_HOST") as caught:
        named_endpoint(_environment(tmp_path, DOCKER_HOST=host))
    assert host in caught.value.message
    assert "unset it" in (caught.value.hint or "")


@given(st.text(min_size=1))
@example(":@0")
def test_any_docker_host_is_an_address_or_our_error(host: str) -> None:
    with suppress(EngineUnavailable):
        named = named_endpoint(_environment(Path("/nonexistent"), DOCKER_HOST=host))
        assert named is not None
        behind_a_password = host.rpartition("@")[2]
        assert named.url.endswith(behind_a_password)


def test_docker_host_goes_before_the_context(tmp_path: Path) -> None:
    named = named_endpoint(
        _environment(tmp_path, DOCKER_HOST="unix:///a.sock", DOCKER_CONTEXT="missing")
    )
    assert named is not None
    assert named.url == "unix:///a.sock"


def test_tls_verify_takes_the_certificates_of_the_cert_path(tmp_path: Path) -> None:
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).touch()
    named = named_endpoint(
        _environment(
            tmp_path,
            DOCKER_HOST="tcp://h:2376",
            DOCKER_TLS_VERIFY="1",
            DOCKER_CERT_PATH=str(tmp_path),
        )
    )
    assert named is not None
    assert named.tls == TlsFiles(
        ca=tmp_path / "ca.pem", certificate=tmp_path / "cert.pem", key=tmp_path / "key.pem"
    )


def test_a_cert_path_alone_means_tls_without_verification(tmp_path: Path) -> None:
    named = named_endpoint(
        _environment(tmp_path, DOCKER_HOST="tcp://h:2376", DOCKER_CERT_PATH=str(tmp_path))
    )
    assert named is not None
    assert named.tls == TlsFiles(verify=False)


def test_a_unix_socket_never_has_tls(tmp_path: Path) -> None:
    named = named_endpoint(
        _environment(tmp_path, DOCKER_HOST="unix:///a.sock", DOCKER_TLS_VERIFY="1")
    )
    assert named is not None
    assert named.tls is None


def test_the_current_context_of_config_json_is_used(tmp_path: Path) -> None:
    config = tmp_path / ".docker"
    _add_context(config, "work", _meta("tcp://h:2376"))
    (config / "config.json").write_text('{"currentContext": "work"}')
    named = named_endpoint(_environment(tmp_path))
    assert named is not None
    assert named.url == "tcp://h:2376"
    assert named.origin == f'docker context "work" ({config}/config.json)'


def test_docker_context_goes_before_config_json(tmp_path: Path) -> None:
    _add_context(tmp_path, "other", _meta("unix:///other.sock"))
    (tmp_path / "config.json").write_text('{"currentContext": "work"}')
    named = named_endpoint(
        _environment(tmp_path, DOCKER_CONFIG=str(tmp_path), DOCKER_CONTEXT="other")
    )
    assert named is not None
    assert named.url == "unix:///other.sock"


def test_a_context_brings_its_certificates(tmp_path: Path) -> None:
    tls = _add_context(tmp_path, "work", _meta("tcp://h:2376", SkipTLSVerify=True))
    tls.mkdir(parents=True)
    (tls / "ca.pem").touch()
    named = named_endpoint(
        _environment(tmp_path, DOCKER_CONFIG=str(tmp_path), DOCKER_CONTEXT="work")
    )
    assert named is not None
    assert named.tls == TlsFiles(ca=tls / "ca.pem", verify=False)


@pytest.mark.parametrize("text", ['{"currentContext": "default"}', "{}", "[]", "no json"])
def test_the_default_context_and_an_unreadable_config_name_nothing(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "config.json").write_text(text)
    assert named_endpoint(_environment(tmp_path, DOCKER_CONFIG=str(tmp_path))) is None


@pytest.mark.parametrize("text", ["[" * 100_000, '{"Endpoints": ' + "[" * 100_000])
def test_endless_nesting_in_the_files_of_contexts_is_no_bug_of_ours(
    tmp_path: Path, text: str
) -> None:
    _add_context(tmp_path, "work", {})
    next((tmp_path / "contexts/meta").glob("*/meta.json")).write_text(text)
    (tmp_path / "config.json").write_text(text)
    assert named_endpoint(_environment(tmp_path, DOCKER_CONFIG=str(tmp_path))) is None
    with pytest.raises(EngineUnavailable, match="has no docker endpoint"):
        named_endpoint(_environment(tmp_path, DOCKER_CONFIG=str(tmp_path), DOCKER_CONTEXT="work"))


def test_a_context_whose_name_is_no_utf_8_does_not_exist(tmp_path: Path) -> None:
    name = os.fsdecode(b"w\xffrk")
    with pytest.raises(EngineUnavailable, match="does not exist"):
        named_endpoint(_environment(tmp_path, DOCKER_CONTEXT=name))


def test_a_context_that_may_not_be_read_says_where(tmp_path: Path) -> None:
    _add_context(tmp_path, "work", _meta("tcp://h:2376"))
    environment = _environment(tmp_path, DOCKER_CONFIG=str(tmp_path), DOCKER_CONTEXT="work")
    with (
        _closed(tmp_path / "contexts"),
        pytest.raises(EngineUnavailable, match=r"meta\.json: Permission denied"),
    ):
        named_endpoint(environment)


@pytest.mark.parametrize("meta", [None, {}, [], {"Endpoints": {"docker": {}}}, {"Endpoints": 3}])
def test_a_broken_context_is_an_error_that_names_it(tmp_path: Path, meta: object) -> None:
    if meta is not None:
        _add_context(tmp_path, "work", meta)
    with pytest.raises(EngineUnavailable, match='docker context "work"'):
        named_endpoint(_environment(tmp_path, DOCKER_CONFIG=str(tmp_path), DOCKER_CONTEXT="work"))


def test_existing_sockets_are_found_each_once(tmp_path: Path) -> None:
    runtime = tmp_path / "run"
    (runtime / "podman").mkdir(parents=True)
    colima = tmp_path / ".colima/default"
    colima.mkdir(parents=True)
    (runtime / "docker.sock").touch()  # no socket
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(runtime / "podman/podman.sock"))
        (colima / "docker.sock").symlink_to(runtime / "podman/podman.sock")
        found = known_endpoints(_environment(tmp_path, XDG_RUNTIME_DIR=str(runtime)))
    ours = [endpoint for endpoint in found if str(tmp_path) in endpoint.url]
    assert ours == [Endpoint(url=f"unix://{colima}/docker.sock", origin="Colima")]


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_a_socket_that_a_stranger_may_have_put_there_is_passed_over(tmp_path: Path) -> None:
    runtime = tmp_path / "run"
    path = runtime / "podman/podman.sock"
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        found = [f"unix://{path}"]
        for mode, owner, expected in [
            (0o700, 1, found),  # root among what belongs to a user, as with `sudo -E`
            (0o1777, 0, found),
            (0o1777, 1, []),
        ]:
            runtime.chmod(mode)
            for theirs in (path.parent, path):
                os.chown(theirs, owner, owner)
            places = known_endpoints(_environment(tmp_path, XDG_RUNTIME_DIR=str(runtime)))
            assert [one.url for one in places if str(tmp_path) in one.url] == expected


@pytest.mark.skipif(os.getuid() != 0, reason="only root becomes somebody else")
def test_roots_socket_is_an_engines_for_everybody_wherever_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        os.setreuid(65534, -1)
        try:
            places = known_endpoints(_environment(tmp_path, XDG_RUNTIME_DIR=str(tmp_path)))
        finally:
            os.setreuid(0, -1)
    assert f"unix://{path}" in [one.url for one in places]


@pytest.mark.parametrize("scheme", ["tcp://", "ssh://", ""])
def test_a_password_in_an_address_is_told_to_nobody(tmp_path: Path, scheme: str) -> None:
    host = f"{scheme}me:se@cr:et@host:2375"
    endpoint = named_endpoint(_environment(tmp_path, DOCKER_HOST=host))
    assert endpoint is not None
    assert endpoint.url == f"{scheme or 'tcp://'}me@host:2375"
    with pytest.raises(UsageError, match='"gopher://me@host"'):
        endpoint_at("gopher://me:secret@host", "--engine", _environment(tmp_path))


def test_a_socket_in_a_directory_that_is_closed_to_us_is_passed_over(tmp_path: Path) -> None:
    """As in another user's run-time directory after ``su``, or in /run/podman without root."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "docker.sock"))
        with _closed(tmp_path):
            found = known_endpoints(_environment(tmp_path, XDG_RUNTIME_DIR=str(tmp_path)))
    assert str(tmp_path) not in "".join(endpoint.url for endpoint in found)


def test_certificates_that_are_closed_to_us_are_not_taken_for_missing(tmp_path: Path) -> None:
    environment = _environment(
        tmp_path, DOCKER_HOST="tcp://h:2376", DOCKER_CERT_PATH=str(tmp_path), DOCKER_TLS_VERIFY="1"
    )
    with _closed(tmp_path):
        named = named_endpoint(environment)
    assert named is not None
    assert named.tls is not None
    assert named.tls.ca == tmp_path / "ca.pem"


@contextmanager
def _closed(directory: Path) -> Iterator[None]:
    """A directory that this process may not enter, also when it is root's."""
    directory.chmod(0)
    try:
        with _without_roots_rights():
            yield
    finally:
        directory.chmod(0o700)


@contextmanager
def _without_roots_rights() -> Iterator[None]:
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


def test_an_address_of_the_command_line_is_checked(tmp_path: Path) -> None:
    assert endpoint_at("unix:///a.sock", "--engine", _environment(tmp_path)).origin == "--engine"
    with pytest.raises(UsageError, match="--engine"):
        endpoint_at("gopher://host", "--engine", _environment(tmp_path))


def test_tls_verify_counts_for_an_address_of_the_command_line(tmp_path: Path) -> None:
    environment = _environment(tmp_path, DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=str(tmp_path))
    assert endpoint_at("tcp://h:2376", "--engine", environment).tls == TlsFiles()
    assert endpoint_at("unix:///a.sock", "--engine", environment).tls is None
