"""The shapes only services have, but for volumes: links, dependencies, build maps."""

from __future__ import annotations

from msgspec import Struct

from longshore.config import codes
from longshore.config.model import Condition, DependencyEntry, EncryptedValues, LinkEntry
from longshore.config.node import Mapping, Node, Scalar, Sequence
from longshore.config.report import Report
from longshore.config.shapes import Checked, Items, Name, Schema, Text, says_nothing, wrong_type
from longshore.config.variable_shapes import Variables
from longshore.errors import InvalidValue


def parse_link(text: str) -> LinkEntry:
    """``service`` or ``service:alias``; raises InvalidValue."""
    service, colon, alias = text.strip().partition(":")
    if not service or (colon and not alias):
        raise InvalidValue(f'"{text[:60]}" is no link', hint='write "service" or "service:alias"')
    return LinkEntry(service=service, alias=alias or service)


def parse_working_dir(text: str) -> str:
    """An absolute path, or nothing (S-17); raises InvalidValue."""
    if text and not text.startswith("/"):
        raise InvalidValue(
            f'working_dir "{text[:60]}" does not begin at the root of the container',
            hint='write for example "/src"; "~" and variables are not expanded',
        )
    return text


def parse_host(text: str) -> str:
    """``host:address``; raises InvalidValue."""
    host, _, address = text.partition(":")
    if not (host.strip() and address.strip()):
        raise InvalidValue(
            f'"{text[:60]}" is no host with its address',
            hint='write "host:address", for example "api.test:10.0.0.7"',
        )
    return text


class EnvFile(Name, frozen=True):
    """A path, or compose's map with a path, of which the rest is ignored (Q-26)."""

    def decode(self, node: Node, report: Report) -> str | None:
        if not isinstance(node, Mapping):
            return Text.decode(self, node, report)
        path = node.get("path")
        if path is None or says_nothing(path, self):
            wrong_type(f'{self.what}, or a map with "path"', node, report)
            return None
        for key, _ in node.pairs:
            if key.text != "path":
                hint = "write the path alone; a step that needs the file fails without it"
                report.warning(codes.IGNORED_KEY, key, f'key "{key.text[:60]}" is ignored', hint)
        return Text.decode(self, path, report)

    def schema(self) -> Schema:
        path: Schema = {"type": "object", "properties": {"path": {"type": "string"}}}
        return {"anyOf": [Text.schema(self), {**path, "required": ["path"]}]}


class Dependencies(Struct, frozen=True):
    """``depends_on``: names, or compose's map with conditions (S-29)."""

    what: str = "a list of service names"

    def decode(self, node: Node, report: Report) -> tuple[DependencyEntry, ...] | None:
        if isinstance(node, Mapping):
            found = [self._conditional(key, value, report) for key, value in node.pairs]
            entries = tuple(entry for entry in found if entry is not None)
            return entries if len(entries) == len(found) else None
        if isinstance(node, Sequence):
            names = Items(Text("the name of a service")).decode(node, report)
            if names is None:
                return None
            return tuple(DependencyEntry(service=name) for name in names)
        wrong_type(self.what, node, report, 'write "- NAME" in a line of its own for each')
        return None

    def _conditional(self, key: Scalar, value: Node, report: Report) -> DependencyEntry | None:
        if isinstance(value, Scalar) and value.is_null:
            return DependencyEntry(service=key.text)
        if not isinstance(value, Mapping):
            wrong_type('"condition: ..."', value, report, 'or write a list: "- NAME"')
            return None
        condition = value.get("condition")
        if condition is None:
            return DependencyEntry(service=key.text)
        if isinstance(condition, Scalar) and condition.text in _CONDITIONS:
            return DependencyEntry(service=key.text, condition=Condition(condition.text))
        report.error(
            codes.CONDITION,
            condition,
            f"condition {_shown(condition)} is not supported",
            f"possible are {' and '.join(_CONDITIONS)}; for work that must be completed first, "
            "write a step before",
        )
        return None

    def schema(self) -> Schema:
        condition = {"type": "object", "properties": {"condition": {"enum": list(_CONDITIONS)}}}
        return {
            "anyOf": [
                {"type": "array", "items": {"type": "string"}},
                {
                    "type": "object",
                    "additionalProperties": {"anyOf": [condition, {"type": "null"}]},
                },
            ]
        }


_CONDITIONS = (Condition.STARTED.value, Condition.HEALTHY.value)


def _shown(node: Node) -> str:
    return f'"{node.text[:40]}"' if isinstance(node, Scalar) else "that is no text"


class Hosts(Struct, frozen=True):
    """``extra_hosts``: a list of ``host:ip`` or a map; decoded to ``host:ip``."""

    what: str = 'a list of "host:address"'

    def decode(self, node: Node, report: Report) -> tuple[str, ...] | None:
        if isinstance(node, Mapping):
            found = [self._entry(key, value, report) for key, value in node.pairs]
            return tuple(host for host in found if host is not None)
        return Items(Checked('"host:address"', parse_host)).decode(node, report)

    def _entry(self, key: Scalar, value: Node, report: Report) -> str | None:
        def parse(address: str) -> str:
            return parse_host(f"{key.text}:{address}")

        return Checked("an address", parse).decode(value, report)

    def schema(self) -> Schema:
        return {
            "anyOf": [
                {"type": "array", "items": {"type": "string"}},
                {"type": "object", "additionalProperties": {"type": "string"}},
            ]
        }


class Ports(Struct, frozen=True):
    """Ports as texts; never wrong, for they are ignored unless asked for (S-55)."""

    what: str = 'a list of "host:container"'

    def decode(self, node: Node, report: Report) -> tuple[str, ...] | None:
        items = node.items if isinstance(node, Sequence) else (node,)
        return tuple(filter(None, map(_port, items)))

    def schema(self) -> Schema:
        return {}


def _port(node: Node) -> str:
    """``address:host:container/protocol``, also of compose's map with ``target``."""
    if not isinstance(node, Mapping):
        return _text(node)
    address, host, inner, protocol = (
        _text(node.get(key)) for key in ("host_ip", "published", "target", "protocol")
    )
    outer = f"{address}:{host}:" if address else f"{host}:"
    return f"{outer if address or host else ''}{inner}{protocol and '/'}{protocol}"


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) and not node.is_null else ""


class Encrypted(Struct, frozen=True):
    """``encrypted_environment``: a map or list of encrypted values, or one text (S-23)."""

    what: str = "a map, a list, or one encrypted text"

    def decode(self, node: Node, report: Report) -> EncryptedValues | None:
        if isinstance(node, Scalar):
            return node.text
        pairs = Variables(self.what).decode(node, report)
        if pairs is None:
            return None
        for name, value in pairs:
            if not value:
                report.error(
                    codes.WRONG_VALUE,
                    node,
                    f'variable "{name[:40]}" has no encrypted value',
                    'encrypt it with "longshore encrypt"',
                )
                return None
        return tuple((name, value or "") for name, value in pairs)

    def schema(self) -> Schema:
        text: Schema = {"type": "string"}
        return {
            "anyOf": [
                text,
                {"type": "object", "additionalProperties": text},
                {"type": "array", "items": text},
            ]
        }


class BuildShape(Struct, frozen=True):
    """``build``: a directory, or a map read by `longshore.config.services`."""

    what: str = "a directory, or a map with image, context, dockerfile, args"

    def decode(self, node: Node, report: Report) -> Node | None:
        if isinstance(node, Sequence):
            wrong_type(self.what, node, report, 'write "build: DIRECTORY", without dash or bracket')
            return None
        return node

    def schema(self) -> Schema:
        return {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/build"}]}
