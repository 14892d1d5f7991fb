"""JSON Schemas (draft 2020-12) of the two files, made from the declarations of the keys.

They are for editors: they accept every file `longshore.config.load` finds no error in, except
that a number or boolean is taken where we take its text.
"""

from __future__ import annotations

from typing import Any

from longshore.config.build_keys import BUILD_KEYS
from longshore.config.keys import Key, Keys, Status
from longshore.config.service_keys import SERVICE_KEYS
from longshore.config.services import IGNORED_AT_TOP
from longshore.config.step_keys import GROUPS, PUSH, RUN, STEP_KEYS, TYPES

Schema = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def services_schema() -> Schema:
    """The schema of codeship-services.yml, in both of its forms (spec F-13)."""
    service: Schema = {"$ref": "#/$defs/service"}
    ignored: Schema = {name: {} for name in IGNORED_AT_TOP}
    nested = {
        "type": "object",
        "properties": {
            "services": {"type": "object", "additionalProperties": service},
            **ignored,
        },
        "patternProperties": {"^x-": {}},
        "required": ["services"],
    }
    flat = {
        "type": "object",
        "properties": ignored,
        "patternProperties": {"^x-": {}},
        "additionalProperties": service,
    }
    return {
        "$schema": _DIALECT,
        "title": "codeship-services.yml",
        "description": "Services: how the images of a pipeline are made and their containers run.",
        "if": {"required": ["services"], "properties": {"services": {"not": service}}},
        "then": nested,
        "else": flat,
        "$defs": {"service": _service(), "build": _object(BUILD_KEYS)},
    }


def steps_schema() -> Schema:
    """The schema of codeship-steps.yml."""
    return {
        "$schema": _DIALECT,
        "title": "codeship-steps.yml",
        "description": "Steps: what runs, in this order.",
        "type": ["array", "null"],
        "items": {"$ref": "#/$defs/step"},
        "$defs": {
            "step": {
                **_object(STEP_KEYS),
                "allOf": [
                    _needs([RUN], "command"),
                    _needs([PUSH], "image_name"),
                    _needs(sorted(GROUPS), "steps"),
                ],
                "anyOf": [{"required": [key]} for key in ("type", "command", "steps")],
            },
            "run": {
                **_object(STEP_KEYS, RUN),
                "required": ["command"],
            },
        },
    }


def _needs(types: list[str], key: str) -> Schema:
    of_type = {"properties": {"type": {"enum": types}}, "required": ["type"]}
    return {"if": of_type, "then": {"required": [key]}}


def _service() -> Schema:
    needed = [{"required": [key]} for key in ("build", "image", "dockerfile")]
    return {**_object(SERVICE_KEYS), "anyOf": needed}


def _object(keys: Keys, kind: str | None = None) -> Schema:
    properties = {
        key.name: _property(key) for key in keys.keys if kind is None or kind in key.steps
    }
    if kind is not None and "type" in properties:
        properties["type"] = {**properties["type"], "enum": [kind]}
    return {"type": "object", "properties": properties, "patternProperties": {"^x-": {}}}


def _property(key: Key[Any]) -> Schema:
    """A key may be left empty (a warning), so null is always possible."""
    shape = {} if key.status is Status.IGNORED else key.shape.schema()
    described: Schema = {"description": key.description, **_nullable(shape)}
    if key.status is not Status.SUPPORTED:
        described["deprecated"] = True
    return described


def _nullable(shape: Schema) -> Schema:
    if not shape or shape.get("enum") == list(TYPES):
        return shape
    if "anyOf" in shape:
        return {"anyOf": [*shape["anyOf"], {"type": "null"}]}
    if "type" in shape:
        types = shape["type"] if isinstance(shape["type"], list) else [shape["type"]]
        return {**shape, "type": [*types, "null"]}
    return shape
