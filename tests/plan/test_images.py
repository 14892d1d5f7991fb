"""Which images are built or pulled, under which names, and what waits for what (spec section 3)."""

from __future__ import annotations

from pathlib import Path

import pytest

from longshore.config.credential_keys import CredentialKeys
from longshore.plan.facts import BuildFacts
from longshore.plan.logins import Asker
from longshore.plan.model import BuildPlan, ImagePlan, Plan, PullPlan

from .conftest import Compile, Examine


def image(plan: Plan, service: str) -> ImagePlan:
    return plan.images[plan.services[service].image]


def build(plan: Plan, service: str) -> BuildPlan:
    found = image(plan, service)
    assert isinstance(found, BuildPlan)
    return found


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("app", "codeship_app:latest"),
        ("My_App", "codeship_my_app:latest"),
        ("web.codeship.com", "codeship_web.codeship.com:latest"),
        ("to-do", "codeship_to-do:latest"),
        ("a b", "codeship_a_b:latest"),
        ("a  b", "codeship_a__b:latest"),
        ("a--b", "codeship_a--b:latest"),
        ("a__b", "codeship_a__b:latest"),
        ("a___b", "codeship_a_b:latest"),
        ("a-_b..c", "codeship_a_b_c:latest"),
        ("_x_", "codeship__x:latest"),
        ("__x", "codeship_x:latest"),
        ("-x", "codeship_x:latest"),
        ("\u00e9t\u00e9", "codeship__t:latest"),
        ("---", "codeship_service:latest"),
    ],
)
def test_a_build_without_a_name_is_called_after_its_service(
    compile_: Compile, service: str, name: str
) -> None:
    plan = compile_(f'"{service}": {{build: .}}')
    assert str(image(plan, service).name) == name


def test_names_that_differ_in_what_registries_allow_do_not_collide(compile_: Compile) -> None:
    services = ("a--b", "a_b", "a__b", "a-b", "a.b", "_x", "x")
    plan = compile_("".join(f"{service}: {{build: .}}\n" for service in services))
    assert len({str(image(plan, service).name) for service in services}) == len(services)


def test_equal_builds_are_one_image_and_different_ones_of_one_name_are_two(
    compile_: Compile,
) -> None:
    plan = compile_("""
        a: {build: {image: x, context: .}}
        b: {build: {image: x, path: ./}}
        c: {build: {image: x, dockerfile: ./Dockerfile}}
        d: {build: {image: x, args: {V: "1"}}}
        e: {build: {image: y}}
    """)
    keys = {name: service.image for name, service in plan.services.items()}
    assert keys["a"] == keys["b"] == keys["c"]
    assert len({keys["a"], keys["d"], keys["e"]}) == 3


@pytest.mark.parametrize("args", ["[GIVEN, MISSING]", "{GIVEN: , MISSING: }"])
def test_an_argument_without_a_value_is_the_hosts_or_left_out(compile_: Compile, args: str) -> None:
    """As in compose, so that the Dockerfile's own default counts (I-14, S-20)."""
    facts = BuildFacts(host={"GIVEN": "{{of the host}}"})
    plan = compile_(f"app: {{build: {{args: {args}}}}}", facts=facts)
    assert build(plan, "app").arguments == (("GIVEN", "{{of the host}}"),)


def test_an_argument_with_an_empty_text_is_empty(compile_: Compile) -> None:
    plan = compile_('app: {build: {args: [A=, "B="]}}', facts=BuildFacts(host={"A": "a"}))
    assert build(plan, "app").arguments == (("A", ""), ("B", ""))


def test_a_base_image_may_be_named_by_an_argument_of_the_host(
    compile_: Compile, project: Path
) -> None:
    (project / "Dockerfile.app").write_text("ARG BASE=busybox\nFROM ${BASE}\n")
    plan = compile_(
        """
        base: {build: {image: base}}
        app: {build: {dockerfile: Dockerfile.app, args: [BASE]}}
        """,
        facts=BuildFacts(host={"BASE": "base"}),
    )
    assert build(plan, "app").builds_first == (plan.services["base"].image,)


def test_of_services_that_share_an_image_the_needed_one_then_the_step_give_the_credentials(
    compile_: Compile,
) -> None:
    """S-53."""
    plan = compile_("""
        a: {image: quay.io/x/y, dockercfg_path: of-a}
        b: {image: "quay.io/x/y:latest", dockercfg_path: of-b}
        c: {image: quay.io/x/y}
    """)
    shared = image(plan, "c")

    def chain(*services: str) -> list[str]:
        asker = Asker(services, (CredentialKeys(dockercfg_path="of-step"),))
        return [Path(keys.dockercfg_path or "").name for keys in asker.login_chain(shared)]

    assert chain("a") == ["of-a", "of-step", "of-b"]
    assert chain("b") == ["of-b", "of-step", "of-a"]
    assert chain("c") == ["of-step", "of-a", "of-b"]
    assert chain("a", "c") == ["of-a", "of-step", "of-b"]
    assert chain("built from it") == ["of-a", "of-b", "of-step"]


def test_an_image_a_sibling_builds_is_not_pulled(compile_: Compile) -> None:
    plan = compile_("""
        app: {build: {image: me/app}}
        same: {image: "me/app:latest"}
        other: {image: "me/app:2"}
    """)
    same, other = image(plan, "same"), image(plan, "other")
    assert isinstance(same, PullPlan)
    assert isinstance(other, PullPlan)
    assert same.built_by == plan.services["app"].image
    assert other.built_by is None


def test_a_build_waits_for_siblings_it_starts_from_or_copies_from(
    compile_: Compile, tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile.top").write_text(
        "from --platform=linux/amd64 me/base as base\n"
        "FROM scratch\nCOPY --chown=1 --from=me/tools /a /b\nCOPY --from=base /c /d\n"
    )
    plan = compile_("""
        base: {build: {image: me/base}}
        tools: {build: {image: me/tools, args: {A: b}}}
        top: {build: {image: me/top, dockerfile: Dockerfile.top}}
    """)
    waits = [plan.images[key].service for key in build(plan, "top").builds_first]
    assert waits == ["base", "tools"]


def test_a_build_waits_for_the_sibling_that_its_arguments_name(
    compile_: Compile, tmp_path: Path
) -> None:
    (tmp_path / "Top").write_text("ARG BASE=alpine\nFROM $BASE\n")
    plan = compile_("""
        base: {build: {image: me/base}}
        top: {build: {image: me/top, dockerfile: Top, args: {BASE: me/base}}}
        other: {build: {image: me/other, dockerfile: Top}}
    """)
    waits = {
        s: [plan.images[k].service for k in build(plan, s).builds_first] for s in ("top", "other")
    }
    assert waits == {"top": ["base"], "other": []}


def test_builds_that_start_from_each_other_wait_one_way_only(
    compile_: Compile, tmp_path: Path
) -> None:
    (tmp_path / "A").write_text("FROM me/b\n")
    (tmp_path / "B").write_text("FROM me/a\n")
    plan = compile_("""
        a: {build: {image: me/a, dockerfile: A}}
        b: {build: {image: me/b, dockerfile: B}}
    """)
    waits = {s: [plan.images[k].service for k in build(plan, s).builds_first] for s in "ab"}
    assert waits == {"a": [], "b": ["a"]}


def test_a_dockerfile_outside_its_context_is_used_and_told(
    examine: Examine, tmp_path: Path
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "Dockerfile.x").write_text("FROM scratch\n")
    steps = "- {service: app, command: a}"
    found = examine("app: {build: {context: sub, dockerfile: Dockerfile.x}}", steps)
    assert found.plan is not None
    assert build(found.plan, "app").dockerfile == (tmp_path / "Dockerfile.x").resolve()
    assert build(found.plan, "app").context == (tmp_path / "sub").resolve()
    assert [p.code for p in found.problems] == ["LS094"]


def test_a_dockerfile_of_the_context_comes_first(compile_: Compile, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/Dockerfile.x").write_text("FROM scratch\n")
    (tmp_path / "Dockerfile.x").write_text("FROM scratch\n")
    plan = compile_("app: {build: {context: sub, dockerfile: Dockerfile.x}}")
    assert build(plan, "app").dockerfile == (tmp_path / "sub/Dockerfile.x").resolve()


def test_arguments_are_expanded_with_the_service_and_its_image(compile_: Compile) -> None:
    plan = compile_(
        """
        app:
          build:
            image: me/app
            args:
              A: "{{.Branch}}-{{ .ServiceName }}-{{.ImageName}}"
              B: "{{.Ci}}"
              C: plain
              D: "{{.CommitID}}"
        """,
        facts=BuildFacts(branch="b"),
    )
    assert build(plan, "app").arguments == (
        ("A", "b-app-me/app"),
        ("B", "true"),
        ("C", "plain"),
        ("D", ""),
    )
