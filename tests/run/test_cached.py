"""``cached: true`` on the scriptable engine (spec S-51, 9.6: H-20, H-21)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from longshore.engine.spec import BuildSpec
from longshore.errors import EngineError, EnginePushFailed, PullFailed, UsageError
from longshore.run.events import Notice
from longshore.run.image_cache import CachePlace
from longshore.run.images import ImageOptions
from longshore.run.outcome import Passed
from longshore.testing.engine import FakeEngine
from longshore.testing.engine_script import FakeImage
from longshore.testing.scene import Ran, Scene

SERVICES = """
app:
  build: .
  cached: true
"""
STEPS = """
- name: test
  service: app
  command: ls
"""

BOTH = STEPS + "- {name: second, service: b, command: ls}\n"


@pytest.fixture
def cached(scene: Scene) -> Scene:
    """A project whose one service is cached in ``registry.test/cache``, on branch ``topic``."""
    (scene.directory / "Dockerfile").write_text("FROM scratch\n")
    use(scene, "topic")
    return scene


def use(scene: Scene, branch: str | None, **settings: bool) -> None:
    place = CachePlace.at("registry.test/cache", branch)
    scene.image_options = ImageOptions(cache=place, **settings)


def holding(*names: str) -> Callable[[FakeEngine], None]:
    """A registry that has these images."""

    def prepare(engine: FakeEngine) -> None:
        engine.pullable.update({name: FakeImage(salt="cached " + name) for name in names})

    return prepare


def calls(ran: Ran, method: str) -> list[str]:
    return [call.subject for call in ran.engine.calls if call.method == method]


def built(ran: Ran) -> BuildSpec:
    specs = [call.detail for call in ran.engine.calls if call.method == "build"]
    assert len(specs) == 1
    assert isinstance(specs[0], BuildSpec)
    return specs[0]


def notices(ran: Ran) -> list[str]:
    return [event.text for event in ran.events if isinstance(event, Notice)]


async def test_the_first_build_asks_branch_then_default_and_becomes_the_branchs_cache(
    cached: Scene,
) -> None:
    ran = await cached.run(SERVICES, STEPS)
    assert calls(ran, "pull") == [
        "registry.test/cache:app-topic",
        "registry.test/cache:app-master",
    ]
    assert built(ran).cache_from == ()
    assert list(ran.engine.pushed) == ["registry.test/cache:app-topic"]
    assert notices(ran) == []


async def test_the_branchs_own_cache_is_used_first(cached: Scene) -> None:
    cached.prepare = holding("registry.test/cache:app-topic", "registry.test/cache:app-master")
    ran = await cached.run(SERVICES, STEPS)
    assert calls(ran, "pull") == ["registry.test/cache:app-topic"]
    assert built(ran).cache_from == ("registry.test/cache:app-topic",)


async def test_default_cache_branch_stands_in_for_a_new_branch(cached: Scene) -> None:
    cached.prepare = holding("registry.test/cache:app-main")
    services = SERVICES + "  default_cache_branch: main\n"
    ran = await cached.run(services, STEPS)
    assert built(ran).cache_from == ("registry.test/cache:app-main",)
    assert list(ran.engine.pushed) == ["registry.test/cache:app-topic"]


@pytest.mark.parametrize(
    ("branch", "default", "names"),
    [
        ("feature/x y", None, ["app-featurexy", "app-master"]),
        (None, None, ["app-master"]),
        (None, "main", ["app-main"]),
        ("main", "main", ["app-main"]),
    ],
)
async def test_branches_become_tags(
    cached: Scene, branch: str | None, default: str | None, names: list[str]
) -> None:
    use(cached, branch)
    services = SERVICES + (f"  default_cache_branch: {default}\n" if default else "")
    ran = await cached.run(services, STEPS)
    assert calls(ran, "pull") == [f"registry.test/cache:{name}" for name in names]
    assert list(ran.engine.pushed) == [f"registry.test/cache:{names[0]}"]


async def test_what_is_cached_already_is_not_pushed_again(cached: Scene) -> None:
    plan = cached.plan(SERVICES, STEPS)
    first = await cached.run_plan(plan)
    image = first.engine.images["registry.test/cache:app-topic"]

    def prepare(engine: FakeEngine) -> None:
        engine.pullable["registry.test/cache:app-topic"] = image

    cached.prepare = prepare
    second = await cached.run_plan(plan)
    assert built(second).cache_from == ("registry.test/cache:app-topic",)
    assert second.engine.pushed == {}


async def test_a_used_machines_own_layers_count_beside_the_caches(cached: Scene) -> None:
    mine = FakeImage(salt="built here")

    def prepare(engine: FakeEngine) -> None:
        holding("registry.test/cache:app-topic")(engine)
        project = cached.directory.name.lower()
        engine.images.update(dict.fromkeys((f"{project}_app:latest", "app:latest"), mine))
        engine.images[str(next(iter(plan.images.values())).name)] = mine

    plan = cached.plan(SERVICES, STEPS)
    cached.prepare = prepare
    ran = await cached.run_plan(plan)
    assert built(ran).cache_from == ("registry.test/cache:app-topic", mine.id)


async def test_no_cache_uses_no_layers_but_renews_the_cache(cached: Scene) -> None:
    use(cached, "topic", no_cache=True)
    cached.prepare = holding("registry.test/cache:app-topic")
    ran = await cached.run(SERVICES, STEPS)
    assert calls(ran, "pull") == []
    assert list(ran.engine.pushed) == ["registry.test/cache:app-topic"]


@pytest.mark.parametrize(
    ("method", "failure"),
    [
        ("pull", PullFailed("no basic auth credentials")),
        ("push", EnginePushFailed("the disk is full")),
        ("tag", EngineError("no")),
    ],
)
async def test_trouble_with_the_cache_is_a_notice_and_no_failure(
    cached: Scene, method: str, failure: EngineError
) -> None:
    cached.prepare = lambda engine: engine.failures.update({method: [failure]})
    ran = await cached.run(SERVICES, STEPS)
    assert ran.outcomes["test"] == Passed()
    assert len(notices(ran)) == 1
    assert failure.message in notices(ran)[0]


async def test_a_builder_that_keeps_caches_is_left_to_do_so(cached: Scene) -> None:
    cached.prepare = lambda engine: setattr(engine, "keeps_caches", True)
    ran = await cached.run(SERVICES, STEPS)
    names = ("registry.test/cache:app-topic", "registry.test/cache:app-master")
    assert built(ran).cache_from == names
    assert built(ran).cache_to == names[0]
    assert calls(ran, "pull") == []
    assert ran.engine.pushed == {}


async def test_without_a_registry_cached_is_ignored_with_one_notice(scene: Scene) -> None:
    for name in ("a", "b"):
        (scene.directory / name).mkdir()
        (scene.directory / name / "Dockerfile").write_text(f"FROM scratch\nLABEL n={name}\n")
    services = "a: {build: a, cached: true}\nb: {build: b, cached: true}\n"
    steps = "- {service: a, command: x, name: x}\n- {service: b, command: y, name: y}\n"
    ran = await scene.run(services, steps)
    assert notices(ran) == ['"cached" of service "a" is ignored without --cache-registry']
    assert ran.engine.pushed == {}


@pytest.mark.parametrize(("default", "used"), [(None, "master"), ("main", "main")])
async def test_where_no_branch_is_known_that_is_told_once(
    cached: Scene, default: str | None, used: str
) -> None:
    """A checkout on no branch, as CI makes it, must not take part in another's cache unseen."""
    use(cached, None)
    services = SERVICES + (f"  default_cache_branch: {default}\n" if default else "")
    ran = await cached.run(
        services + "b: {build: {context: ., args: {x: y}}, cached: true}\n", BOTH
    )
    told = [text for text in notices(ran) if "no branch is known" in text]
    assert told == [
        f'no branch is known, so the image cache of branch "{used}" is used and renewed; '
        "name the branch with --ci-branch"
    ]


async def test_services_that_are_not_cached_stay_out(cached: Scene) -> None:
    ran = await cached.run("app: {build: .}\n", STEPS)
    assert calls(ran, "pull") == []
    assert ran.engine.pushed == {}


@pytest.mark.parametrize("text", ["", "UPPER", "registry.test/cache:tag", "a b"])
def test_what_is_no_repository_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--cache-registry"):
        CachePlace.at(text, None)
