"""The names of a run's containers (spec I-21)."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

from longshore.run.liveness import ProcessIdentity
from longshore.run.scope import RunScope
from longshore.testing.scene import Scene

SCOPE = RunScope(project=Path(), process=ProcessIdentity.of_this_process(), id="1234abcd")


def test_a_name_is_that_of_service_and_step_without_what_engines_forbid() -> None:
    assert SCOPE.container_name("app", "unit tests", "1.2") == "jet-app-unittests-1234abcd.1.2"
    assert SCOPE.container_name("my app", "a", "1").startswith("jet-myapp-a-1234abcd.1")


def test_services_that_differ_in_what_engines_forbid_have_names_that_differ() -> None:
    long = "x" * 200
    services = (
        "a b",
        "ab",
        "a/b",
        "\u65e5\u672c",
        "\u4e2d\u56fd",
        "",
        long,
        long + "y",
        "a" + long,
    )
    names = [SCOPE.container_name(service, "s", "1") for service in services]
    assert all(one != other for one, other in combinations(names, 2))
    assert all(re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+", name) for name in names)


async def test_such_services_start_in_one_step(scene: Scene) -> None:
    services = '{"a b": {image: busybox, depends_on: [ab]}, ab: {image: busybox}}'
    ran = await scene.run(services, "[{service: a b, command: x}]")
    assert ran.result.passed
