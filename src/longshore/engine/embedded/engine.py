"""One private daemon for all runs of a user: the first starts it, the last one out stops it.

Its images lie in the user's data directory, with the locks, and are there for the next run; socket
and pid file lie in the run-time directory of the run that started it. Each run holds the lock
``users`` shared; the daemon's keeper (`longshore.engine.embedded.keeper`) stops the daemon when it
gets that lock for itself. The lock ``starting`` makes runs that find no daemon start only one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Final

import anyio

from longshore.engine.embedded.daemon import (
    READY_SECONDS,
    STOP_SECONDS,
    answers,
    decided,
    start,
)
from longshore.engine.embedded.home import Home
from longshore.engine.embedded.locks import (
    EXCLUSIVE,
    SHARED,
    lock,
    lock_file,
    stuck,
    try_lock,
    unlock,
)
from longshore.engine.embedded.programs import Programs, find_programs
from longshore.engine.endpoint import Endpoint
from longshore.engine.patience import until
from longshore.environment import Environment
from longshore.errors import EngineUnavailable

_HASTY_SECONDS: Final = 3.0
"""What an interrupted run may take to end (ARCHITECTURE.md); the keeper goes on without us."""


@asynccontextmanager
async def embedded_engine(environment: Environment) -> AsyncIterator[Endpoint]:
    """The user's private engine, started when it does not run yet; the last one out stops it.

    Raises EngineUnavailable when nothing is installed to start, or when it does not start.
    """
    with ExitStack() as stack:
        with _explained():
            home, programs = Home.of(environment), find_programs(environment)
            home.make()
            users = stack.enter_context(lock_file(home.users))
        socket = await _joined_or_left(home, programs, environment, users)
        try:
            yield Endpoint(url=f"unix://{socket}", origin="the embedded engine")
        finally:
            with anyio.CancelScope(shield=True):
                await _leave(home, users, STOP_SECONDS)


async def _joined_or_left(
    home: Home, programs: Programs, environment: Environment, users: int
) -> Path:
    """The socket of a daemon that answers, as a user of it; what was started in vain is stopped."""
    try:
        with _explained():
            return await _joined(home, programs, environment, users)
    except BaseException:
        with anyio.CancelScope(shield=True):
            await _leave(home, users, _HASTY_SECONDS)
        raise


@contextmanager
def _explained() -> Iterator[None]:
    """What the file system refuses becomes EngineUnavailable, with the directories to look at."""
    try:
        yield
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise EngineUnavailable(
            f"the private engine cannot be set up: {where}{error.strerror}",
            hint="its images lie below XDG_DATA_HOME, its socket below XDG_RUNTIME_DIR: set them "
            "to directories of yours with room",
        ) from error


async def _joined(home: Home, programs: Programs, environment: Environment, users: int) -> Path:
    with lock_file(home.starting) as starting:
        await lock(starting, EXCLUSIVE, READY_SECONDS * 2)
        # Held exclusively by a keeper that is stopping its daemon; then we wait for its end.
        await lock(users, SHARED, STOP_SECONDS * 2)
        # One may be starting still, whose run was killed; one that died may leave a bridge.
        latest = home.of_daemon()
        if not await until(lambda: decided(latest), seconds=READY_SECONDS):
            raise stuck()
        if await answers(latest.socket):
            return latest.socket
        await start(home, programs, environment)
        return home.socket


async def _leave(home: Home, users: int, seconds: float) -> None:
    """Stop being a user; the last one waits for the end of the daemon, not longer than that."""
    alone = try_lock(users, EXCLUSIVE)
    unlock(users)
    if alone or not try_lock(users, SHARED):
        with lock_file(home.alive) as alive, suppress(EngineUnavailable):
            await lock(alive, SHARED, seconds)
    unlock(users)
