"""Checks of the services file that need all services: references, cycles, names (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from posixpath import normpath

from longshore.config import codes
from longshore.config.check_texts import check_command, check_image, warn_template
from longshore.config.graph import cycles
from longshore.config.model import ServiceEntry, ServicesFile
from longshore.config.names import defined, image_name
from longshore.config.problem import Place
from longshore.config.report import Report

_CHANGING = ("Time", "Timestamp", "StringTime")


def check_services(file: ServicesFile, report: Report) -> None:
    """Everything about the services file."""
    for entry in file.services.values():
        _references(entry, file, report)
        _images(entry, report)
        _texts(entry, report)
        _volumes(entry, report)
        _targets(entry, report)
    _cycles(file, report)
    _built_names(file, report)


def _references(entry: ServiceEntry, file: ServicesFile, report: Report) -> None:
    for name, place in dependencies(entry):
        if name not in file.services:
            report.error(
                codes.SERVICE_IN_SERVICE,
                place,
                f'service "{entry.name}" depends on undefined service "{name}"'
                + report.did_you_mean(name, file.services),
                defined(file.services),
            )
    generator = entry.credentials.dockercfg_service
    if generator and generator not in file.services:
        report.error(
            codes.SERVICE_IN_SERVICE,
            entry.where("dockercfg_service"),
            f'service "{entry.name}" refers to undefined service "{generator}"'
            + report.did_you_mean(generator, file.services),
            defined(file.services),
        )


def dependencies(entry: ServiceEntry) -> Iterator[tuple[str, Place]]:
    """Every service that must be started before `entry`, and where that is written."""
    for number, item in enumerate(entry.depends_on):
        by_name = ("depends_on", item.service)
        yield (
            item.service,
            entry.where(*by_name if by_name in entry.places else ("depends_on", number)),
        )
    for number, link in enumerate(entry.links):
        yield link.service, entry.where("links", number)
    for number, name in enumerate(entry.volumes_from):
        yield name, entry.where("volumes_from", number)


def _cycles(file: ServicesFile, report: Report) -> None:
    """Aliases do not hide a cycle (S-32, K-6); a generator may not need itself (P-34)."""
    edges = {name: _edges(entry, file) for name, entry in file.services.items()}
    for cycle in cycles({name: list(targets) for name, targets in edges.items()}):
        place = edges[cycle[0]][cycle[1] if len(cycle) > 1 else cycle[0]]
        if len(cycle) == 1:
            report.error(codes.CYCLE, place, f'service "{cycle[0]}" depends on itself', "remove it")
            continue
        names = f"{', '.join(cycle[:-1])} and {cycle[-1]}"
        round_trip = " -> ".join([*cycle, cycle[0]])
        lines = ", ".join(str(edges[a][b].line) for a, b in pairwise([*cycle, cycle[0]]))
        report.error(
            codes.CYCLE,
            place,
            f"Circular loop between services {names}: {round_trip}",
            f"remove one of these references (lines {lines})",
        )


def _edges(entry: ServiceEntry, file: ServicesFile) -> dict[str, Place]:
    found: dict[str, Place] = {}
    for name, place in dependencies(entry):
        if name in file.services:
            found.setdefault(name, place)
    generator = entry.credentials.dockercfg_service
    if generator in file.services and generator is not None:
        found.setdefault(generator, entry.where("dockercfg_service"))
    return found


def _images(entry: ServiceEntry, report: Report) -> None:
    if entry.image is not None:
        check_image(entry.image, entry.where("image"), report)
    elif entry.build is not None and entry.build.image is not None:
        key = ("build", "image") if ("build", "image") in entry.places else ("build", "name")
        place = entry.where(*key) if key in entry.places else entry.where("image")
        check_image(entry.build.image, place, report)
    elif entry.build is not None:
        check_image(image_name(entry), entry.place, report)


def _texts(entry: ServiceEntry, report: Report) -> None:
    if entry.command is not None and not entry.entrypoint:
        check_command(" ".join(entry.command), entry.command, entry.where("command"), report)
    for name, value in entry.environment:
        warn_template(value or "", entry.where("environment", name), report)
    for name, value in entry.build.args if entry.build else ():
        changing = next((field for field in _CHANGING if f".{field}" in (value or "")), None)
        if changing and "{{" in (value or ""):
            report.warning(
                codes.CHANGING_ARGUMENT,
                entry.where("build", "args", name),
                f'argument "{name}" has another value in every build, so no layer after it is '
                "taken from the cache",
                f"leave {{{{ .{changing} }}}} out, or use the argument in the last lines of the "
                "Dockerfile",
            )


def _volumes(entry: ServiceEntry, report: Report) -> None:
    """Host paths that other machines have not are told once a service (S-37, K-16)."""
    absolute = False
    for number, volume in enumerate(entry.volumes):
        host = volume.host or ""
        wrong = _not_expanded(host)
        if not wrong and not absolute and host.startswith("/") and not host.startswith("/dev/"):
            absolute, wrong = True, f'is outside the project: "{host}"'
        if wrong:
            report.warning(
                codes.HOST_PATH,
                entry.where("volumes", number),
                f'volume of service "{entry.name}" {wrong}',
                f'use a directory of the project, for example "./tmp:{volume.container}"',
            )


def _not_expanded(host: str) -> str | None:
    """What is literal in a host path, though it looks as if it were not (S-28, S-37)."""
    if host.startswith("~"):
        return f'is a directory called "{host}": "~" is not expanded'
    return f'is a directory called "{host}": variables are not expanded' if "$" in host else None


def _targets(entry: ServiceEntry, report: Report) -> None:
    """Engines refuse two directories on one path, and let one hide an anonymous volume."""
    first: dict[str, int] = {}
    for number, volume in enumerate(entry.volumes):
        if volume.host is None:
            continue
        other = first.setdefault(normpath(volume.container), number)
        if other != number:
            report.error(
                codes.VOLUME,
                entry.where("volumes", number),
                f'"{volume.container}" of service "{entry.name}" is the volume of line '
                f"{entry.where('volumes', other).line} already",
                "remove one of them, or give it another path in the container",
            )


def _built_names(file: ServicesFile, report: Report) -> None:
    """Generated names must differ (I-2); one name for different builds is a trap (I-6, K-7)."""
    first: dict[str, ServiceEntry] = {}
    for entry in file.services.values():
        if entry.build is None:
            continue
        name = image_name(entry)
        other = first.setdefault(name.removesuffix(":latest"), entry)
        if other is entry or other.build is None:
            continue
        if not entry.build.image and not other.build.image:
            report.error(
                codes.NAMES_COLLIDE,
                entry.place,
                f'services "{other.name}" and "{entry.name}" both get the image name "{name}"',
                'give one of them "build: {image: NAME}"',
            )
        elif _recipe(entry) != _recipe(other):
            report.warning(
                codes.SAME_NAME,
                entry.where("build", "image"),
                f'services "{other.name}" and "{entry.name}" build different images under the same '
                f'name "{name}"',
                "each service uses its own image, but the name goes to the one built last",
            )


def _recipe(entry: ServiceEntry) -> tuple[object, ...]:
    build = entry.build
    assert build is not None
    context = (build.context or ".").removeprefix("./").rstrip("/") or "."
    dockerfile = (build.dockerfile or "Dockerfile").removeprefix("./")
    return (context, dockerfile, build.args, build.encrypted_args, build.encrypted_args_file)
