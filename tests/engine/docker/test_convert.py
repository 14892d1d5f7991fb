"""Specs as the Engine API's JSON."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from longshore.engine.docker.convert import (
    container_body,
    label_conditions,
    registry_auth,
    registry_config,
)
from longshore.engine.spec import ContainerSpec, Limits, Mount, NetworkAttachment
from longshore.secrets.credential import Credential
from longshore.secrets.secret import Secret


def _body(**fields: Any) -> dict[str, Any]:
    body = container_body(ContainerSpec(name="n", image="i", **fields))
    json.dumps(body)
    return body


def test_what_is_not_said_is_left_to_the_image() -> None:
    body = _body()
    assert not {"Entrypoint", "Cmd", "WorkingDir", "Hostname", "User"} & set(body)
    assert body["HostConfig"]["NetworkMode"] == "default"
    assert "NetworkingConfig" not in body


@pytest.mark.parametrize(
    ("entrypoint", "sent"), [((), [""]), (("a",), ["a"]), (("a", "b"), ["a", "b"])]
)
def test_an_entrypoint_clears_the_images_command(
    entrypoint: tuple[str, ...], sent: list[str]
) -> None:
    assert _body(entrypoint=entrypoint)["Entrypoint"] == sent


def test_the_engine_keeps_no_log_unless_asked() -> None:
    assert _body()["HostConfig"]["LogConfig"]["Type"] == "none"
    assert _body(keep_log=True)["HostConfig"]["LogConfig"] == {}


def test_mounts_are_binds_volumes_or_where_a_colon_is_in_the_way_mounts() -> None:
    body = _body(
        mounts=(
            Mount(host="/h", container="/c"),
            Mount(host="/r", container="/d", read_only=True),
            Mount(host="/s", container="/s", read_only=True, modes=("Z", "rslave")),
            Mount(host="/t", container="/t", modes=("z",)),
            Mount(host=None, container="/v"),
            Mount(host="/with:colon", container="/e"),
        )
    )
    assert body["HostConfig"]["Binds"] == [
        "/h:/c:rw",
        "/r:/d:ro",
        "/s:/s:ro,Z,rslave",
        "/t:/t:rw,z",
    ]
    assert body["Volumes"] == {"/v": {}}
    (mount,) = body["HostConfig"]["Mounts"]
    assert (mount["Source"], mount["Target"]) == ("/with:colon", "/e")


def test_a_terminal_has_its_size_from_the_start() -> None:
    """Engine API 1.42: height before width; older engines leave it out of account."""
    assert _body(tty=True, terminal_size=(24, 80))["HostConfig"]["ConsoleSize"] == [24, 80]
    assert "ConsoleSize" not in _body()["HostConfig"]


def test_ports_are_published_only_when_given() -> None:
    assert _body()["HostConfig"]["PortBindings"] == {}
    body = _body(ports=("8080:80", "443/tcp", "127.0.0.1:53:5353/udp"))
    assert body["HostConfig"]["PortBindings"] == {
        "80/tcp": [{"HostIp": "", "HostPort": "8080"}],
        "443/tcp": [{"HostIp": "", "HostPort": ""}],
        "5353/udp": [{"HostIp": "127.0.0.1", "HostPort": "53"}],
    }
    assert set(body["ExposedPorts"]) == {"80/tcp", "443/tcp", "5353/udp"}


def test_sizes_beyond_32_bits_and_all_limits_arrive() -> None:
    limits = Limits(
        user="1:2",
        cap_add=("A",),
        cap_drop=("B",),
        dns=("1.1.1.1",),
        dns_search=("s",),
        extra_hosts=("h:1.2.3.4",),
        security_opt=("o",),
        shm_size=1 << 33,
        mem_limit=1 << 40,
        cpu_shares=512,
        read_only=True,
    )
    body = _body(limits=limits)
    host = body["HostConfig"]
    assert (body["User"], host["ShmSize"], host["Memory"]) == ("1:2", 1 << 33, 1 << 40)
    assert (host["CapAdd"], host["CapDrop"], host["CpuShares"]) == (["A"], ["B"], 512)
    assert (host["Dns"], host["DnsSearch"], host["ExtraHosts"]) == (
        ["1.1.1.1"],
        ["s"],
        ["h:1.2.3.4"],
    )


def test_aliases_belong_to_the_network() -> None:
    body = _body(network=NetworkAttachment(network="net1", aliases=("a", "b")))
    assert body["HostConfig"]["NetworkMode"] == "net1"
    assert body["NetworkingConfig"]["EndpointsConfig"] == {"net1": {"Aliases": ["a", "b"]}}


def test_environment_keeps_equals_signs() -> None:
    assert _body(environment=(("A", "b=c"), ("E", "")))["Env"] == ["A=b=c", "E="]


def test_labels_without_value_match_any() -> None:
    assert label_conditions({"a": "b", "c": ""}) == ["a=b", "c"]


def _decoded(header: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(header))


def test_credentials_are_sent_as_the_api_wants_them() -> None:
    password = Credential(username="u", password=Secret("pä/+ss"))
    token = Credential(identity_token=Secret("t"))
    assert _decoded(registry_auth(password, "quay.io")) == {
        "username": "u",
        "password": "pä/+ss",
        "serveraddress": "quay.io",
    }
    assert _decoded(registry_config({"docker.io": password, "r:5000": token})) == {
        "https://index.docker.io/v1/": {"username": "u", "password": "pä/+ss"},
        "r:5000": {"identitytoken": "t"},
    }
