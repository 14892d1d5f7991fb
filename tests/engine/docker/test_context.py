"""The context's tar stream: what docker's client would send."""

from __future__ import annotations

import io
import os
import socket
import tarfile
from pathlib import Path

import pytest

from longshore.engine.docker.context import PIECE, pack, prepare
from longshore.errors import BuildFailed


def _packed(directory: Path, dockerfile: Path | None = None) -> dict[str, tarfile.TarInfo]:
    pieces: list[bytes] = []
    pack(prepare(directory, dockerfile or directory / "Dockerfile"), pieces.append)
    with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as archive:
        return {member.name: member for member in archive}


@pytest.fixture
def context(tmp_path: Path) -> Path:
    directory = tmp_path / "context"
    directory.mkdir()
    (directory / "Dockerfile").write_text("FROM scratch\n")
    return directory


def test_modes_times_links_and_owners(context: Path) -> None:
    script = context / "script"
    script.write_text("x")
    script.chmod(0o4755)
    os.utime(script, (1, 1234567890.75))
    (context / "link").symlink_to("../outside/./x")
    (context / "again").hardlink_to(script)
    (context / "empty").mkdir(mode=0o700)
    os.mkfifo(context / "fifo")
    members = _packed(context)
    assert list(members) == sorted(members)
    assert (members["again"].mode, members["again"].mtime) == (0o4755, 1234567890)
    assert members["script"].islnk()
    assert members["script"].linkname == "again"
    assert members["link"].linkname == "../outside/./x"
    assert members["empty"].isdir()
    assert members["empty"].mode == 0o700
    assert members["fifo"].isfifo()
    assert {(m.uid, m.gid, m.uname, m.gname) for m in members.values()} == {(0, 0, "", "")}


def test_names_that_are_long_or_no_utf8_survive(context: Path) -> None:
    names = ["ü" * 120, "x" * 200, os.fsdecode(b"not-utf8-\xff")]
    for name in names:
        (context / name).write_text(name[0])
    assert set(names) <= set(_packed(context))


def test_a_socket_is_left_out(context: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(context)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("s")
        assert set(_packed(context)) == {"Dockerfile"}


def test_dockerignore_rules_but_the_two_files_are_always_sent(context: Path) -> None:
    (context / ".dockerignore").write_text("*\n!kept\n!a/b\n")
    (context / "kept").write_text("")
    (context / "lost").write_text("")
    (context / "a").mkdir()
    (context / "a" / "b").write_text("")
    (context / "a" / "c").write_text("")
    assert set(_packed(context)) == {".dockerignore", "Dockerfile", "kept", "a/b"}


def test_an_ignored_directory_that_nothing_is_kept_of_is_not_even_read(context: Path) -> None:
    (context / ".dockerignore").write_text("big\n")
    big = context / "big"
    big.mkdir()
    for number in range(3):
        (big / str(number)).mkdir(mode=0)
    assert set(_packed(context)) == {".dockerignore", "Dockerfile"}


def test_a_dockerfile_outside_is_sent_under_a_new_name_that_is_ignored(
    context: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "Other"
    outside.write_text("FROM scratch\n")
    (context / ".dockerignore").write_text("lost")
    prepared = prepare(context, outside)
    assert prepared.dockerfile in _packed(context, outside)
    assert prepared == prepare(context, outside), "a changing name would spoil the build cache"
    sent = {extra.name: extra.content.decode().split() for extra in prepared.extra}
    assert sent[".dockerignore"] == ["lost", prepared.dockerfile]
    (context / ".dockerignore").unlink()
    alone = {
        extra.name: extra.content.decode().split() for extra in prepare(context, outside).extra
    }
    assert alone[".dockerignore"] == [".dockerignore", prepared.dockerfile]


@pytest.mark.parametrize("written", ["../docker/Other", "Link"])
def test_a_dockerfile_is_outside_however_its_path_is_written(
    context: Path, tmp_path: Path, written: str
) -> None:
    outside = tmp_path / "docker" / "Other"
    outside.parent.mkdir()
    outside.write_text("FROM scratch\n")
    (context / "Link").symlink_to("../docker/Other")
    prepared = prepare(context, context / written)
    assert prepared == prepare(context, outside)
    assert prepared.dockerfile in _packed(context, context / written)


def test_a_dockerfile_inside_is_named_by_where_it_really_is(context: Path) -> None:
    (context / "docker").mkdir()
    (context / "docker" / "Other").write_text("FROM scratch\n")
    (context / "Link").symlink_to("docker/Other")
    for written in ("docker/../docker/Other", "Link"):
        assert prepare(context, context / written).dockerfile == "docker/Other"


def test_an_ignore_file_of_the_dockerfiles_own_counts_instead_of_the_general_one(
    context: Path, tmp_path: Path
) -> None:
    (context / ".dockerignore").write_text("general\n")
    outside = tmp_path / "Other"
    outside.write_text("FROM scratch\n")
    for dockerfile in (context / "Dockerfile", outside):
        dockerfile.with_name(f"{dockerfile.name}.dockerignore").write_text("own\n")
    for name in ("general", "own"):
        (context / name).write_text("")
    sent = {".dockerignore", "Dockerfile", "Dockerfile.dockerignore", "general"}
    assert set(_packed(context)) == sent
    assert set(_packed(context, outside)) == sent | {prepare(context, outside).dockerfile}


def test_memory_stays_bounded_however_large_a_file_is(context: Path) -> None:
    with (context / "large").open("wb") as file:
        file.truncate(1 << 28)
    sizes: list[int] = []

    def count(piece: bytes) -> None:
        sizes.append(len(piece))

    pack(prepare(context, context / "Dockerfile"), count)
    assert sum(sizes) > 1 << 28
    assert max(sizes) <= 2 * PIECE


@pytest.mark.parametrize(
    ("missing", "words"), [("context", "not a directory"), ("Dockerfile", "no Dockerfile at")]
)
def test_what_is_missing_is_named(context: Path, missing: str, words: str) -> None:
    directory = context / "none" if missing == "context" else context
    with pytest.raises(BuildFailed, match=words) as caught:
        prepare(directory, context / "none")
    assert "none" in caught.value.message
    assert caught.value.hint


def test_a_broken_dockerignore_names_file_and_line(context: Path) -> None:
    (context / ".dockerignore").write_text("ok\n[\n")
    with pytest.raises(BuildFailed, match=r"\.dockerignore: line 2"):
        prepare(context, context / "Dockerfile")


def test_what_the_sink_raises_goes_through(context: Path) -> None:
    def full(piece: bytes) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        pack(prepare(context, context / "Dockerfile"), full)
