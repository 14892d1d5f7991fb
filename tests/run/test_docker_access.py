"""What a service with ``add_docker`` gets: S-48 to S-50, the texts of S-49 among them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from longshore.engine.spec import Mount
from longshore.environment import Environment
from longshore.errors import InvalidValue
from longshore.run.docker_access import DockerAccess, docker_access


def _access(engine: str | None = None, **variables: str) -> DockerAccess:
    return docker_access(Environment(variables), engine)


def _socket(path: str) -> tuple[Mount, ...]:
    return (Mount(host=path, container=path),)


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    directory = tmp_path / "home" / ".docker"
    directory.mkdir(parents=True)
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (directory / name).touch()
    return directory


def test_without_settings_it_is_the_engine_s_usual_socket() -> None:
    access = _access()
    assert access.variables == (("DOCKER_HOST", "unix:///var/run/docker.sock"),)
    assert access.mounts == _socket("/var/run/docker.sock")


def test_the_engine_in_use_is_given_and_not_the_one_that_docker_host_names() -> None:
    access = _access("unix:///run/mine.sock", DOCKER_HOST="tcp://another:2376")
    assert access.variables == (("DOCKER_HOST", "unix:///run/mine.sock"),)
    assert access.mounts == _socket("/run/mine.sock")


@pytest.mark.parametrize("scheme", ["http", "https", "tcp"])
def test_a_network_address_is_given_as_tcp_and_nothing_is_mounted(scheme: str) -> None:
    access = _access(DOCKER_HOST=f"{scheme}://engine:2375")
    assert access == DockerAccess(variables=(("DOCKER_HOST", "tcp://engine:2375"),), mounts=())


def test_a_bare_host_and_port_is_one_too_as_docker_has_it() -> None:
    assert _access(DOCKER_HOST="engine:2375").variables == (("DOCKER_HOST", "tcp://engine:2375"),)
    assert _access("tcp://engine:2375", DOCKER_HOST="engine:2375") == _access(
        DOCKER_HOST="engine:2375"
    )


@pytest.mark.parametrize(
    ("url", "socket"),
    [
        ("ssh://me@engine", "/var/run/docker.sock"),
        ("ssh://me@engine:22/run/user/1000/docker.sock", "/run/user/1000/docker.sock"),
    ],
)
def test_behind_ssh_it_is_the_socket_on_the_engine_s_machine(url: str, socket: str) -> None:
    access = _access(url, DOCKER_HOST=url)
    assert access.variables == (("DOCKER_HOST", f"unix://{socket}"),)
    assert access.mounts == _socket(socket)


@pytest.mark.parametrize(
    "socket",
    ["/Users/me/.docker/run/docker.sock", "/Users/me/.colima/default/docker.sock"],
)
def test_on_macos_it_is_the_socket_in_the_virtual_machine_of_the_engine(
    socket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    access = _access(f"unix://{socket}", HOME="/Users/me")
    assert access.variables == (("DOCKER_HOST", "unix:///var/run/docker.sock"),)
    assert access.mounts == _socket("/var/run/docker.sock")


def test_tls_brings_its_variables_and_the_directory_of_the_certificates(
    certificates: Path,
) -> None:
    home = str(certificates.parent)
    host = "tcp://engine:2376"
    access = _access(host, DOCKER_HOST=host, DOCKER_TLS_VERIFY="yes", HOME=home)
    assert access.variables == (
        ("DOCKER_HOST", host),
        ("DOCKER_TLS_VERIFY", "yes"),
        ("DOCKER_CERT_PATH", str(certificates)),
    )
    assert access.mounts == (Mount(host=str(certificates), container=str(certificates)),)


def test_a_relative_directory_of_certificates_is_made_absolute(
    certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(certificates.parent)
    access = _access(
        DOCKER_HOST="tcp://engine:2376", DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=".docker"
    )
    assert ("DOCKER_CERT_PATH", str(certificates)) in access.variables


def test_certificates_without_verification_are_not_passed_on(certificates: Path) -> None:
    access = _access(DOCKER_HOST="tcp://engine:2376", DOCKER_CERT_PATH=str(certificates))
    assert access.variables == (("DOCKER_HOST", "tcp://engine:2376"),)


def test_the_certificates_of_another_engine_are_not_asked_for() -> None:
    access = _access(
        "unix:///run/mine.sock", DOCKER_HOST="tcp://another:2376", DOCKER_TLS_VERIFY="1"
    )
    assert access.mounts == _socket("/run/mine.sock")


def test_an_address_in_one_part_is_refused_in_jet_s_words() -> None:
    with pytest.raises(InvalidValue) as raised:
        _access(DOCKER_HOST="nonsense")
    assert raised.value.message == "dockerutils: could not split nonsense into two parts by ://"


def test_without_home_the_directory_of_certificates_has_to_be_named() -> None:
    with pytest.raises(InvalidValue) as raised:
        _access(DOCKER_TLS_VERIFY="1")
    assert raised.value.message == (
        "dockerutils: environment variable HOME must be set if DOCKER_CERT_PATH is not set"
    )


def test_certificates_that_this_user_may_not_look_at_are_missing(locked: Path) -> None:
    with pytest.raises(InvalidValue) as raised:
        _access(DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=str(locked / "certs"))
    assert raised.value.message == f"docker: file {locked}/certs does not exist"


@pytest.mark.parametrize("name", ["", "cert.pem", "key.pem", "ca.pem"])
def test_a_missing_certificate_is_named(certificates: Path, name: str) -> None:
    missing = certificates / name
    if name:
        missing.unlink()
    else:
        missing = certificates / "none"
    directory = certificates if name else missing
    with pytest.raises(InvalidValue) as raised:
        _access(DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=str(directory))
    assert raised.value.message == f"docker: file {missing} does not exist"
