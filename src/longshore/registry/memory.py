"""What earlier pushes learned: under which digest a registry holds a layer, and in which
repositories.

A SQLite file in the user's cache directory, shared by all processes. A blob that is remembered is
asked for by digest before it is used, and a row has to carry its own check, so that a damaged file
only costs time. What a blob holds nobody looks at again, so the file is the user's alone: one that
others may write to is left alone. Whatever goes wrong with it, nothing is remembered.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import anyio
from anyio import to_thread
from msgspec import Struct

from longshore.errors import InvalidValue
from longshore.oci.digest import Digest
from longshore.oci.media_types import Compression

if TYPE_CHECKING:
    import sqlite3

PUBLISHED: Final = "published"
"""The codec of blobs that others packed: those of base images."""

_REPOSITORIES: Final = 8
_ROWS: Final = 20_000
_BUSY: Final = 2.0
_VERSION: Final = 2
"""Of the table, and of what its rows are worth: those of version 1 were not all verified."""

_TABLE: Final = """
CREATE TABLE layers (
    host TEXT, diff_id TEXT, codec TEXT,
    digest TEXT, size INTEGER, compression TEXT, repositories TEXT, check_sum TEXT,
    PRIMARY KEY (host, diff_id, codec)
)
"""

Result = TypeVar("Result")


class Remembered(Struct, frozen=True, kw_only=True):
    """A blob that holds a layer; `repositories` had it, the latest first. `size` in bytes."""

    digest: Digest
    size: int
    compression: Compression
    repositories: tuple[str, ...] = ()


class LayerMemory(Protocol):
    """Pairs of layers and blobs, by registry and codec. Nothing here ever raises."""

    async def recall(self, host: str, diff_id: Digest, codec: str) -> Remembered | None:
        """The blob that is remembered of a layer packed by that codec."""
        ...

    async def learn(self, host: str, diff_id: Digest, codec: str, found: Remembered) -> None:
        """Remember it from now on, instead of what was known under that codec."""
        ...


class Forgetful:
    """A memory that keeps nothing."""

    async def recall(self, host: str, diff_id: Digest, codec: str) -> Remembered | None:
        """See `LayerMemory`."""
        return None

    async def learn(self, host: str, diff_id: Digest, codec: str, found: Remembered) -> None:
        """See `LayerMemory`."""


class LayerCache:
    """The memory in the file ``layers.sqlite`` of a directory, which is made when needed."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "layers.sqlite"
        self._connection: sqlite3.Connection | None = None
        self._useless = False
        self._one = anyio.CapacityLimiter(1)

    async def recall(self, host: str, diff_id: Digest, codec: str) -> Remembered | None:
        """See `LayerMemory`."""

        def work(connection: sqlite3.Connection) -> Remembered | None:
            return _row(connection, (host, str(diff_id), codec))

        return await self._safely(work, None)

    async def learn(self, host: str, diff_id: Digest, codec: str, found: Remembered) -> None:
        """See `LayerMemory`."""

        def work(connection: sqlite3.Connection) -> None:
            _write(connection, (host, str(diff_id), codec), found)

        await self._safely(work, None)

    def close(self) -> None:
        """Give the file back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def _safely(
        self, work: Callable[[sqlite3.Connection], Result], otherwise: Result
    ) -> Result:
        return await to_thread.run_sync(self._try, work, otherwise, limiter=self._one)

    def _try(self, work: Callable[[sqlite3.Connection], Result], otherwise: Result) -> Result:
        if self._useless:
            return otherwise
        try:
            import sqlite3
        except ImportError:  # Python can be built without it
            return otherwise
        try:
            return work(self._connection or self._open())
        except sqlite3.OperationalError:
            # Locked, read-only, full: it may be better next time.
            return otherwise
        except (sqlite3.Error, OSError):
            self._give_up()
            return otherwise

    def _open(self) -> sqlite3.Connection:
        import sqlite3

        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (_is_ours(self._path.parent) and _is_ours(self._path)):
            raise sqlite3.OperationalError("others may have written to it")
        connection = sqlite3.connect(
            self._path, timeout=_BUSY, check_same_thread=False, isolation_level=None
        )
        try:
            # What a power failure destroys here is only a cache.
            connection.execute("PRAGMA synchronous = OFF")
            _begin_table(connection)
        except sqlite3.Error:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _give_up(self) -> None:
        """The file is no database: the next process begins a new one."""
        self._useless = True
        self.close()
        with suppress(OSError):
            self._path.unlink()


def _is_ours(path: Path) -> bool:
    """Whether it is this user's and not open to everybody, or not there yet. Groups may write: with
    some systems' umask every user's own may."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return True
    return status.st_uid == os.getuid() and not status.st_mode & stat.S_IWOTH


def _begin_table(connection: sqlite3.Connection) -> None:
    """Make the table, unless it is there in this version; what others have left is dropped."""
    if _version(connection) == _VERSION:
        return
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        if _version(connection) != _VERSION:
            connection.execute("DROP TABLE IF EXISTS layers")
            connection.execute(_TABLE)
            connection.execute(f"PRAGMA user_version = {_VERSION}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _row(connection: sqlite3.Connection, key: tuple[str, str, str]) -> Remembered | None:
    found = connection.execute(
        "SELECT digest, size, compression, repositories, check_sum FROM layers "
        "WHERE host = ? AND diff_id = ? AND codec = ?",
        key,
    ).fetchone()
    if found is None or found[4] != _check(key, found[:4]):
        return None
    with suppress(InvalidValue, ValueError, TypeError):
        return Remembered(
            digest=Digest.parse(found[0]),
            size=int(found[1]),
            compression=Compression(found[2]),
            repositories=tuple(json.loads(found[3])),
        )
    return None


def _write(connection: sqlite3.Connection, key: tuple[str, str, str], found: Remembered) -> None:
    repositories = json.dumps(found.repositories[:_REPOSITORIES])
    values = (str(found.digest), found.size, str(found.compression), repositories)
    connection.execute(
        "INSERT OR REPLACE INTO layers VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (*key, *values, _check(key, values)),
    )
    # Every row written again gets a new rowid: the smallest ones are the oldest.
    connection.execute(
        "DELETE FROM layers WHERE rowid <= (SELECT max(rowid) - ? FROM layers)", (_ROWS,)
    )


def _check(key: tuple[str, str, str], values: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps([*key, *values]).encode()).hexdigest()[:32]
