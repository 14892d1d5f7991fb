"""What cannot be removed keeps nothing else from being removed."""

from __future__ import annotations

from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from msgspec import field
from msgspec.structs import replace

from longshore.engine.spec import ContainerSpec, NetworkAttachment
from longshore.errors import Conflict, NoFreeNetwork
from longshore.run.janitor import INTERRUPT_GRACE, StepDebris, janitor
from longshore.run.liveness import Liveness, ProcessIdentity
from longshore.run.scope import RunScope
from longshore.run.sweep import sweep
from longshore.testing.engine import FakeEngine
from longshore.testing.engine_script import FakeImage, FakeProgram

IMAGE = "busybox:latest"


def _engine(*, ignores_term: bool = False) -> FakeEngine:
    engine = FakeEngine()
    endless = FakeProgram(until=anyio.Event(), ignores_term=ignores_term)
    engine.images[IMAGE] = FakeImage(program=endless)
    return engine


async def _running(engine: FakeEngine, name: str, network: str) -> str:
    spec = ContainerSpec(name=name, image=IMAGE, network=NetworkAttachment(network=network))
    container = await engine.create(spec)
    await engine.start(container)
    return container


async def test_a_network_a_stranger_has_joined_does_not_stop_the_next_start(tmp_path: Path) -> None:
    here = ProcessIdentity.of_this_process()
    liveness = Liveness(tmp_path, here)
    dead = RunScope(project=tmp_path, process=replace(here, boot="an earlier one"))
    async with _engine() as engine:
        joined = await engine.create_network("joined", dead.labels("1"))
        await engine.create_network("free", dead.labels("1"))
        await _running(engine, "stranger", joined)
        assert await sweep(engine, liveness) == 1
        assert list(engine.networks) == [joined]


async def test_a_network_that_stays_does_not_keep_the_containers_of_its_step() -> None:
    async with _engine() as engine:
        network = await engine.create_network("step", {})
        main, database = [await _running(engine, name, network) for name in ("main", "db")]
        await _running(engine, "stranger", network)
        async with janitor(engine, grace=0.1, keep=False) as clean_up:
            clean_up.dispose(StepDebris(main=main, dependencies=[database], network=network))
        assert [c.spec.name for c in engine.containers.values() if c.running] == ["stranger"]
        assert [type(lost) for lost in clean_up.lost] == [Conflict]


class Stuck(FakeEngine):
    """Never comes to an end with removing a container."""

    async def remove(self, container: str) -> None:
        await anyio.sleep_forever()


async def test_what_an_engine_does_not_finish_is_lost_and_the_network_is_tried_all_the_same() -> (
    None
):
    async with Stuck() as engine:
        engine.images[IMAGE] = FakeImage(program=FakeProgram(until=anyio.Event()))
        network = await engine.create_network("step", {})
        database = await _running(engine, "db", network)
        async with janitor(engine, grace=0.1, keep=False, margin=0.1) as clean_up:
            clean_up.dispose(StepDebris(dependencies=[database], network=network))
        assert "did not finish within 0.2 s" in str(clean_up.lost[0])
        assert not engine.networks
        engine.containers.clear()


class Slow(FakeEngine):
    """Removes one container after the other; each takes `pause` seconds."""

    pause: float = 0.05
    one: anyio.Lock = field(default_factory=anyio.Lock)

    async def remove(self, container: str) -> None:
        async with self.one:
            await anyio.sleep(self.pause)
            await super().remove(container)


async def _left_after_ctrl_c(engine: FakeEngine, silence: float) -> tuple[list[str], int]:
    """What was said of ten containers and a network that are removed, and how many stay."""
    engine.images[IMAGE] = FakeImage(program=FakeProgram(until=anyio.Event()))
    interrupted = anyio.Event()
    async with engine:
        network = await engine.create_network("step", {})
        ten = [await _running(engine, f"c{number}", network) for number in range(10)]
        with anyio.fail_after(5):
            async with janitor(
                engine, grace=0, keep=False, silence=silence, interrupted=interrupted
            ) as clean_up:
                clean_up.dispose(StepDebris(dependencies=ten, network=network))
                await anyio.wait_all_tasks_blocked()
                interrupted.set()
        left = sum(not container.removed for container in engine.containers.values())
        engine.containers.clear()
        engine.networks.clear()
    return [lost.message for lost in clean_up.lost], left


async def test_after_ctrl_c_an_engine_that_gets_nothing_done_is_given_up() -> None:
    """C-6."""
    said, left = await _left_after_ctrl_c(Stuck(), silence=0.1)
    assert said[0] == "the engine got nothing done within 0.1 s"
    assert left == 10


async def test_after_ctrl_c_an_engine_that_goes_on_may_take_its_time() -> None:
    assert await _left_after_ctrl_c(Slow(), silence=0.3) == ([], 0)


async def test_what_the_user_keeps_is_stopped_and_stays() -> None:
    async with _engine() as engine:
        network = await engine.create_network("step", {})
        main, database = [await _running(engine, name, network) for name in ("main", "db")]
        async with janitor(engine, grace=0.1, keep=True) as clean_up:
            clean_up.dispose(StepDebris(main=main, dependencies=[database], network=network))
        assert [(c.running, c.removed) for c in engine.containers.values()] == [(False, False)] * 2
        assert list(engine.networks) == [network]


async def _interrupted(*, before: bool) -> list[object]:
    """The graces that a dependency which ignores SIGTERM was given, of 60 seconds."""
    interrupted = anyio.Event()
    async with _engine(ignores_term=True) as engine:
        database = await _running(engine, "db", await engine.create_network("step", {}))
        if before:
            interrupted.set()
        async with janitor(engine, grace=60, keep=False, interrupted=interrupted) as clean_up:
            clean_up.dispose(StepDebris(dependencies=[database]))
            await anyio.wait_all_tasks_blocked()
            interrupted.set()
            await anyio.wait_all_tasks_blocked()
            await engine.kill(database)  # as the engine does when the grace is over
        assert clean_up.lost == []
        return [call.detail for call in engine.calls if call.method == "stop"]


async def test_an_interruption_cuts_the_grace_of_removals_under_way_and_of_later_ones() -> None:
    """C-6."""
    assert await _interrupted(before=False) == [60, INTERRUPT_GRACE]
    assert await _interrupted(before=True) == [INTERRUPT_GRACE]


async def test_what_is_secret_is_removed_even_where_the_user_keeps_containers() -> None:
    """A generated dockercfg lives until it is used (4.10)."""
    async with _engine() as engine:
        generator = await _running(engine, "generator", await engine.create_network("step", {}))
        async with janitor(engine, grace=0.1, keep=True) as clean_up:
            clean_up.dispose(StepDebris(main=generator), secret=True)
        assert [c.removed for c in engine.containers.values()] == [True]


@pytest.mark.parametrize("kept", [False, True])
async def test_only_networks_of_this_run_that_will_go_are_waited_for(kept: bool) -> None:
    async with _engine() as engine, janitor(engine, grace=0.1, keep=kept) as clean_up:
        engine.most_networks = 1
        if kept:
            await clean_up.network("ours", {})
        else:
            await engine.create_network("a stranger's", {})
        with pytest.raises(NoFreeNetwork), anyio.fail_after(5):
            await clean_up.network("one more", {})


async def test_a_network_that_has_gone_is_not_waited_for() -> None:
    async with _engine() as engine, janitor(engine, grace=0.1, keep=False) as clean_up:
        engine.most_networks = 1
        ours = await clean_up.network("ours", {})
        clean_up.dispose(StepDebris(network=ours))
        with anyio.fail_after(5):
            while engine.networks:
                await anyio.lowlevel.checkpoint()
        await engine.create_network("a stranger's", {})
        with pytest.raises(NoFreeNetwork), anyio.fail_after(5):
            await clean_up.network("one more", {})


async def test_a_container_that_has_ended_is_not_stopped() -> None:
    """It would take the engine's time at the end of every step."""
    async with _engine() as engine:
        main, database = [
            await _running(engine, name, await engine.create_network(name, {}))
            for name in ("main", "db")
        ]
        await engine.kill(main)
        async with janitor(engine, grace=0.1, keep=False) as clean_up:
            clean_up.dispose(StepDebris(main=main, main_ended=True, dependencies=[database]))
        stopped = [call.subject for call in engine.calls if call.method == "stop"]
        assert stopped == [database]
        assert all(container.removed for container in engine.containers.values())


@pytest.mark.parametrize("kept", [False, True])
async def test_what_the_steps_shared_stays_where_the_user_keeps_containers(kept: bool) -> None:
    """The volumes of --keep-volumes belong to containers that were never started."""
    async with _engine() as engine:
        shared = await engine.create(ContainerSpec(name="data", image=IMAGE))
        async with janitor(engine, grace=0.1, keep=kept) as clean_up:
            clean_up.at_the_end.append(shared)
        assert engine.containers[shared].removed is not kept
