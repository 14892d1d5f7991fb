"""A layer is put together from its directory's archive, in whatever order the files arrive."""

from __future__ import annotations

import io
import tarfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from longshore.errors import NotFound
from longshore.image.arriving import KEPT, LARGE, MOST_FETCHES, ArrivingFiles
from longshore.image.assembly import assembled
from longshore.image.layer import BLOCK, Block
from longshore.image.names import plain
from longshore.image.tarsplit import Piece

File = tuple[str, bytes]


def _member(name: str, content: bytes = b"", **more: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in more.items():
        setattr(info, key, value)
    return info, content


def _archive(
    members: Sequence[tuple[tarfile.TarInfo, bytes]], form: int = tarfile.PAX_FORMAT
) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form, errors="surrogateescape") as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _directory(files: Sequence[File]) -> bytes:
    inside = [_member(f"diff/{name}", content) for name, content in files]
    return _archive([_member("diff", type=tarfile.DIRTYPE), *inside])


async def _chunks(data: bytes, length: int) -> AsyncIterator[bytes]:
    for begin in range(0, len(data), length):
        yield data[begin : begin + length]


class _Engine:
    """Gives an archive, and single files of it on demand; `fetched` are their names."""

    def __init__(self, archive: bytes, files: Sequence[File] = (), chunk: int = 1 << 15) -> None:
        self.archive, self.files, self.chunk = archive, dict(files), chunk
        self.fetched: list[str] = []

    @asynccontextmanager
    async def fetch(self, name: str) -> AsyncIterator[AsyncIterator[bytes]]:
        self.fetched.append(name)
        if name not in self.files:
            raise NotFound(f"no such file: {name}")
        base = name.rpartition("/")[2]
        yield _chunks(_archive([_member(base, self.files[name])]), self.chunk)

    async def assembled(self, wanted: Sequence[File | tuple[str, int]]) -> bytes:
        """The files in that order, each after its name."""
        pieces: list[Piece] = []
        for name, content in wanted:
            raw = name.encode(errors="surrogateescape")
            size = content if isinstance(content, int) else len(content)
            pieces.append((raw, b"", 0))
            if size:
                pieces.append((b"", raw, size))
        files = ArrivingFiles(_chunks(self.archive, self.chunk), self.fetch)
        return b"".join([bytes(block) async for block in assembled(pieces, files)])


def _expected(wanted: Sequence[File]) -> bytes:
    return b"".join(name.encode(errors="surrogateescape") + content for name, content in wanted)


names = st.text("ab.-ü\n", min_size=1, max_size=8).filter(lambda n: n.strip(".") and n != "-")
layers = st.dictionaries(names, st.binary(max_size=1500), max_size=12).map(
    lambda found: [*found.items()]
)


@given(st.data(), layers, st.integers(1, 3000))
def test_any_order_gives_the_layer(data: st.DataObject, layer: list[File], chunk: int) -> None:
    there = data.draw(st.permutations(layer))
    engine = _Engine(_directory(there), chunk=chunk)
    assert anyio.run(engine.assembled, layer) == _expected(layer)
    assert engine.fetched == []


@given(layers, st.integers(0, 5000), st.integers(1, 3000))
def test_an_archive_cut_anywhere_is_not_found_or_the_layer(
    layer: list[File], cut: int, chunk: int
) -> None:
    engine = _Engine(_directory(layer)[:cut], chunk=chunk)
    try:
        assert anyio.run(engine.assembled, layer) == _expected(layer)
    except NotFound:
        return


@given(st.binary(max_size=3000), st.integers(1, 3000))
def test_what_is_no_archive_is_not_found(archive: bytes, chunk: int) -> None:
    engine = _Engine(archive, chunk=chunk)
    with pytest.raises(NotFound):
        anyio.run(engine.assembled, [("file", 5)])


async def test_names_that_a_header_cannot_hold_are_found() -> None:
    layer = [
        ("/".join(["directory"] * 20) + "/file", b"long"),
        ("ünïcödé-日本/🚢", b"not ascii"),
        ("not\udcff\udcfeutf-8", b"bytes"),
        ("a\nb path=c", b"a newline in a name"),
        ("x" * 250, b"one long name"),
    ]
    assert await _Engine(_directory(layer)).assembled(layer) == _expected(layer)


async def test_names_split_over_a_ustar_prefix_are_found() -> None:
    layer = [("/".join(["directory"] * 15) + "/file", b"long")]
    members = [_member(f"diff/{name}", content) for name, content in layer]
    archive = _archive(members, tarfile.USTAR_FORMAT)
    assert await _Engine(archive).assembled(layer) == _expected(layer)


@pytest.mark.parametrize(
    ("name", "there"),
    [("./a/b", "a/b"), ("/a/b", "a/b"), ("a//b", "a/b"), ("x/../a/./b", "a/b"), ("../a", "a")],
)
async def test_names_of_a_tar_are_taken_as_an_engine_unpacks_them(name: str, there: str) -> None:
    assert plain(name.encode()) == there.encode()
    engine = _Engine(_directory([(there, b"content")]))
    assert await engine.assembled([(name, 7)]) == name.encode() + b"content"


async def test_what_has_no_content_is_passed_over() -> None:
    archive = _archive(
        [
            _member("diff", type=tarfile.DIRTYPE),
            _member("diff/empty"),
            _member("diff/null", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
            _member("diff/.wh.gone", type=tarfile.CHRTYPE),
            _member("diff/fifo", type=tarfile.FIFOTYPE),
            _member("diff/symlink", type=tarfile.SYMTYPE, linkname="y" * 200),
            _member("diff/file", b"content"),
        ]
    )
    assert await _Engine(archive).assembled([("file", 7)]) == b"filecontent"


def _linked(later: str) -> bytes:
    return _archive(
        [
            _member("diff/a", b"content"),
            _member(f"diff/{later}", type=tarfile.LNKTYPE, linkname="diff/a"),
            _member("diff/z", b"last"),
        ]
    )


@pytest.mark.parametrize("later", ["b", "b" * 200], ids=["short", "long"])
async def test_a_hard_link_the_other_way_round_has_the_content(later: str) -> None:
    """The tar has the content under the name that the engine's walk finds second."""
    engine = _Engine(_linked(later))
    assert await engine.assembled([(later, 7), ("z", 4)]) == later.encode() + b"contentzlast"
    assert engine.fetched == []


async def test_a_large_file_under_another_name_is_fetched() -> None:
    content = bytes(LARGE + 1)
    link = _member("diff/b", type=tarfile.LNKTYPE, linkname="diff/a")
    engine = _Engine(_archive([_member("diff/a", content), link]), [("a", content)])
    assert await engine.assembled([("b", len(content))]) == b"b" + content
    assert engine.fetched == ["a"]


async def test_a_large_file_that_came_too_early_is_fetched_by_itself() -> None:
    large, small = ("a/large", bytes(LARGE + 1)), ("b/small", b"small")
    engine = _Engine(_directory([large, small]), [large])
    assert await engine.assembled([small, large]) == _expected([small, large])
    assert engine.fetched == ["a/large"]


async def test_what_is_kept_is_bounded() -> None:
    early = [(f"early{number:02}", bytes(LARGE)) for number in range(KEPT // LARGE + 2)]
    layer = [("late", b"late"), *early]
    engine = _Engine(_directory([*early, layer[0]]), early)
    assert await engine.assembled(layer) == _expected(layer)
    assert engine.fetched == [name for name, _ in early[KEPT // LARGE :]]


async def test_what_was_used_makes_room_again() -> None:
    files = [(f"file{number:02}", bytes(LARGE)) for number in range(3 * KEPT // LARGE)]
    pairs = [pair for even in range(0, len(files), 2) for pair in (files[even + 1], files[even])]
    engine = _Engine(_directory(files))
    assert await engine.assembled(pairs) == _expected(pairs)
    assert engine.fetched == []


async def test_too_many_files_out_of_order_are_given_up() -> None:
    early = [(f"early{number:03}", bytes(LARGE + 1)) for number in range(MOST_FETCHES + 1)]
    engine = _Engine(_directory([*early, ("late", b"late")]), early)
    with pytest.raises(NotFound, match="another order"):
        await engine.assembled([("late", b"late"), *early])


async def test_a_file_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound, match="no such file: missing"):
        await _Engine(_directory([("a", b"a")])).assembled([("missing", 1)])


async def test_a_file_of_another_length_is_not_found() -> None:
    with pytest.raises(NotFound, match=r'"a" has 1 bytes there, and 2 in the image'):
        await _Engine(_directory([("a", b"a")])).assembled([("a", 2)])


async def test_a_name_the_engine_cannot_be_asked_for_is_not_found() -> None:
    with pytest.raises(NotFound, match=r"cannot be asked"):
        await _Engine(_directory([])).assembled([("\udcff", 1)])


async def test_archives_in_another_dialect_are_not_found() -> None:
    archive = _archive([_member("diff/" + "x" * 200, b"x")], tarfile.GNU_FORMAT)
    with pytest.raises(NotFound, match="kind 'L'"):
        await _Engine(archive).assembled([("x" * 200, 1)])


async def _blocks(layer: Sequence[File]) -> list[Block]:
    pieces: list[Piece] = [(b"", name.encode(), len(content)) for name, content in layer]
    engine = _Engine(_directory(layer))
    files = ArrivingFiles(_chunks(engine.archive, 1 << 15), engine.fetch)
    return [block async for block in assembled(pieces, files)]


async def test_large_files_pass_as_they_arrive() -> None:
    """As views of what was read, and not joined to blocks first."""
    content = Random(1).randbytes(3 * BLOCK)
    blocks = await _blocks([("large", content)])
    assert b"".join(blocks) == content
    assert len(blocks) > 10
    assert all(isinstance(block, memoryview) for block in blocks)


async def test_small_files_are_joined() -> None:
    layer = [(f"{number:05}", b"%04d" % number) for number in range(2000)]
    blocks = await _blocks(layer)
    assert b"".join(blocks) == b"".join(content for _, content in layer)
    assert len(blocks) < 20
