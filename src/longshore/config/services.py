"""The services file's tree to service entries (spec section 2); pure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import Struct

from longshore.config import build_keys as b
from longshore.config import codes
from longshore.config import service_keys as k
from longshore.config.credential_keys import CredentialKeys
from longshore.config.keys import Fields, Key
from longshore.config.model import BuildEntry, ServiceEntry, ServicesFile
from longshore.config.node import Mapping, Node, Scalar, Sequence, places_below
from longshore.config.report import Report
from longshore.config.shapes import kind_of, wrong_type

IGNORED_AT_TOP = ("version", "volumes", "networks", "secrets", "configs", "name")
"""Keys of compose that may stand beside ``services:``; nobody looks at them."""

_MAKES_A_SERVICE = ("image", "build", "dockerfile")


def read_services(
    root: Node, path: str, directory: Path, report: Report, *, compose: bool = False
) -> ServicesFile | None:
    """Every service that could be read, in file order; None when the file is no map of services.

    `compose`: the file is a docker-compose.yml, where ``image`` beside ``build`` names the built
    image (S-9).
    """
    blocks = _blocks(root, report, compose=compose)
    if blocks is None:
        return None
    reader = _Reader(report, compose)
    services = {}
    for name, node in blocks:
        entry = reader.service(name, node)
        if entry is not None:
            services[name.text] = entry
    if not blocks:
        report.error(codes.EMPTY_FILE, root, "the services file defines no service", _FIRST)
    return ServicesFile(path=path, directory=directory, services=services)


_FIRST = 'define one, for example "app:" and, indented below it, "build: ."'


def _blocks(root: Node, report: Report, *, compose: bool) -> list[tuple[Scalar, Node]] | None:
    """Name and node of every service, in either of the forms of F-13."""
    if isinstance(root, Scalar) and root.is_null:
        report.error(codes.EMPTY_FILE, root, "the services file is empty", _FIRST)
        return None
    if not isinstance(root, Mapping):
        steps = isinstance(root, Sequence)
        report.error(
            codes.TOP_LEVEL,
            root,
            f"the services file must be a map of services, not {kind_of(root)}",
            "a list of steps belongs into codeship-steps.yml" if steps else _FIRST,
        )
        return None
    nested = services_below(root, compose=compose)
    if nested is None:
        return [(key, node) for key, node in root.pairs if not _ignorable(key, node)]
    for key, _ in root.pairs:
        if key.text != "services" and key.text not in IGNORED_AT_TOP and key.text[:2] != "x-":
            report.warning(
                codes.UNKNOWN_KEY,
                key,
                f'"{key.text[:60]}" stands beside "services:" and is ignored'
                + report.did_you_mean(key.text, ["services", *IGNORED_AT_TOP]),
                'a service must be indented below "services:"',
            )
    if isinstance(nested, Mapping):
        return list(nested.pairs)
    if isinstance(nested, Scalar) and nested.is_null:
        return []
    wrong_type("a map of services", nested, report, 'write them below "services:", as "NAME:"')
    return None


def services_below(root: Mapping, *, compose: bool) -> Node | None:
    """What ``services:`` holds; None where the services stand at the top (F-13)."""
    nested = root.get("services")
    return None if nested is not None and not compose and _is_service(nested) else nested


def _is_service(node: Node) -> bool:
    if not isinstance(node, Mapping):
        return False
    if any(isinstance(node.get(key), Scalar) for key in _MAKES_A_SERVICE):
        return True
    build = node.get("build")
    return isinstance(build, Mapping) and not (_is_called_build(build) or _has_services(node))


def _is_called_build(node: Mapping) -> bool:
    """Whether ``services: {build: {build: .}}`` means a service called "build"."""
    return any(name in node for name in ("build", "command", "environment", "volumes", "links"))


def _has_services(node: Mapping) -> bool:
    """Whether ``services: {build: {...}, app: {image: a}}`` are two services."""
    return any(
        isinstance(value, Mapping) and ("image" in value or "build" in value)
        for key, value in node.pairs
        if key.text not in k.SERVICE_KEYS.by_name
    )


def _ignorable(key: Scalar, node: Node) -> bool:
    return key.text.startswith("x-") or (key.text in IGNORED_AT_TOP and not _is_service(node))


class _Reader(Struct, frozen=True):
    report: Report
    compose: bool

    def service(self, name: Scalar, node: Node) -> ServiceEntry | None:
        if not isinstance(node, Mapping):
            self._no_map(name, node)
            # Known all the same: who refers to it should not be told that it is undefined.
            return ServiceEntry(name=name.text, place=name.place)
        if not name.text:
            self.report.error(codes.EMPTY_VALUE, name, "this service has no name", _FIRST)
        fields = k.SERVICE_KEYS.read(node, self.report)
        build, image = self._image(name, fields)
        self._neither(name, fields)
        k.SERVICE_KEYS.tell_unknown(fields, self.report)
        return ServiceEntry(
            place=name.place,
            places=self._places(fields, node),
            name=name.text,
            build=build,
            image=image,
            command=fields.get(k.COMMAND),
            entrypoint=fields.get(k.ENTRYPOINT),
            working_dir=fields.get(k.WORKING_DIR),
            hostname=fields.get(k.HOSTNAME),
            user=fields.get(k.USER),
            environment=fields.or_else(k.ENVIRONMENT, ()),
            env_file=fields.or_else(k.ENV_FILE, ()),
            encrypted_environment=fields.get(k.ENCRYPTED_ENVIRONMENT) or (),
            encrypted_env_file=fields.or_else(k.ENCRYPTED_ENV_FILE, ())
            + fields.or_else(k.ENCRYPTED_ENV, ()),
            volumes=fields.or_else(k.VOLUMES, ()),
            volumes_from=fields.or_else(k.VOLUMES_FROM, ()),
            depends_on=fields.or_else(k.DEPENDS_ON, ()),
            links=fields.or_else(k.LINKS, ()),
            add_docker=fields.or_else(k.ADD_DOCKER, False),
            cached=fields.or_else(k.CACHED, False),
            default_cache_branch=fields.get(k.DEFAULT_CACHE_BRANCH),
            credentials=credentials(fields),
            **self._limits(fields),
        )

    def _no_map(self, name: Scalar, node: Node) -> None:
        hint = "indent the keys of a service below its name"
        if isinstance(node, Scalar) and node.is_null:
            message = f'service "{name.text[:60]}" is empty'
            self.report.error(codes.WRONG_TYPE, name, message, hint)
        else:
            wrong_type(f'the map of service "{name.text[:60]}"', node, self.report, hint)

    def _limits(self, fields: Fields) -> dict[str, Any]:
        keys: tuple[Key[Any], ...] = (
            *(k.PORTS, k.CAP_ADD, k.CAP_DROP, k.DNS, k.DNS_SEARCH, k.EXTRA_HOSTS, k.SECURITY_OPT),
            *(k.SHM_SIZE, k.MEM_LIMIT, k.CPU_SHARES, k.READ_ONLY),
        )
        return {key.name: fields.get(key) for key in keys if fields.get(key) is not None}

    def _places(self, fields: Fields, node: Mapping) -> dict[tuple[str | int, ...], Any]:
        places = dict(places_below(node))
        build = fields.get(k.BUILD)
        if isinstance(build, Mapping):
            for old, new in (("path", "context"), ("dockerfile_path", "dockerfile")):
                if ("build", old) in places:
                    places.setdefault(("build", new), places["build", old])
        before, more = fields.get(k.ENCRYPTED_ENV_FILE) or (), fields.get(k.ENCRYPTED_ENV) or ()
        for at, _ in enumerate(more, len(before)):
            item = ("encrypted_env", at - len(before))
            places["encrypted_env_file", at] = places.get(item, places[("encrypted_env",)])
        for path in ("build", "args"), ("environment",), ("encrypted_environment",):
            places.update(_listed_variables(node, path))
        return places

    def _image(self, name: Scalar, fields: Fields) -> tuple[BuildEntry | None, str | None]:
        image = fields.get(k.IMAGE)
        if k.BUILD in fields:
            if k.IMAGE in fields and not self.compose:
                self.report.error(
                    codes.IMAGE_AND_BUILD,
                    fields.at(k.IMAGE),
                    f'service "{name.text}" has both image and build; specify one or the other',
                    'to name the built image, move "image" below "build:"',
                )
            return self._build(fields, image if self.compose else None), None
        if k.IMAGE in fields:
            if k.SERVICE_DOCKERFILE in fields:
                self.report.warning(
                    codes.IMAGE_AND_DOCKERFILE,
                    fields.key_at(k.SERVICE_DOCKERFILE),
                    f'"dockerfile" of service "{name.text}" is ignored because it has an image',
                    "remove one of them",
                )
            return None, image
        if k.SERVICE_DOCKERFILE in fields:
            place = fields.at(k.SERVICE_DOCKERFILE).place
            return BuildEntry(place=place, dockerfile=fields.get(k.SERVICE_DOCKERFILE)), None
        return None, None

    def _neither(self, name: Scalar, fields: Fields) -> None:
        if not any(key in fields for key in (k.BUILD, k.IMAGE, k.SERVICE_DOCKERFILE)):
            fields.missing(
                self.report,
                codes.NO_IMAGE_OR_BUILD,
                f'service "{name.text}" has neither image nor build',
                'add "build: ." or "image: NAME"',
                k.BUILD,
                k.IMAGE,
            )

    def _build(self, service: Fields, image: str | None) -> BuildEntry:
        node = service.at(k.BUILD)
        if not isinstance(node, Mapping):
            context = node.text if isinstance(node, Scalar) else None
            dockerfile = service.get(k.SERVICE_DOCKERFILE)
            return BuildEntry(place=node.place, context=context, dockerfile=dockerfile, image=image)
        fields = b.BUILD_KEYS.read(_without_configure(node, self.report), self.report)
        b.BUILD_KEYS.tell_unknown(fields, self.report)
        return BuildEntry(
            place=node.place,
            places=dict(places_below(node)),
            image=_image_name(fields) or image,
            context=self._either(fields, b.CONTEXT, b.PATH),
            dockerfile=self._either(fields, b.DOCKERFILE, b.DOCKERFILE_PATH)
            or service.get(k.SERVICE_DOCKERFILE),
            args=fields.or_else(b.ARGS, ()),
            encrypted_args=fields.get(b.ENCRYPTED_ARGS),
            encrypted_args_file=fields.or_else(b.ENCRYPTED_ARGS_FILE, ()),
        )

    def _either(self, fields: Fields, new: Key[str], old: Key[str]) -> str | None:
        """The value under either name; a local one wins over a merged one (F-15, S-8)."""
        one, other = fields.get(new), fields.get(old)
        if one is None or other is None or one == other:
            return other if one is None else one
        if fields.is_merged(new) == fields.is_merged(old):
            self.report.error(
                codes.BOTH_NAMES,
                max(fields.key_at(new), fields.key_at(old), key=lambda key: key.place),
                f"both {new.name} and {old.name} are specified. Please specify one or the other",
                f'remove "{old.name}", the old name of "{new.name}"',
            )
        return other if fields.is_merged(new) else one


def _image_name(fields: Fields) -> str | None:
    """The name of the built image; its old key counts where only that is local (F-15, S-3)."""
    new, old = fields.get(b.BUILD_IMAGE), fields.get(b.BUILD_NAME)
    if new and old and fields.is_merged(b.BUILD_IMAGE) and not fields.is_merged(b.BUILD_NAME):
        return old
    return new or old


def credentials(fields: Fields) -> CredentialKeys:
    """The keys naming registry credentials, of a service or a step."""
    return CredentialKeys(
        encrypted_dockercfg_path=fields.get(k.ENCRYPTED_DOCKERCFG_PATH) or None,
        dockercfg_service=fields.get(k.DOCKERCFG_SERVICE) or None,
        dockercfg_path=fields.get(k.DOCKERCFG_PATH) or None,
    )


def _without_configure(node: Mapping, report: Report) -> Mapping:
    for key, _ in node.pairs:
        if key.text == "configure":
            report.error(
                codes.BUILD_CONFIGURE,
                key,
                '"configure" in "build" is not supported',
                "a step before, writing into a volume of the project directory, does the same",
            )
            pairs = tuple(pair for pair in node.pairs if pair[0].text != "configure")
            return Mapping(node.place, pairs, node.size, node.height)
    return node


def _listed_variables(node: Mapping, path: tuple[str, ...]) -> dict[tuple[str | int, ...], Any]:
    found: Node | None = node
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    if not isinstance(found, Sequence):
        return {}
    return {
        (*path, item.text.partition("=")[0].strip()): item.place
        for item in found.items
        if isinstance(item, Scalar)
    }
