"""The JSON of a plan is what its schema says, field by field, and holds no values."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from longshore.commands.project import ProjectChoice, examined
from longshore.config.credential_keys import CredentialKeys
from longshore.errors import UsageError
from longshore.plan.facts import BuildFacts
from longshore.plan.model import runnable
from longshore.plan.selection import Selection
from longshore.report.plan_facts import PlanView
from longshore.report.plan_json import VERSION, plan_json, plan_value
from longshore.report.plan_text import plan_text
from longshore.report.style import Style

from .conftest import view

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs/reference/plan.schema.json").read_text(encoding="utf-8")
)
CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus" / "repos"
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
FULL = Selection(tag="master", push=True, approve=True)


def test_the_schema_is_one_and_has_the_version_of_the_program() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["version"]["const"] == VERSION


@pytest.mark.parametrize("chosen", [Selection(), FULL], ids=["plain", "full"])
def test_a_plan_is_what_the_schema_says(project: Path, chosen: Selection) -> None:
    VALIDATOR.validate(json.loads(plan_json(view(project, chosen))))


def test_every_public_plan_is_what_the_schema_says() -> None:
    if not CORPUS.is_dir():
        pytest.skip("the corpus of public files is not on this machine")
    seen = 0
    for path in sorted(CORPUS.rglob("codeship-steps.yml")):
        choice = ProjectChoice(directory=path.parent)
        plan = examined(choice, BuildFacts(branch="b", commit_id="c"), FULL).plan
        if plan is not None:
            VALIDATOR.validate(plan_value(PlanView(plan)))
            seen += 1
    assert seen > 50


def test_no_field_is_described_without_a_description_or_left_optional() -> None:
    for definition in (SCHEMA, *SCHEMA["$defs"].values()):
        properties = definition.get("properties", {})
        assert set(definition.get("required", [])) == set(properties)
        assert all(field.get("description") for field in properties.values())


def test_values_are_not_in_it(project: Path) -> None:
    assert "hidden-value" not in plan_json(view(project, FULL))


def test_what_a_step_starts_needs_and_logs_in_with(project: Path) -> None:
    value = plan_value(view(project, FULL))
    unit, both, publish, _ = value["steps"]
    assert unit["starts"] == ["db", "app"]
    assert unit["images"] == ["postgres:9.6", "me/app:latest"]
    assert unit["credentials"] == [
        {"key": "encrypted_dockercfg_path", "name": "db.dockercfg", "named_by": "service"}
    ]
    assert both["steps"][0]["on_fail"][0]["command"] == ["tell", "me"]
    assert publish["targets"] == ["quay.io/a/b:main"]
    assert publish["registry"] == "quay.io"
    assert publish["credentials"] == [
        {"key": "dockercfg_service", "name": "gen", "named_by": "step"}
    ]


def test_a_step_below_a_skipped_group_does_not_run_though_nothing_skips_itself(
    project: Path,
) -> None:
    group = plan_value(view(project, Selection()))["steps"][1]
    assert (group["runs"], bool(group["skipped"])) == (False, True)
    assert (group["steps"][0]["runs"], group["steps"][0]["skipped"]) == (False, None)


def test_images_say_who_builds_them_and_who_needs_them_first(project: Path) -> None:
    images = {
        (image["name"], image["action"]): image
        for image in plan_value(view(project, Selection()))["images"]
    }
    built = images["me/app:latest", "build"]
    assert (built["services"], built["first_step"]) == (["app"], "1")
    assert built["arguments"] == ["TOKEN"]
    assert images["me/app:latest", "use"]["built_by"] == "app"
    assert images["generator:latest", "pull"]["first_step"] is None


@pytest.mark.parametrize("draw", [plan_json, lambda view: plan_text(view, Style())])
def test_a_flag_that_names_no_service_is_told(
    project: Path, draw: Callable[[PlanView], object]
) -> None:
    seen = view(project, FULL, CredentialKeys(dockercfg_service="gem"))
    with pytest.raises(UsageError, match='there is no service "gem"; did') as caught:
        draw(seen)
    assert "--dockercfg-service" in str(caught.value.hint)


def test_a_chain_of_images_built_from_each_other_is_shown(project: Path) -> None:
    """Each is told after those it starts from, however many they are (I-7)."""
    for number in range(1200):
        (project / f"D{number}").write_text(f"FROM i{number + 1}\n")
    services = (f"s{n}: {{build: {{image: i{n}, dockerfile: D{n}}}}}\n" for n in range(1200))
    (project / "codeship-services.yml").write_text("".join(services))
    (project / "codeship-steps.yml").write_text("- {service: s0, command: x}\n")
    plan = view(project, FULL)
    (step,) = runnable(plan.plan.root)
    names = [str(plan.plan.images[key].name) for key in plan.images(step)]
    assert names == [f"i{number}:latest" for number in range(1199, -1, -1)]
