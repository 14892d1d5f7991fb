"""``longshore registry serve``: a development registry."""

from __future__ import annotations

import signal
from pathlib import Path

import anyio

from longshore.registry.server.disk import DiskStorage
from longshore.registry.server.memory import MemoryStorage
from longshore.registry.server.serving import serve
from longshore.registry.server.storage import Storage
from longshore.report.sink import Sink
from longshore.secrets.atomic_file import explained


def serve_registry(
    sink: Sink, *, host: str, port: int, directory: Path | None, allow_remote: bool
) -> int:
    """Serve until Ctrl-C or SIGTERM; without `directory` the content is gone with the process.

    Raises InvalidValue when `directory` cannot be made.
    """
    storage = MemoryStorage() if directory is None else _opened(directory)
    anyio.run(_serve, storage, sink, host, port, allow_remote)
    return 0


def _opened(directory: Path) -> Storage:
    with explained(directory, "--dir takes a directory"):
        return DiskStorage.open(directory)


async def _serve(storage: Storage, sink: Sink, host: str, port: int, allow_remote: bool) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with serve(storage, host=host, port=port, allow_remote=allow_remote) as running:
            sink.write(f"{running.url}\n")
            sink.tell(f"a development registry listens at {running.url}; Ctrl-C ends it\n")
            async for _ in signals:
                return
