"""The journal keeps what happened, within bounds, for its owner alone."""

from __future__ import annotations

import errno
import io
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from longshore.errors import InvalidValue
from longshore.report.journal import KEPT_OUTPUT, KEPT_RUNS, Journal, journal
from longshore.run.events import ContainerOutput, ImageOutput, Notice, StepFinished
from longshore.run.outcome import Failed

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


def _output(data: bytes, step: str = "1") -> ContainerOutput:
    return ContainerOutput(step=step, name="t", service="app", data=data)


def test_events_are_json_lines_with_their_time(tmp_path: Path) -> None:
    with journal(tmp_path, "abc") as write:
        write(StepFinished(step="1", name="t", kind="run", outcome=Failed(3), seconds=1.5))
    line = json.loads((tmp_path / "abc.jsonl").read_text())
    assert (line["event"], line["outcome"], line["exit_code"]) == ("step_finished", "failed", 3)
    assert line["time"].endswith("+00:00")


def test_a_project_whose_path_is_no_text_is_written_all_the_same(tmp_path: Path) -> None:
    with journal(tmp_path, "abc") as write:
        write(Notice(text="in /home/u/caf\udce9"))
    assert json.loads((tmp_path / "abc.jsonl").read_text())["text"] == "in /home/u/caf?"


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    with journal(tmp_path / "runs", "abc"):
        assert (tmp_path / "runs/abc.jsonl").stat().st_mode & 0o077 == 0


def test_a_flood_is_kept_up_to_the_limit_and_other_steps_are_not_cut_short() -> None:
    file = io.BytesIO()
    write = Journal(file)
    for _ in range(20):
        write(_output(b"x" * (1 << 20) + b"\n"))
    write(_output(b"other\n", step="2"))
    assert file.tell() < KEPT_OUTPUT + 100_000
    assert b"other" in file.getvalue()
    assert file.getvalue().count(b"keeps no more") == 1


def test_a_flood_of_a_build_is_kept_up_to_the_limit_and_other_images_are_not_cut_short() -> None:
    file = io.BytesIO()
    write = Journal(file)
    for _ in range(20):
        write(ImageOutput(image="big", service="app", text="x" * (1 << 20)))
    write(ImageOutput(image="small", service="db", text="other"))
    assert file.tell() < KEPT_OUTPUT + 100_000
    assert b"other" in file.getvalue()
    assert file.getvalue().count(b"keeps no more") == 1


def test_old_journals_are_forgotten(tmp_path: Path) -> None:
    for number in range(KEPT_RUNS + 5):
        with journal(tmp_path, f"run{number}"):
            pass
    assert len(list(tmp_path.iterdir())) == KEPT_RUNS


def test_a_full_disk_ends_the_journal_and_not_the_run() -> None:
    """A line cut off, with others after it, would be a journal that cannot be read."""

    class Full(io.BytesIO):
        """Takes no more for once, and has room again then."""

        refusals = 1

        def write(self, data: ReadableBuffer) -> int:
            if self.tell() and self.refusals:
                self.refusals -= 1
                super().write(bytes(data)[:10])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(data)

    file = Full()
    write = Journal(file)
    for text in (b"first\n", b"second\n", b"third\n"):
        write(_output(text))
    first, cut = file.getvalue().splitlines()
    assert "first" in str(json.loads(first))
    assert len(cut) == 10


def test_a_disk_that_stays_full_does_not_end_the_run(tmp_path: Path) -> None:
    (tmp_path / "run1.jsonl").symlink_to("/dev/full")
    with journal(tmp_path, "run1") as write:
        for _ in range(3):
            write(_output(b"x" * (1 << 20) + b"\n"))


def test_what_ends_a_run_is_not_hidden_by_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / "run1.jsonl").symlink_to("/dev/full")

    def run() -> None:
        with journal(tmp_path, "run1") as write:
            write(_output(b"x\n"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run()


def test_a_state_directory_that_cannot_be_made_is_told_with_the_remedy() -> None:
    with (
        pytest.raises(InvalidValue, match="cannot write /proc/none: No such file") as raised,
        journal(Path("/proc/none"), "run1"),
    ):
        pass
    assert raised.value.hint == "set XDG_STATE_HOME to a directory that can be written"


def test_a_disk_that_is_full_at_the_end_does_not_fail_the_run(tmp_path: Path) -> None:
    # /dev/full takes what fits the buffer and refuses it when the file is closed (full(4)).
    (tmp_path / "abc.jsonl").symlink_to("/dev/full")
    with journal(tmp_path, "abc") as write:
        write(_output(b"x\n"))


def test_a_journal_that_another_run_removes_meanwhile_does_not_matter(tmp_path: Path) -> None:
    for number in range(KEPT_RUNS + 1):
        (tmp_path / f"gone{number}.jsonl").symlink_to(tmp_path / "nowhere")
    with journal(tmp_path, "abc"):
        pass
    assert (tmp_path / "abc.jsonl").exists()
