"""The Engine API's JSON as our values; pure. An answer of another shape is an `EngineError`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from longshore.engine.docker.errors import reading
from longshore.engine.spec import EngineInfo, Exit, Health, ImageInfo, Resource, ResourceKind
from longshore.errors import NotFound

_ENDED = frozenset({"exited", "dead"})


def engine_info(answer: Mapping[str, Any], *, where: str, local: bool) -> EngineInfo:
    """From ``GET /info``."""
    with reading("itself"):
        root = answer.get("DockerRootDir")
        return EngineInfo(
            name=answer.get("Name") or "",
            version=answer["ServerVersion"],
            architecture=answer.get("Architecture") or "",
            cpus=max(1, int(answer.get("NCPU") or 1)),
            endpoint=where,
            local=local,
            storage_driver=answer.get("Driver") or "",
            data_root=Path(root) if root else None,
            containerd_store=has_containerd_store(answer),
        )


def has_containerd_store(info: Mapping[str, Any]) -> bool:
    """Whether ``GET /info`` tells of images kept by containerd."""
    with reading("itself"):
        status = info.get("DriverStatus") or []
        return any("io.containerd.snapshotter" in str(value) for _, value in status)


def image_info(answer: Mapping[str, Any]) -> ImageInfo:
    """From ``GET /images/{name}/json``."""
    with reading("an image"):
        config = answer.get("Config") or {}
        return ImageInfo(
            id=answer["Id"],
            environment=tuple(_pair(text) for text in config.get("Env") or ()),
            exposed_ports=tuple(sorted(config.get("ExposedPorts") or ())),
            volumes=tuple(sorted(config.get("Volumes") or ())),
            diff_ids=tuple((answer.get("RootFS") or {}).get("Layers") or ()),
            repo_digests=tuple(answer.get("RepoDigests") or ()),
            size=int(answer.get("Size") or 0),
            created=answer.get("Created") or "",
            directories=_directories(answer.get("GraphDriver") or {}),
        )


def _directories(driver: Mapping[str, Any]) -> tuple[str, ...]:
    """Of the driver overlay2; the lower ones stand there from the top down, as in a mount."""
    data = driver.get("Data") or {}
    below = [path for path in (data.get("LowerDir") or "").split(":") if path]
    upper = data.get("UpperDir")
    return (*reversed(below), upper) if upper else ()


def history_sizes(answer: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
    """From ``GET /images/{name}/history``, the base's first."""
    with reading("an image's history"):
        return tuple(max(0, int(step.get("Size") or 0)) for step in reversed(answer))


def exit_from(answer: Mapping[str, Any]) -> Exit | None:
    """From ``GET /containers/{id}/json``; None while the container has not ended.

    One that is being removed is as good as gone: `NotFound`. (The engine marks it before it kills
    it, so whoever waited for it learns why it ended.)
    """
    with reading("a container"):
        state = answer["State"]
        if state["Status"] == "removing":
            raise NotFound(f"the container {answer.get('Name', '')} is being removed", status=404)
        if state["Status"] not in _ENDED:
            return None
        return Exit(code=int(state["ExitCode"]), out_of_memory=bool(state.get("OOMKilled")))


def health_from(answer: Mapping[str, Any]) -> Health:
    """From ``GET /containers/{id}/json``: GONE when it has ended, NONE when nothing checks it."""
    with reading("a container's health"):
        state = answer["State"]
        if state["Status"] in _ENDED or state["Status"] == "removing":
            return Health.GONE
        if not _has_check(answer.get("Config") or {}):
            return Health.NONE
        status = (state.get("Health") or {}).get("Status") or "starting"
        return Health(status)


def _has_check(config: Mapping[str, Any]) -> bool:
    test = (config.get("Healthcheck") or {}).get("Test") or []
    return bool(test) and test[0] != "NONE"


def container_resource(answer: Mapping[str, Any]) -> Resource:
    """From an entry of ``GET /containers/json``; a link's names (``/a/b``) are not the name."""
    with reading("a container"):
        names = sorted(answer.get("Names") or (), key=lambda name: name.count("/"))
        return Resource(
            kind=ResourceKind.CONTAINER,
            id=answer["Id"],
            name=names[0] if names else answer["Id"],
            labels=dict(answer.get("Labels") or {}),
        )


def network_resource(answer: Mapping[str, Any]) -> Resource:
    """From an entry of ``GET /networks``."""
    with reading("a network"):
        return Resource(
            kind=ResourceKind.NETWORK,
            id=answer["Id"],
            name=answer["Name"],
            labels=dict(answer.get("Labels") or {}),
        )


def volume_resource(answer: Mapping[str, Any]) -> Resource:
    """From an entry of ``GET /volumes``; a volume's name is its id."""
    with reading("a volume"):
        return Resource(
            kind=ResourceKind.VOLUME,
            id=answer["Name"],
            name=answer["Name"],
            labels=dict(answer.get("Labels") or {}),
        )


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value
