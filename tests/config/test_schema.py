"""The JSON Schemas are valid, take what `load` takes, and refuse what editors should mark."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from longshore.commands.schema import SchemaOf, show_schema
from longshore.config.load import load
from longshore.config.node import Mapping, Node, Sequence
from longshore.config.problem import Problems, Severity
from longshore.config.schema import services_schema, steps_schema
from longshore.config.source import SourceText
from longshore.config.step_keys import STEP_KEYS
from longshore.config.yaml_source import read_yaml


def as_an_editor_sees(text: str) -> object:
    """The document with YAML's types; dates, which JSON has not, as texts."""
    root = read_yaml(SourceText("f", text), Problems())
    assert root is not None
    return _plain(root)


def _plain(node: Node) -> object:
    if isinstance(node, Sequence):
        return [_plain(item) for item in node.items]
    if isinstance(node, Mapping):
        return {key.text: _plain(value) for key, value in node.pairs}
    value = yaml.safe_load(node.text) if node.plain and len(node.text) < 6 else node.text
    return value if isinstance(value, bool | int | float | None) else node.text


@pytest.mark.parametrize("schema", [services_schema(), steps_schema()])
def test_the_schema_is_a_schema_and_every_key_is_described(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)
    for definition in schema["$defs"].values():
        for name, key in definition["properties"].items():
            assert key["description"].endswith("."), name


def test_every_public_file_without_errors_is_valid_by_the_schemas(corpus: Path) -> None:
    services, steps = Draft202012Validator(services_schema()), Draft202012Validator(steps_schema())
    checked = 0
    for path in sorted(corpus.rglob("*-services.yml")):
        other = path.with_name(path.name.replace("services", "steps"))
        found = load(path.parent, services_path=path.name, steps_path=other.name)
        if other.exists() and not any(p.severity is Severity.ERROR for p in found.problems):
            for file, validator in (path, services), (other, steps):
                document = as_an_editor_sees(file.read_text())
                errors = [error.message for error in validator.iter_errors(document)]
                assert errors == [], file
                checked += 1
    assert checked > 200


@pytest.mark.parametrize(
    ("schema", "document"),
    [
        (steps_schema(), [{"service": "app"}]),
        (steps_schema(), [{"service": "app", "type": "psh"}]),
        (steps_schema(), [{"service": "app", "type": "push"}]),
        (steps_schema(), [{"type": "parallel"}]),
        (steps_schema(), [{"service": ["app"], "command": "ls"}]),
        (steps_schema(), {"service": "app", "command": "ls"}),
        (services_schema(), {"app": {}}),
        (services_schema(), {"app": {"build": []}}),
        (services_schema(), {"services": {"app": {"image": "x", "volumes": "a"}}}),
        (services_schema(), {"app": {"image": "x", "add_docker": "maybe"}}),
    ],
)
def test_a_mistake_is_refused_by_the_schema(schema: dict[str, Any], document: object) -> None:
    assert not Draft202012Validator(schema).is_valid(document)


@pytest.mark.parametrize("key", STEP_KEYS.keys, ids=lambda key: key.name)
def test_the_example_of_a_step_key_is_valid_by_schema_and_loads(key: Any, tmp_path: Path) -> None:
    document = as_an_editor_sees(key.example)
    assert key.name in str(document)
    assert Draft202012Validator(steps_schema()).is_valid(document)
    names = ("app", "generator", "ruby2", "ruby3")
    services = "".join(f"{name}: {{image: busybox}}\n" for name in names)
    (tmp_path / "codeship-services.yml").write_text(services)
    (tmp_path / "codeship-steps.yml").write_text(key.example)
    found = load(tmp_path)
    assert found.project is not None, found.problems


def test_the_command_writes_the_schema_as_json() -> None:
    written: list[str] = []
    assert show_schema(of=SchemaOf.STEPS, out=written.append) == 0
    assert json.loads("".join(written)) == steps_schema()
