"""Layers side by side: how many, and in which order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from longshore.image.layer import Block
from longshore.registry.placing import LANES, Placer
from longshore.registry.push import PushOptions, push
from longshore.testing.registry import faulty_registry
from longshore.testing.stored import MemoryImage, MemoryLayer

from .conftest import Connect, MakeBytes

REPOSITORY = "team/app"


class _Lanes:
    """How many layers are open at a time, and which were opened in turn, by size."""

    def __init__(self) -> None:
        self.open = 0
        self.most = 0
        self.full = anyio.Event()
        self.sizes: list[int] = []


class _InLane(MemoryLayer):
    def __init__(self, content: bytes, lanes: _Lanes) -> None:
        super().__init__(content)
        self._lanes = lanes

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[Block]]:
        lanes = self._lanes
        lanes.open += 1
        lanes.most = max(lanes.most, lanes.open)
        lanes.sizes.append(len(self.content))
        async with super().open() as blocks:
            yield blocks
        lanes.open -= 1


async def test_few_layers_are_on_their_way_at_a_time(
    connect: Connect, some_bytes: MakeBytes
) -> None:
    lanes = _Lanes()

    class Long(_InLane):
        async def _blocks(self) -> AsyncIterator[Block]:
            """Nothing before all lanes are taken, and more could have come."""
            if lanes.open == LANES:
                lanes.full.set()
            await lanes.full.wait()
            await anyio.sleep(0.05)
            async for block in super()._blocks():
                yield block

    image = MemoryImage([Long(some_bytes(1000, seed), lanes) for seed in range(10)])
    async with faulty_registry() as registry, connect(registry.host) as client:
        with anyio.fail_after(10):
            await push(client, REPOSITORY, ["1"], image, PushOptions())
    assert lanes.most == LANES
    assert image.opened == [1] * 10


async def test_the_largest_layers_go_first(connect: Connect, some_bytes: MakeBytes) -> None:
    """The last one alone on the line is the time that is lost."""
    lanes, sizes = _Lanes(), [20_000, 70_000, 10_000, 50_000]
    image = MemoryImage([_InLane(some_bytes(size, size), lanes) for size in sizes])
    async with faulty_registry() as registry, connect(registry.host) as client:
        placer = Placer(client=client, lanes=anyio.CapacityLimiter(1))
        await push(client, REPOSITORY, ["1"], image, PushOptions(), placer)
    assert lanes.sizes == sorted(sizes, reverse=True)
