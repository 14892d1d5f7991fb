"""One private daemon for all runs of a user: the first starts it, the last one out stops it.

Its images lie in the user's data directory and are there for the next run; socket, pid file and
locks lie in a run-time directory. Each run holds the lock ``users`` shared; the daemon's keeper
(`longshore.engine.embedded.keeper`) stops the daemon when it gets that lock for itself. The lock
``starting`` makes runs that find no daemon start only one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import anyio

from longshore.engine.embedded.daemon import READY_SECONDS, STOP_SECONDS, answers, start
from longshore.engine.embedded.home import Home
from longshore.engine.embedded.locks import EXCLUSIVE, SHARED, lock, lock_file, try_lock, unlock
from longshore.engine.embedded.programs import Programs, find_programs
from longshore.engine.endpoint import Endpoint
from longshore.environment import Environment
from longshore.errors import EngineUnavailable


@asynccontextmanager
async def embedded_engine(environment: Environment) -> AsyncIterator[Endpoint]:
    """The user's private engine, started when it does not run yet; the last one out stops it.

    Raises EngineUnavailable when nothing is installed to start, or when it does not start.
    """
    home, programs = Home.of(environment), find_programs(environment)
    home.make()
    with lock_file(home.users) as users:
        await _joined(home, programs, environment, users)
        try:
            yield Endpoint(url=f"unix://{home.socket}", origin="the embedded engine")
        finally:
            with anyio.CancelScope(shield=True):
                await _leave(home, users)


async def _joined(home: Home, programs: Programs, environment: Environment, users: int) -> None:
    """Return as a user of a daemon that answers."""
    with lock_file(home.starting) as starting:
        await lock(starting, EXCLUSIVE, READY_SECONDS * 2)
        # Held exclusively by a keeper that is stopping its daemon; then we wait for its end.
        await lock(users, SHARED, STOP_SECONDS * 2)
        if not await answers(home.socket):
            # The keeper of a daemon that died may still be taking down the bridge.
            await _gone(home)
            await start(home, programs, environment)


async def _leave(home: Home, users: int) -> None:
    """Stop being a user; the last one waits for the end of the daemon."""
    alone = try_lock(users, EXCLUSIVE)
    unlock(users)
    if alone or not try_lock(users, SHARED):
        with suppress(EngineUnavailable):
            await _gone(home)
    unlock(users)


async def _gone(home: Home) -> None:
    with lock_file(home.alive) as alive:
        await lock(alive, SHARED, STOP_SECONDS)
