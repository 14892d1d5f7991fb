"""Our specs as the Engine API's JSON; pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from longshore.engine.spec import ContainerSpec, Limits, Mount, NetworkAttachment
from longshore.oci.reference import DOCKER_HUB, HUB_LOGIN, normalise_registry
from longshore.secrets.credential import Credential

Json = dict[str, Any]


def container_body(spec: ContainerSpec) -> Json:
    """The body of ``POST /containers/create``."""
    return {
        "Image": spec.image,
        "Env": [f"{name}={value}" for name, value in spec.environment],
        "Labels": dict(spec.labels),
        "Tty": spec.tty,
        "OpenStdin": spec.stdin,
        "StdinOnce": spec.stdin,
        "AttachStdin": spec.stdin,
        "AttachStdout": True,
        "AttachStderr": True,
        "Volumes": {m.container: {} for m in spec.mounts if _is_plain_volume(m)},
        "ExposedPorts": {_inner_port(port): {} for port in spec.ports},
        "HostConfig": _host_config(spec),
        **_network_part(spec.network),
        **_process_part(spec),
    }


def _process_part(spec: ContainerSpec) -> Json:
    part: Json = {}
    if spec.entrypoint is not None:
        # An empty list would keep the image's command; [""] clears both (moby, daemon/commit.go).
        part["Entrypoint"] = list(spec.entrypoint) or [""]
    if spec.command is not None:
        part["Cmd"] = list(spec.command)
    if spec.working_dir is not None:
        part["WorkingDir"] = spec.working_dir
    if spec.hostname is not None:
        part["Hostname"] = spec.hostname
    if spec.limits.user is not None:
        part["User"] = spec.limits.user
    return part


def _network_part(network: NetworkAttachment | None) -> Json:
    if network is None:
        return {}
    aliases = {"Aliases": list(network.aliases)}
    return {"NetworkingConfig": {"EndpointsConfig": {network.network: aliases}}}


def _host_config(spec: ContainerSpec) -> Json:
    mounts = [m for m in spec.mounts if not _is_plain_volume(m)]
    return {
        "Binds": [_bind(m) for m in mounts if _is_bind(m)],
        "Mounts": [_mount(m) for m in mounts if not _is_bind(m)],
        "VolumesFrom": list(spec.volumes_from),
        "PortBindings": _port_bindings(spec.ports),
        "NetworkMode": spec.network.network if spec.network else "default",
        # Reading output back from a file halves what a container can print; attach needs no log.
        "LogConfig": {} if spec.keep_log else {"Type": "none", "Config": {}},
        # Before API 1.42 engines ignore it (Engine API version history).
        **({"ConsoleSize": list(spec.terminal_size)} if spec.terminal_size else {}),
        **_limits(spec.limits),
    }


def _limits(limits: Limits) -> Json:
    part: Json = {
        "CapAdd": list(limits.cap_add),
        "CapDrop": list(limits.cap_drop),
        "Dns": list(limits.dns),
        "DnsSearch": list(limits.dns_search),
        "ExtraHosts": list(limits.extra_hosts),
        "SecurityOpt": list(limits.security_opt),
        "ReadonlyRootfs": limits.read_only,
    }
    sizes = {
        "ShmSize": limits.shm_size,
        "Memory": limits.mem_limit,
        "CpuShares": limits.cpu_shares,
    }
    return part | {name: size for name, size in sizes.items() if size is not None}


def _is_plain_volume(mount: Mount) -> bool:
    return mount.host is None and not mount.read_only


def _is_bind(mount: Mount) -> bool:
    """Binds create a missing host directory, as compose does; a colon has no place in them."""
    return mount.host is not None and not mount.bare and ":" not in mount.host + mount.container


def _bind(mount: Mount) -> str:
    modes = ",".join(("ro" if mount.read_only else "rw", *mount.modes))
    return f"{mount.host}:{mount.container}:{modes}"


def _mount(mount: Mount) -> Json:
    """Has no place for `Mount.modes`: the API takes labels of SELinux with binds alone."""
    kind: Json = {"Type": "bind", "Source": mount.host} if mount.host else {"Type": "volume"}
    if mount.bare:
        kind["BindOptions"] = {"NonRecursive": True}
    return kind | {"Target": mount.container, "ReadOnly": mount.read_only}


def _inner_port(port: str) -> str:
    number, _, protocol = port.rpartition(":")[2].partition("/")
    return f"{number}/{protocol or 'tcp'}"


def _port_bindings(ports: tuple[str, ...]) -> Json:
    bindings: dict[str, list[dict[str, str]]] = {}
    for port in ports:
        host, _, _ = port.rpartition(":")
        address, _, number = host.rpartition(":")
        bindings.setdefault(_inner_port(port), []).append({"HostIp": address, "HostPort": number})
    return bindings


def filters(**conditions: list[str]) -> dict[str, str]:
    """The ``filters`` parameter of the listing requests."""
    return {"filters": json.dumps(conditions)}


def label_conditions(labels: Mapping[str, str]) -> list[str]:
    """Labels as filter conditions; an empty value stands for any."""
    return [f"{name}={value}" if value else name for name, value in labels.items()]


def registry_address(host: str) -> str:
    """The name an engine knows a registry by; Docker Hub has an old one."""
    return HUB_LOGIN if normalise_registry(host) == DOCKER_HUB else host


def registry_auth(credential: Credential, host: str) -> str:
    """The value of ``X-Registry-Auth`` (Engine API, "Authentication")."""
    return _header(_auth(credential) | {"serveraddress": registry_address(host)})


def registry_config(credentials: Mapping[str, Credential]) -> str:
    """The value of ``X-Registry-Config``: what a build may need for its base images (I-20)."""
    return _header({registry_address(h): _auth(c) for h, c in credentials.items()})


def _auth(credential: Credential) -> Json:
    if credential.identity_token is not None:
        return {"identitytoken": credential.identity_token.reveal()}
    password = credential.password.reveal() if credential.password else ""
    return {"username": credential.username, "password": password}


def buildx_auths(credentials: Mapping[str, Credential]) -> Json:
    """The ``auths`` of a docker ``config.json``."""
    return {registry_address(host): _file_auth(c) for host, c in credentials.items()}


def _file_auth(credential: Credential) -> Json:
    if credential.identity_token is not None:
        token = credential.identity_token.reveal()
        return {"auth": _basic(f"{credential.username}:"), "identitytoken": token}
    password = credential.password.reveal() if credential.password else ""
    return {"auth": _basic(f"{credential.username}:{password}")}


def _basic(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _header(value: Json) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()
