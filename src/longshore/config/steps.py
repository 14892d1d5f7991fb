"""The steps file's tree to step entries (spec section 4 and 5.1); pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from longshore.config import codes
from longshore.config import step_keys as k
from longshore.config.keys import Fields
from longshore.config.model import (
    GroupEntry,
    GroupKind,
    PushEntry,
    RunEntry,
    StepEntry,
    StepsFile,
)
from longshore.config.node import Mapping, Node, Scalar, Sequence, places_below
from longshore.config.report import Report
from longshore.config.services import credentials
from longshore.config.shapes import kind_of

_DASH = 'begin each step with a dash: "- service: ..."'
_NESTED = frozenset({"steps", "on_fail"})


def label(name: str | None, ordinal: str) -> str:
    """How messages call a step: by name, else by its place in the file."""
    return f'step "{name}"' if name else f"step {ordinal}"


class Above(Struct, frozen=True):
    """What the groups above a step say: who set a service, and for an on_fail entry nothing."""

    service: str | None = None
    services: bool = False
    on_fail: bool = False

    @property
    def given(self) -> bool:
        return self.services or self.service is not None


def read_steps(root: Node, path: str, report: Report) -> StepsFile | None:
    """Every step that could be read; None when the file is no list of steps (F-9)."""
    if isinstance(root, Scalar) and root.is_null:
        root = Sequence(root.place, (), 1, 1)
    if not isinstance(root, Sequence):
        report.error(
            codes.TOP_LEVEL,
            root,
            f"the steps file must be a list of steps, not {kind_of(root)}",
            _top_level_hint(root),
        )
        return None
    if not root.items:
        report.warning(
            codes.EMPTY_FILE, root, "the steps file has no steps: nothing will run", _DASH
        )
    return StepsFile(path=path, steps=tuple(_Reader(report).steps(root, "", Above())))


def _top_level_hint(root: Node) -> str:
    if isinstance(root, Mapping) and "steps" in root:
        return 'remove the line "steps:"; the list itself is the file'
    if isinstance(root, Mapping) and any(isinstance(value, Mapping) for _, value in root.pairs):
        return "services belong into codeship-services.yml; " + _DASH
    return _DASH


class _Reader(Struct, frozen=True):
    report: Report

    def steps(self, nodes: Sequence, prefix: str, above: Above) -> Iterator[StepEntry]:
        for number, node in enumerate(nodes.items, 1):
            entry = self.step(node, f"{prefix}{number}", above)
            if entry is not None:
                yield entry

    def step(self, node: Node, ordinal: str, above: Above) -> StepEntry | None:
        if not isinstance(node, Mapping):
            self._no_map(node, ordinal)
            return None
        fields = k.STEP_KEYS.read(node, self.report)
        entry = self._entry(fields, ordinal, above)
        k.STEP_KEYS.tell_unknown(fields, self.report)
        return entry

    def _entry(self, fields: Fields, ordinal: str, above: Above) -> StepEntry | None:
        kind = self._kind(fields, ordinal)
        if kind is None:
            return None
        if above.on_fail and kind != k.RUN:
            self.report.error(
                codes.ON_FAIL,
                fields.at(k.TYPE),
                f"on_fail takes steps that run a command, not a {kind} step",
                'write "- command: ..."',
            )
            return None
        self._keys_of_other_types(fields, kind, ordinal)
        self._service(fields, kind, ordinal, above)
        shared = self._shared(fields, ordinal, above)
        if kind == k.RUN:
            return self._run(fields, shared)
        if kind == k.PUSH:
            return self._push(fields, shared)
        return self._group(fields, shared, GroupKind(kind), above)

    def _no_map(self, node: Node, ordinal: str) -> None:
        empty = isinstance(node, Scalar) and node.is_null
        self.report.error(
            codes.WRONG_TYPE,
            node,
            f"step {ordinal} is empty"
            if empty
            else f"step {ordinal} must be a map of keys, not {kind_of(node)}",
            'remove the dash, or write "- service: NAME" and below it "command: ..."',
        )

    def _kind(self, fields: Fields, ordinal: str) -> str | None:
        """The step's type, given or inferred (T-2)."""
        if k.TYPE in fields:
            written = fields.get(k.TYPE)
            if written is None or written in k.TYPES:
                return written
            self.report.error(
                codes.UNKNOWN_TYPE,
                fields.at(k.TYPE),
                f'{self._label(fields, ordinal)} has unknown type "{written[:40]}"'
                + self.report.did_you_mean(written, k.TYPES),
                f"types are {', '.join(k.TYPES)}",
            )
            return None
        for key, kind in (k.COMMAND, k.RUN), (k.STEPS, k.SERIAL):
            if key in fields:
                return kind
        hint = 'add "command: ..."; a group needs "steps:"'
        if k.IMAGE_NAME in fields:
            hint = 'a push step needs "type: push"'
        step = self._label(fields, ordinal)
        message = f"{step} has neither command nor type"
        fields.missing(self.report, codes.NO_COMMAND, message, hint, k.COMMAND, k.TYPE, k.STEPS)
        return None

    def _label(self, fields: Fields, ordinal: str) -> str:
        return label(fields.get(k.NAME), ordinal)

    def _keys_of_other_types(self, fields: Fields, kind: str, ordinal: str) -> None:
        for name, (key, _) in fields.written.items():
            belongs = k.STEP_KEYS.by_name[name].steps
            if kind in belongs:
                continue
            types = ", ".join(sorted(belongs))
            self.report.warning(
                codes.KEY_OF_OTHER_TYPE,
                key,
                f'key "{name}" has no effect: {self._label(fields, ordinal)} is of type {kind}',
                f'"{name}" belongs to steps of type {types}',
            )

    def _service(self, fields: Fields, kind: str, ordinal: str, above: Above) -> None:
        """Own, inherited and multiplied services against each other (T-4, T-22, T-23)."""
        step, own = self._label(fields, ordinal), fields.get(k.SERVICE)
        if kind in k.GROUPS and k.SERVICE in fields and k.SERVICES in fields:
            self.report.error(
                codes.SERVICE_AND_SERVICES,
                max(fields.key_at(k.SERVICE), fields.key_at(k.SERVICES), key=lambda n: n.place),
                f"{step} specifies both service and services",
                "remove one of them",
            )
        elif fields.get(k.SERVICES) == ():
            hint = 'name at least one: "- NAME"'
            self.report.error(
                codes.EMPTY_VALUE, fields.at(k.SERVICES), f"services of {step} is empty", hint
            )
        elif kind in k.GROUPS and k.SERVICES in fields and above.given:
            self._conflict(codes.GROUP_SETS_SERVICE, fields.key_at(k.SERVICES), step, "", above)
        elif own is not None and above.given and not above.on_fail:
            if own == above.service:
                self.report.warning(
                    codes.SERVICE_REPEATED,
                    fields.at(k.SERVICE),
                    f'{step} sets service "{own}", which its group sets already',
                    "remove it from the step",
                )
            else:
                self._conflict(codes.GROUP_SETS_SERVICE, fields.at(k.SERVICE), step, own, above)
        elif kind not in k.GROUPS and k.SERVICE not in fields and not above.given:
            hint = 'add "service: NAME" to it or to a group above it'
            fields.missing(self.report, codes.NO_SERVICE, f"{step} has no service", hint, k.SERVICE)

    def _conflict(self, code: str, at: Node, step: str, own: str, above: Above) -> None:
        one = f'service "{own}"' if own else "services"
        group = "services" if above.services else f'service "{above.service}"'
        self.report.error(
            code,
            at,
            f"{step} sets {one} but its group already sets {group}",
            "remove it from the step, or from the group and give each of its steps its own",
        )

    def _shared(self, fields: Fields, ordinal: str, above: Above) -> dict[str, Any]:
        # A group's own services are for its steps: it fails as one, and for none of them.
        service = fields.get(k.SERVICE) or above.service
        below = Above(service=service, services=above.services, on_fail=True)
        handlers = fields.get(k.ON_FAIL)
        entries = self.steps(handlers, f"{ordinal}.on_fail.", below) if handlers else ()
        return {
            "place": fields.node.place,
            "places": dict(places_below(fields.node, without=_NESTED)),
            "ordinal": ordinal,
            "name": fields.get(k.NAME) or None,
            "tag": fields.get(k.TAG),
            "exclude": fields.get(k.EXCLUDE),
            "service": fields.get(k.SERVICE) or None,
            "credentials": credentials(fields),
            "on_fail": tuple(entry for entry in entries if isinstance(entry, RunEntry)),
        }

    def _run(self, fields: Fields, shared: dict[str, Any]) -> RunEntry:
        command, node = fields.get(k.COMMAND), fields.at(k.COMMAND)
        if command is not None and not any(command):
            self.report.error(
                codes.EMPTY_COMMAND,
                node,
                f"{label(shared['name'], shared['ordinal'])} has an empty command",
                'to do nothing, write "command: /bin/true" where the image has it',
            )
        elif k.COMMAND not in fields:
            message = f"{label(shared['name'], shared['ordinal'])} has no command"
            fields.missing(self.report, codes.NO_COMMAND, message, 'add "command: ..."', k.COMMAND)
        text = node.text if isinstance(node, Scalar) else " ".join(command or ())
        return RunEntry(**shared, command=command or (), text=text)

    def _push(self, fields: Fields, shared: dict[str, Any]) -> PushEntry:
        name = fields.get(k.IMAGE_NAME)
        if not name and (k.IMAGE_NAME not in fields or name == ""):
            message = f"push {label(shared['name'], shared['ordinal'])} has no image_name"
            if name == "":
                hint = 'write "image_name: [registry/]owner/name"'
                self.report.error(codes.NO_IMAGE_NAME, fields.at(k.IMAGE_NAME), message, hint)
            else:
                hint = 'add "image_name: [registry/]owner/name"'
                fields.missing(self.report, codes.NO_IMAGE_NAME, message, hint, k.IMAGE_NAME)
        if fields.get(k.IMAGE_TAG) == ():  # never silently latest (P-13)
            message = f"image_tag of {label(shared['name'], shared['ordinal'])} is empty"
            hint = 'name at least one tag: "- TAG"; without the key it is latest'
            self.report.error(codes.EMPTY_VALUE, fields.at(k.IMAGE_TAG), message, hint)
        return PushEntry(
            **shared,
            image_name=name or "",
            image_tags=fields.or_else(k.IMAGE_TAG, ()),
            registry=fields.get(k.REGISTRY),
            eager=fields.or_else(k.EAGER, False),
        )

    def _group(
        self, fields: Fields, shared: dict[str, Any], kind: GroupKind, above: Above
    ) -> GroupEntry:
        if kind is GroupKind.MATRIX:
            self.report.warning(
                codes.MATRIX,
                fields.at(k.TYPE),
                "type matrix is deprecated",
                "write type parallel; with services it does the same",
            )
        nodes = fields.get(k.STEPS)
        if k.STEPS not in fields or (nodes is not None and not nodes.items):
            message = f"{label(shared['name'], shared['ordinal'])} is a group without steps"
            hint = 'add "steps:" and below it the steps'
            fields.missing(self.report, codes.NO_STEPS, message, hint, k.STEPS, harmless=True)
        below = Above(
            service=shared["service"] or above.service,
            services=above.services or k.SERVICES in fields,
        )
        if k.SERVICE in fields and below.service is None:
            below = replace(below, services=True)  # a wrong one is told already
        prefix = f"{shared['ordinal']}."
        return GroupEntry(
            **shared,
            kind=kind,
            services=fields.or_else(k.SERVICES, ()),
            steps=tuple(self.steps(nodes, prefix, below)) if nodes else (),
        )
