"""Services as steps start them: order, aliases, absolute paths (spec section 2)."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from longshore.config.model import Condition
from longshore.engine.spec import Mount

from .conftest import Compile, Examine


def test_everything_needed_is_started_before_what_needs_it_each_once(compile_: Compile) -> None:
    plan = compile_("""
        app: {image: a, depends_on: [web, db]}
        web: {image: a, links: ["cache:c"], volumes_from: [data]}
        db: {image: a, depends_on: [data]}
        cache: {image: a}
        data: {image: a}
    """)
    order = plan.services["app"].start_order
    assert sorted(order) == ["cache", "data", "db", "web"]
    for name in order:
        needed = [d.service for d in plan.services[name].dependencies]
        assert all(order.index(n) < order.index(name) for n in needed)
    assert plan.services["data"].start_order == ()


def test_two_aliases_of_one_link_are_one_container_with_both(compile_: Compile) -> None:
    plan = compile_("""
        lb: {image: a, links: ["app:app1", "app:app2", db]}
        app: {image: a}
        db: {image: a}
    """)
    found = {d.service: d.aliases for d in plan.services["lb"].dependencies}
    assert found == {"app": ("app1", "app2"), "db": ("db",)}
    assert plan.services["lb"].start_order == ("app", "db")


def test_conditions_of_depends_on_are_kept(compile_: Compile) -> None:
    plan = compile_("""
        app:
          image: a
          depends_on: {db: {condition: service_healthy}, cache: {condition: service_started}}
        db: {image: a}
        cache: {image: a}
    """)
    found = {d.service: d.condition for d in plan.services["app"].dependencies}
    assert found == {"db": Condition.HEALTHY, "cache": Condition.STARTED}


def test_paths_are_absolute_against_the_services_file(compile_: Compile, tmp_path: Path) -> None:
    plan = compile_("""
        app:
          image: a
          env_file: [one.env, ./sub/two.env]
          encrypted_env_file: secret.env
          volumes: ["./tmp/:/tmp:ro,z", "/data"]
          encrypted_dockercfg_path: dockercfg
    """)
    app, root = plan.services["app"], tmp_path.resolve()
    assert app.env_files == (root / "one.env", root / "sub/two.env")
    assert app.encrypted_env_files == (root / "secret.env",)
    assert app.mounts == (
        Mount(host=str(root / "tmp"), container="/tmp", read_only=True, modes=("z",)),
        Mount(host=None, container="/data", read_only=False),
    )
    assert app.credentials.encrypted_dockercfg_path == str(root / "dockercfg")


def test_a_chain_of_three_thousand_services_is_ordered_fast_and_without_recursion(
    compile_: Compile,
) -> None:
    links = "".join(f"s{n}: {{image: a, depends_on: [s{n + 1}]}}\n" for n in range(3000))
    began = time.process_time()
    plan = compile_(links + "s3000: {image: a}\n")
    assert time.process_time() - began < 5
    assert plan.services["s0"].start_order == tuple(f"s{n}" for n in range(3000, 0, -1))


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("image: a, env_file: loop", ["LS016"]),
        ("image: a, encrypted_env_file: loop", ["LS016"]),
        ("image: a, encrypted_dockercfg_path: loop", ["LS016"]),
        ("image: a, dockercfg_path: loop", ["LS016"]),
        ("image: a, volumes: ['./loop:/data']", []),
        ("build: loop", ["LS016"]),
        ("build: {dockerfile: loop}", ["LS016"]),
        ("build: {context: loop}", ["LS016"]),
        ("build: {context: ., encrypted_args_file: loop}", ["LS016"]),
    ],
)
def test_a_loop_of_links_is_a_file_that_does_not_exist(
    examine: Examine, tmp_path: Path, keys: str, told: list[str]
) -> None:
    (tmp_path / "loop").symlink_to("loop")
    found = examine(f"app: {{{keys}}}", "- {service: app, command: ls}")
    assert found.plan is not None
    assert [problem.code for problem in found.problems] == told
