"""Images in files, named by their path."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from longshore.commands.image_place import FilePlace, find_place, names_file
from longshore.errors import InvalidValue, NotFound


def test_a_path_is_a_layout_or_an_archive_after_what_names_file(tmp_path: Path) -> None:
    archive = tmp_path / "saved.tar"
    archive.touch()
    assert find_place(f"{tmp_path}:a") == FilePlace(path=tmp_path, layout=True, name="a")
    assert find_place(f"{tmp_path}:") == FilePlace(path=tmp_path, layout=True)
    assert find_place(str(archive)) == FilePlace(path=archive, layout=False)
    with pytest.raises(NotFound, match="there is no file"):
        find_place(str(archive / "below"))


def test_a_colon_in_the_name_of_a_file_separates_nothing(tmp_path: Path) -> None:
    archive = tmp_path / "app:1.tar"
    archive.touch()
    assert find_place(str(archive)) == FilePlace(path=archive, layout=False)


def test_what_is_neither_file_nor_directory_is_not_opened(tmp_path: Path) -> None:
    """Whoever opens a pipe waits until somebody writes."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/null"):
        with pytest.raises(InvalidValue) as raised:
            find_place(str(path))
        assert raised.value.message == f"{path} is neither a file nor a directory"
        assert raised.value.hint == (
            "write the archive into a file first: its parts are read in any order"
        )


def test_a_path_where_this_user_may_not_look_is_told(locked: Path) -> None:
    with pytest.raises(InvalidValue) as raised:
        find_place(f"{locked}/saved.tar")
    assert raised.value.message == f"cannot read {locked}/saved.tar: Permission denied"


def test_a_layout_where_this_user_may_not_look_is_left_to_whoever_opens_it(locked: Path) -> None:
    assert find_place(f"oci:{locked}/image") == FilePlace(path=locked / "image", layout=True)


def test_a_file_where_this_user_may_not_look_counts_as_none(locked: Path) -> None:
    """What is asked for is an image of the engine: the file would only be a hint."""
    assert not names_file(f"{locked}/saved")


def test_a_file_names_file_also_with_a_name_behind_it(tmp_path: Path) -> None:
    (tmp_path / "saved.tar").touch()
    assert names_file(f"{tmp_path}/saved.tar:app")
    assert not names_file(f"{tmp_path}/other.tar")


def test_a_tilde_with_no_user_of_this_machine_is_left_as_it_is() -> None:
    place = FilePlace(path=Path("~no-such-user/image"), layout=True)
    assert find_place("oci:~no-such-user/image") == place


def test_a_directory_counts_as_a_file_to_push_only_where_it_is_a_layout(tmp_path: Path) -> None:
    """A service and the directory of its sources often have the same name."""
    for name in ("app", "layout"):
        (tmp_path / name).mkdir()
    (tmp_path / "layout" / "index.json").touch()
    assert names_file(f"{tmp_path}/layout:app")
    assert not names_file(f"{tmp_path}/app")
