from __future__ import annotations

import io
import os
import stat
from pathlib import Path

import pytest

from longshore.errors import InvalidValue
from longshore.secrets.atomic_file import (
    PRIVATE,
    PUBLIC,
    StandardStreams,
    create_file,
    read_file,
    replace_file,
    staged,
)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mode", [PRIVATE, PUBLIC])
def test_a_file_is_replaced_with_the_mode_asked_for(tmp_path: Path, mode: int) -> None:
    target = tmp_path / "out"
    target.write_bytes(b"old and longer")
    target.chmod(0o755)
    previous = os.umask(0o077)
    try:
        replace_file(target, b"new", mode=mode)
    finally:
        os.umask(previous)
    assert target.read_bytes() == b"new"
    assert mode_of(target) == mode
    assert list(tmp_path.iterdir()) == [target]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    replace_file(tmp_path / "link", b"new", mode=PRIVATE)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_a_loop_of_links_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    replace_file(tmp_path / "loop", b"new", mode=PRIVATE)
    assert (tmp_path / "loop").read_bytes() == b"new"


def test_a_device_is_written_to_and_not_replaced() -> None:
    replace_file(Path("/dev/null"), b"x", mode=PRIVATE)
    assert Path("/dev/null").is_char_device()


def test_what_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_bytes(b"old")

    def interrupted() -> None:
        with staged(target, b"new", mode=PRIVATE) as stage:
            assert mode_of(stage) == PRIVATE
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_places_that_cannot_be_used_are_explained(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match=r"cannot write .*/none/x: No such file or directory"):
        replace_file(tmp_path / "none" / "x", b"", mode=PRIVATE)
    with pytest.raises(InvalidValue, match=r"cannot write .*: Is a directory"):
        replace_file(tmp_path, b"", mode=PRIVATE)
    with pytest.raises(InvalidValue, match=r"cannot read .*: No such file or directory"):
        read_file(tmp_path / "none")


def test_a_new_file_never_replaces_one(tmp_path: Path) -> None:
    create_file(tmp_path / "x", b"1", mode=PRIVATE)
    with pytest.raises(InvalidValue, match=r"cannot write .*: File exists"):
        create_file(tmp_path / "x", b"2", mode=PRIVATE)
    assert (tmp_path / "x").read_bytes() == b"1"
    assert mode_of(tmp_path / "x") == PRIVATE
    assert len(list(tmp_path.iterdir())) == 1


def test_a_hyphen_means_standard_input_and_output(tmp_path: Path) -> None:
    streams = StandardStreams(stdin=io.BytesIO(b"in"), stdout=io.BytesIO())
    assert streams.read("-") == b"in"
    streams.write("-", b"out", mode=PRIVATE)
    assert streams.stdout.getvalue() == b"out"  # type: ignore[attr-defined]  # it is a BytesIO
    streams.write(str(tmp_path / "x"), b"file", mode=PUBLIC)
    assert streams.read(str(tmp_path / "x")) == b"file"
