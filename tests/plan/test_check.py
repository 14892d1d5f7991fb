"""Templates and patterns are judged wherever they stand, whatever else is wrong (T-30, P-16)."""

from __future__ import annotations

import pytest

from .conftest import Examine

ONE = "app: {image: busybox}\n"


def told(
    examine: Examine, services: str, steps: str = "- {service: app, command: a}\n"
) -> list[tuple[str, str]]:
    return [(p.code, str(p)) for p in examine(services, steps).problems]


def test_templates_of_steps_that_are_skipped_are_judged_too(examine: Examine) -> None:
    found = told(examine, ONE, """
        - service: app
          tag: never
          steps:
          - {type: push, image_name: a/b, image_tag: "{{.Brunch}}"}
          - {type: push, image_name: a/b, image_tag: ["ok", "{{.Branch"]}
    """)  # fmt: skip
    assert [code for code, _ in found] == ["LS091", "LS090"]
    assert "there is no field .Brunch" in found[0][1]
    assert found[1][1].startswith("codeship-steps.yml:6:53: error: image_tag of step 1.2: ")


def test_templates_are_judged_beside_errors_of_another_kind(examine: Examine) -> None:
    found = told(
        examine,
        'app: {build: {context: ., args: {A: "{{.branch}}"}}}\n',
        "- {service: nobody, command: a, tag: '^('}\n",
    )
    assert [code for code, _ in found] == ["LS091", "LS064", "LS076"]


def test_a_fault_that_an_alias_repeats_is_told_once(examine: Examine) -> None:
    found = told(examine, ONE, """
        - &push {service: app, type: push, image_name: a/b, image_tag: "{{.Nope}}"}
        - *push
        - {type: serial, steps: [*push, *push]}
    """)  # fmt: skip
    assert [code for code, _ in found] == ["LS091"]


def test_a_step_multiplied_by_services_has_its_fault_once(examine: Examine) -> None:
    found = told(examine, ONE + "db: {image: busybox}\n", """
        - type: parallel
          services: [app, db]
          steps: [{type: push, image_name: a/b, image_tag: "{{.Nope}}"}]
    """)  # fmt: skip
    assert [code for code, _ in found] == ["LS091"]


@pytest.mark.parametrize("text", ["'///'", "'{{/* nothing */}}'", "'{{\"-\"}}'"])
def test_a_fixed_tag_of_which_nothing_remains_is_an_error_in_every_run(
    examine: Examine, text: str
) -> None:
    found = told(
        examine, ONE, f"- {{service: app, type: push, image_name: a/b, image_tag: {text}}}"
    )
    assert [code for code, _ in found] == ["LS092"]


def test_the_step_is_no_field_of_a_build_argument(examine: Examine) -> None:
    found = told(examine, 'app: {build: {context: ., args: {A: "{{.StepName}}"}}}\n')
    assert [code for code, _ in found] == ["LS091"]
    assert 'argument "A" of service "app": ' in found[0][1]


@pytest.mark.parametrize("key", ["tag", "exclude"])
def test_a_pattern_re2_cannot_read_is_warned_about_once(examine: Examine, key: str) -> None:
    found = told(examine, ONE, f"- {{service: app, command: a, {key}: '^(?!master).*$'}}")
    assert [code for code, _ in found] == ["LS076"]
    assert f'warning: {key} "^(?!master).*$" never matches' in found[0][1]


def test_a_pattern_without_anchor_is_warned_about_once(examine: Examine) -> None:
    found = told(examine, ONE, r"- {service: app, command: a, tag: '(\d+(\.\d+)+)'}")
    assert [code for code, _ in found] == ["LS075"]


def test_an_argument_that_changes_in_every_build_is_warned_about_once(examine: Examine) -> None:
    found = told(examine, 'app: {build: {context: ., args: {A: "{{.StringTime}}"}}}\n')
    assert [code for code, _ in found] == ["LS047"]


def test_on_fail_is_judged_too(examine: Examine) -> None:
    steps = "- {service: app, command: a, on_fail: [{command: b, tag: '^['}]}"
    assert [code for code, _ in told(examine, ONE, steps)] == ["LS076"]


@pytest.mark.parametrize(
    ("services", "code"),
    [
        ("app: {image: 'x/y:${TAG}'}\n", "LS036"),
        ("app: {build: {context: ., image: 'x/y:$TAG'}}\n", "LS036"),
        ("app: {image: 'x/y:{{.Branch}}'}\n", "LS027"),
    ],
)
def test_an_image_name_that_cannot_be_is_an_error_at_its_place(
    examine: Examine, services: str, code: str
) -> None:
    found = examine(services, "- {service: app, command: a}\n")
    assert found.plan is None
    assert [(p.code, p.severity.value, p.place.line) for p in found.problems] == [
        (code, "error", 1)
    ]


def test_a_default_dockerfile_elsewhere_does_not_count(examine: Examine) -> None:
    services = "app: {build: {context: sub}}\n"
    assert [code for code, _ in told(examine, services)] == ["LS016"]
