"""The contract of the port: lives of containers, on every engine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
import anyio.lowlevel
import pytest
from msgspec.structs import replace

from longshore.engine.port import Engine
from longshore.engine.spec import Exit
from longshore.errors import Conflict, EngineError, NotFound, ProgramForbidden, ProgramMissing
from longshore.testing.engine_bench import Bench, created, first, lived
from longshore.testing.engine_script import FakeProgram, err, out


def _endless() -> FakeProgram:
    return FakeProgram(output=(out("up\n"),), until=anyio.Event())


async def _up(engine: Engine, container: str) -> None:
    async with engine.attach(container) as attachment:
        await engine.start(container)
        assert await first(aiter(attachment), lambda seen: b"up" in seen) == b"up\n"


ENDLESS = "echo up; exec sleep 1000"
STUBBORN = "trap '' TERM; echo up; while :; do sleep 1; done"


async def test_output_is_split_by_stream_and_the_exit_code_is_the_programs(bench: Bench) -> None:
    spec = bench.spec(
        "echo out; echo err >&2; exit 3",
        FakeProgram(output=(out("out\n"), err("err\n")), exit_code=3),
    )
    life = await lived(bench.engine, spec)
    assert (life.exit, life.out, life.err) == (Exit(code=3), b"out\n", b"err\n")
    assert await bench.gone()


async def test_output_written_before_the_first_read_is_not_lost(bench: Bench) -> None:
    spec = bench.spec("echo early", FakeProgram(output=(out("early\n"),)))
    engine = bench.engine
    async with created(engine, spec) as container, engine.attach(container) as attachment:
        await engine.start(container)
        await engine.wait(container)
        assert b"".join([chunk.data async for chunk in attachment]) == b"early\n"


async def test_ten_megabytes_of_output_arrive_exactly(bench: Bench) -> None:
    pieces = tuple(out("0123456789abcde\n" * 4096) for _ in range(160))
    spec = bench.spec("yes 0123456789abcde | head -n 655360", FakeProgram(output=pieces))
    life = await lived(bench.engine, spec)
    assert life.out == b"0123456789abcde\n" * 655360
    assert life.err == b""


async def test_a_terminal_has_one_stream(bench: Bench) -> None:
    spec = bench.spec(
        "echo -n out; sleep 0.1; echo -n err >&2", FakeProgram(output=(out("out"), err("err")))
    )
    life = await lived(bench.engine, replace(spec, tty=True))
    assert (life.out, life.err) == (b"outerr", b"")


async def test_input_reaches_the_program_and_its_end_too(bench: Bench) -> None:
    spec = replace(bench.spec("cat", FakeProgram(echoes=True)), stdin=True)
    async with created(bench.engine, spec) as container:
        async with bench.engine.attach(container, stdin=True) as attachment:
            await bench.engine.start(container)
            await attachment.write(b"hello ")
            await attachment.write(b"world")
            await attachment.close_input()
            assert b"".join([chunk.data async for chunk in attachment]) == b"hello world"
        assert await bench.engine.wait(container) == Exit(code=0)


async def test_how_a_container_ended_can_be_asked_again(bench: Bench) -> None:
    async with created(bench.engine, bench.spec(ENDLESS, _endless())) as container:
        await _up(bench.engine, container)
        await bench.engine.kill(container)
        assert await bench.engine.wait(container) == Exit(code=137)
        assert await bench.engine.wait(container) == Exit(code=137)


async def test_an_end_that_nobody_asked_for_is_seen_as_such_however_soon_it_comes(
    bench: Bench,
) -> None:
    spec = bench.spec("exit 3", FakeProgram(exit_code=3))
    async with created(bench.engine, spec) as container:
        await bench.engine.start(container)
        assert await bench.engine.witness(container) == Exit(code=3)


async def _witnessed(engine: Engine, container: str, act: Callable[[], Awaitable[None]]) -> Exit:
    ends: list[Exit] = []

    async def witness() -> None:
        ends.append(await engine.witness(container))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(witness)
        await act()
    return ends[0]


async def test_an_end_that_somebody_asked_for_is_told_even_if_the_program_ends_well(
    bench: Bench,
) -> None:
    spec = bench.spec("trap 'exit 143' TERM; echo up; while :; do sleep 0.1; done", _endless())
    async with created(bench.engine, spec) as container:
        await _up(bench.engine, container)
        seen = await _witnessed(
            bench.engine, container, lambda: bench.engine.stop(container, grace=10)
        )
        assert seen == Exit(code=143, stopped=True)


async def test_a_signal_that_ends_nothing_is_no_stop(bench: Bench) -> None:
    until = anyio.Event()
    fake = FakeProgram(output=(out("up\n"),), until=until, exit_code=4)
    shell = "trap 'exit 4' USR1; echo up; while :; do sleep 0.1; done"
    async with created(bench.engine, bench.spec(shell, fake)) as container:
        await _up(bench.engine, container)

        async def signal() -> None:
            await bench.engine.kill(container, "SIGUSR1")
            until.set()

        assert await _witnessed(bench.engine, container, signal) == Exit(code=4)


async def test_stop_lets_the_program_end_itself(bench: Bench) -> None:
    spec = bench.spec("trap 'exit 143' TERM; echo up; while :; do sleep 0.1; done", _endless())
    async with created(bench.engine, spec) as container:
        await _up(bench.engine, container)
        await bench.engine.stop(container, grace=10)
        assert await bench.engine.wait(container) == Exit(code=143)


async def test_stop_kills_after_the_grace(bench: Bench) -> None:
    fake = replace(_endless(), ignores_term=True)
    async with created(bench.engine, bench.spec(STUBBORN, fake)) as container:
        await _up(bench.engine, container)
        await bench.engine.stop(container, grace=0.5)
        assert await bench.engine.wait(container) == Exit(code=137)


async def test_many_waits_at_once_do_not_block_other_calls(bench: Bench) -> None:
    async with created(bench.engine, bench.spec(ENDLESS, _endless())) as container:
        await _up(bench.engine, container)
        ended: list[Exit] = []

        async def wait() -> None:
            ended.append(await bench.engine.wait(container))

        async with anyio.create_task_group() as tasks:
            for _ in range(200):
                tasks.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            await bench.engine.kill(container)
        assert ended == [Exit(code=137)] * 200


async def test_what_is_gone_can_be_stopped_killed_and_removed_again(bench: Bench) -> None:
    container = await bench.engine.create(bench.spec("true", FakeProgram()))
    await bench.engine.kill(container)
    await bench.engine.stop(container, grace=0)
    await bench.engine.remove(container)
    await bench.engine.remove(container)
    await bench.engine.kill(container)
    await bench.engine.stop(container, grace=0)
    assert await bench.gone()


async def test_removing_twice_at_once_is_fine(bench: Bench) -> None:
    container = await bench.engine.create(bench.spec(ENDLESS, _endless()))
    await _up(bench.engine, container)
    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(bench.engine.remove, container)
    assert await bench.gone()


async def test_a_container_removed_under_a_wait_is_not_found(bench: Bench) -> None:
    container = await bench.engine.create(bench.spec(ENDLESS, _endless()))
    await _up(bench.engine, container)

    async def wait() -> None:
        with pytest.raises(NotFound):
            await bench.engine.wait(container)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        await bench.engine.remove(container)
    with pytest.raises(NotFound):
        await bench.engine.wait(container)


async def test_a_name_that_exists_is_a_conflict_and_makes_nothing(bench: Bench) -> None:
    spec = bench.spec("true", FakeProgram())
    async with created(bench.engine, spec):
        with pytest.raises(Conflict):
            await bench.engine.create(spec)
    assert await bench.gone()


async def test_a_missing_image_is_not_found(bench: Bench) -> None:
    spec = replace(bench.spec("true", FakeProgram()), image="longshore-no-such-image:1")
    with pytest.raises(NotFound, match="No such image"):
        await bench.engine.create(spec)
    assert await bench.gone()


@pytest.mark.parametrize(
    ("program", "said", "kind"),
    [
        ("no-such-program", 'exec: "x": executable file not found in $PATH', ProgramMissing),
        ("/no/such", 'exec: "/x": stat /x: no such file or directory', ProgramMissing),
        ("/bin", 'exec: "/bin": permission denied', ProgramForbidden),
    ],
)
async def test_after_a_failed_start_the_container_can_be_removed(
    bench: Bench, program: str, said: str, kind: type[EngineError]
) -> None:
    fake = FakeProgram(refuses_to_start=said)
    container = await bench.engine.create(replace(bench.spec("", fake), command=(program,)))
    with pytest.raises(kind, match=said.rpartition(": ")[2].replace("$", r"\$")):
        await bench.engine.start(container)
    await bench.engine.remove(container)
    assert await bench.gone()


async def test_a_cancelled_create_leaves_nothing_that_its_caller_does_not_know(
    bench: Bench,
) -> None:
    spec = bench.spec("true", FakeProgram())
    known: list[str] = []

    async def create() -> None:
        known.append(await bench.engine.create(spec))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(create)
        await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    for container in known:
        await bench.engine.remove(container)
    assert await bench.gone()
