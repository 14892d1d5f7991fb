"""The memory of pushed layers: shared by processes, and never the cause of harm."""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import anyio
import pytest
from msgspec.structs import replace

from longshore.oci.digest import Digest
from longshore.oci.media_types import Compression
from longshore.registry import memory as memory_module
from longshore.registry.memory import LayerCache, Remembered

HOST = "registry.test"
LAYER = Digest.of(b"a layer")
BLOB = Remembered(
    digest=Digest.of(b"its blob"), size=8, compression=Compression.GZIP, repositories=("a", "b")
)


async def _learned(directory: Path) -> LayerCache:
    memory = LayerCache(directory)
    await memory.learn(HOST, LAYER, "codec", BLOB)
    return memory


async def test_what_was_learned_is_known_to_the_next_process(tmp_path: Path) -> None:
    (await _learned(tmp_path)).close()
    again = LayerCache(tmp_path)
    assert await again.recall(HOST, LAYER, "codec") == BLOB
    assert await again.recall(HOST, LAYER, "another codec") is None
    assert await again.recall("other.test", LAYER, "codec") is None
    again.close()


async def test_a_row_that_was_changed_is_not_believed(tmp_path: Path) -> None:
    (await _learned(tmp_path)).close()
    with sqlite3.connect(tmp_path / "layers.sqlite") as connection:
        other = str(Digest.of(b"the blob of another layer"))
        connection.execute("UPDATE layers SET digest = ?", (other,))
    connection.close()
    memory = LayerCache(tmp_path)
    assert await memory.recall(HOST, LAYER, "codec") is None
    memory.close()


async def test_a_table_of_another_version_is_begun_anew(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "layers.sqlite") as connection:
        connection.execute("CREATE TABLE layers (host TEXT, diff_id TEXT, digest TEXT)")
        connection.execute("PRAGMA user_version = 1000")
    connection.close()
    memory = await _learned(tmp_path)
    assert await memory.recall(HOST, LAYER, "codec") == BLOB
    memory.close()


async def test_rows_from_before_all_of_them_were_verified_are_not_believed(tmp_path: Path) -> None:
    (await _learned(tmp_path)).close()
    with sqlite3.connect(tmp_path / "layers.sqlite") as connection:
        connection.execute("PRAGMA user_version = 0")
    connection.close()
    memory = LayerCache(tmp_path)
    assert await memory.recall(HOST, LAYER, "codec") is None
    memory.close()


async def test_a_file_that_is_no_database_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "layers.sqlite").write_bytes(b"nothing of the sort" * 100)
    broken = LayerCache(tmp_path)
    assert await broken.recall(HOST, LAYER, "codec") is None
    await broken.learn(HOST, LAYER, "codec", BLOB)
    (await _learned(tmp_path)).close()
    again = LayerCache(tmp_path)
    assert await again.recall(HOST, LAYER, "codec") == BLOB
    again.close()


async def test_a_directory_that_cannot_be_written_to_only_forgets(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    memory = await _learned(tmp_path / "file" / "below")
    assert await memory.recall(HOST, LAYER, "codec") is None


async def test_a_python_that_was_built_without_sqlite_only_forgets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As pyenv builds it where the headers of SQLite are missing."""
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    memory = await _learned(tmp_path)
    assert await memory.recall(HOST, LAYER, "codec") is None
    memory.close()


@pytest.mark.parametrize("name", [".", "layers.sqlite"])
async def test_what_others_may_write_to_is_not_believed_and_not_removed(
    tmp_path: Path, name: str
) -> None:
    """They could have a blob of theirs pushed in the place of a layer."""
    (await _learned(tmp_path)).close()
    place = tmp_path / name
    before = place.stat().st_mode
    place.chmod(0o777)
    memory = LayerCache(tmp_path)
    assert await memory.recall(HOST, LAYER, "codec") is None
    place.chmod(before)
    assert await memory.recall(HOST, LAYER, "codec") == BLOB
    memory.close()


async def test_another_user_s_memory_is_not_believed(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root gives files away")
    (await _learned(tmp_path)).close()
    os.chown(tmp_path, 65534, -1)
    memory = LayerCache(tmp_path)
    assert await memory.recall(HOST, LAYER, "codec") is None
    memory.close()


_WRITER = """
import anyio, sys
from pathlib import Path
from longshore.oci.digest import Digest
from longshore.oci.media_types import Compression
from longshore.registry.memory import LayerCache, Remembered

async def main(who):
    memory = LayerCache(Path(sys.argv[1]))
    for number in range(100):
        layer = Digest.of(f"{who} {number}".encode())
        found = Remembered(digest=layer, size=number, compression=Compression.GZIP)
        await memory.learn("registry.test", layer, "codec", found)

anyio.run(main, sys.argv[2])
"""


async def test_processes_that_write_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    async with anyio.create_task_group() as writers:
        for number in range(3):
            command = [sys.executable, "-c", _WRITER, str(tmp_path), str(number)]
            writers.start_soon(anyio.run_process, command)
    memory = LayerCache(tmp_path)
    for who in range(3):
        for number in range(100):
            layer = Digest.of(f"{who} {number}".encode())
            found = await memory.recall(HOST, layer, "codec")
            assert found is not None
            assert (found.digest, found.size) == (layer, number)
    memory.close()


async def test_a_file_that_somebody_else_has_locked_is_left_to_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_module, "_BUSY", 0.01)
    (await _learned(tmp_path)).close()
    with closing(sqlite3.connect(tmp_path / "layers.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        memory = LayerCache(tmp_path)
        assert await memory.recall(HOST, LAYER, "codec") is None
        await memory.learn(HOST, LAYER, "another codec", BLOB)
        other.execute("COMMIT")
    for asking in (memory, LayerCache(tmp_path)):
        assert await asking.recall(HOST, LAYER, "codec") == BLOB
        asking.close()


def test_a_table_that_another_process_makes_meanwhile_is_not_made_again(tmp_path: Path) -> None:
    class Slow(sqlite3.Connection):
        """Before it gets the lock, another one has had it."""

        def execute(self, sql: str, *parameters: object) -> sqlite3.Cursor:
            if sql.startswith("BEGIN"):
                anyio.run(learn_first)
            return super().execute(sql, *parameters)  # type: ignore[arg-type]  # handed on

    async def learn_first() -> None:
        (await _learned(tmp_path)).close()

    async def recalled() -> Remembered | None:
        memory = LayerCache(tmp_path)
        found = await memory.recall(HOST, LAYER, "codec")
        memory.close()
        return found

    path = tmp_path / "layers.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None, factory=Slow)) as connection:
        memory_module._begin_table(connection)
    assert anyio.run(recalled) == BLOB


async def test_the_layers_learned_last_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_module, "_ROWS", 5)
    layers = [Digest.of(b"%d" % number) for number in range(8)]
    memory = LayerCache(tmp_path)
    for layer in (*layers[:5], layers[0], *layers[5:]):
        await memory.learn(HOST, layer, "codec", BLOB)
    known = [await memory.recall(HOST, layer, "codec") is not None for layer in layers]
    memory.close()
    assert known == [True, False, False, False, True, True, True, True]


async def test_of_many_repositories_the_latest_are_kept(tmp_path: Path) -> None:
    many = replace(BLOB, repositories=tuple(map(str, range(100))))
    memory = LayerCache(tmp_path)
    await memory.learn(HOST, LAYER, "codec", many)
    found = await memory.recall(HOST, LAYER, "codec")
    memory.close()
    assert found == replace(BLOB, repositories=tuple(map(str, range(8))))
