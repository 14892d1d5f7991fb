"""Standard input of whatever kind reaches the container, and its end too."""

from __future__ import annotations

import errno
import os
import pty
import selectors
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest

from longshore.commands.terminal import Insistence, send_input
from longshore.engine.spec import OutputChunk
from longshore.errors import EngineUnavailable


@dataclass
class Container:
    """The input side of an attachment."""

    received: bytearray = field(default_factory=bytearray)
    ended: bool = False
    reads: int = 1_000_000

    async def write(self, data: bytes) -> None:
        """Keep what is sent; a container that has read enough takes no more."""
        if len(self.received) >= self.reads:
            raise EngineUnavailable("the connection to the engine was closed")
        self.received += data

    async def close_input(self) -> None:
        """Note the end."""
        self.ended = True

    async def __aiter__(self) -> AsyncIterator[OutputChunk]:
        """No output."""
        chunks: tuple[OutputChunk, ...] = ()
        for chunk in chunks:
            yield chunk


@pytest.mark.parametrize("kind", ["file", "null", "pipe"])
async def test_input_of_every_kind_is_sent_to_its_end(kind: str, tmp_path: Path) -> None:
    content = b"" if kind == "null" else b"some input"
    path = tmp_path / "input"
    path.write_bytes(content)
    if kind == "pipe":
        descriptor, writer = os.pipe()
        os.write(writer, content)
        os.close(writer)
    else:
        descriptor = os.open(os.devnull if kind == "null" else path, os.O_RDONLY)
    container = Container()
    try:
        await send_input(descriptor, container)
    finally:
        os.close(descriptor)
    assert (bytes(container.received), container.ended) == (content, True)


async def test_the_null_device_is_read_where_the_system_refuses_to_watch_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def register(*_: object) -> NoReturn:
        # kqueue on macOS (prompt-toolkit/python-prompt-toolkit pull request 2065).
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(selectors.DefaultSelector, "register", register)
    descriptor = os.open(os.devnull, os.O_RDONLY)
    container = Container()
    try:
        await send_input(descriptor, container)
    finally:
        os.close(descriptor)
    assert container.ended


async def test_a_directory_as_input_is_none(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    container = Container()
    try:
        await send_input(descriptor, container)
    finally:
        os.close(descriptor)
    assert (bytes(container.received), container.ended) == (b"", True)


async def test_input_that_the_container_does_not_read_to_its_end_is_no_error() -> None:
    descriptor, writer = os.pipe()
    os.write(writer, b"y" * 65536)
    container = Container(reads=0)
    try:
        await send_input(descriptor, container)
    finally:
        os.close(descriptor)
        os.close(writer)
    assert (bytes(container.received), container.ended) == (b"", False)


async def test_a_terminal_that_is_hung_up_ends_the_input() -> None:
    ours, its = pty.openpty()
    os.close(ours)
    container = Container()
    try:
        await send_input(its, container)
    finally:
        os.close(its)
    assert container.ended


@pytest.mark.parametrize(
    ("typed", "heard"),
    [
        ([(0.0, b"\x03"), (0.3, b"\x03"), (0.6, b"\x03")], 1),
        ([(0.0, b"\x03\x03\x03")], 0),
        ([(0.0, b"\x03"), *((0.5 + each * 0.03, b"\x03") for each in range(20))], 0),
        ([(0.0, b"\x03"), (0.3, b"\x03")], 0),
        ([(0.0, b"\x03"), (0.8, b"\x03"), (1.6, b"\x03")], 0),
        ([(0.0, b"\x03"), (0.2, b"\x03"), (0.3, b"l"), (0.4, b"\x03")], 0),
        ([(0.0, b"\x03"), (2.0, b"\x03"), (2.1, b"\x03"), (2.2, b"\x03")], 1),
    ],
)
def test_ctrl_c_three_times_within_a_second_and_nothing_else_between_is_for_us(
    typed: list[tuple[float, bytes]], heard: int
) -> None:
    calls: list[str] = []
    now = 0.0
    insistence = Insistence(lambda: calls.append("heard"), lambda: now)
    for now, keys in typed:  # noqa: B007  # the clock reads it
        insistence.typed(keys)
    assert len(calls) == heard
