"""A living run is told from a dead one by its lock, however it died (spec C-24)."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from longshore.errors import InvalidValue
from longshore.run.liveness import Liveness, ProcessIdentity, held_lock

_HOLDER = """
import sys
from pathlib import Path
from longshore.run.liveness import held_lock
with held_lock(Path(sys.argv[1]), "run1"):
    print("held", flush=True)
    sys.stdin.read()
"""


def _labels() -> dict[str, str]:
    return ProcessIdentity.of_this_process().labels()


def test_a_killed_run_is_dead_and_a_running_one_alive(tmp_path: Path) -> None:
    here = ProcessIdentity.of_this_process()
    liveness = Liveness(tmp_path, here)
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert liveness.is_alive("run1", _labels())
        os.kill(holder.pid, signal.SIGKILL)
    assert not liveness.is_alive("run1", _labels())


def test_a_finished_run_leaves_no_lock_file(tmp_path: Path) -> None:
    with held_lock(tmp_path, "run1"):
        assert list(tmp_path.iterdir())
    assert not list(tmp_path.iterdir())


def test_lock_files_of_dead_runs_go_but_of_those_that_have_left_something(tmp_path: Path) -> None:
    liveness = Liveness(tmp_path, ProcessIdentity.of_this_process())
    for dead in ("killed", "kept"):
        (tmp_path / f"{dead}.lock").touch()
    (tmp_path / "notes").touch()
    with held_lock(tmp_path, "living"):
        liveness.forget_all(but={"kept"})
        left = {path.name for path in tmp_path.iterdir()}
    assert left == {"kept.lock", "living.lock", "notes"}
    liveness.forget_all(but=())
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]


def test_a_run_whose_lock_file_is_taken_away_before_it_is_held_makes_another(
    tmp_path: Path,
) -> None:
    """Somebody may forget dead runs between the two."""
    path = tmp_path / "run1.lock"

    def begins() -> bool:
        with held_lock(tmp_path, "run1"):
            return path.exists()

    with path.open("w") as other, ThreadPoolExecutor() as threads:
        fcntl.flock(other, fcntl.LOCK_EX)
        begun = threads.submit(begins)
        while _times_open(path) < 2:
            pass
        path.unlink()
        fcntl.flock(other, fcntl.LOCK_UN)
        assert begun.result(timeout=10)
    assert not list(tmp_path.iterdir())


def _times_open(path: Path) -> int:
    return [os.path.realpath(link) for link in Path("/proc/self/fd").iterdir()].count(str(path))


def test_without_its_lock_file_the_process_decides(tmp_path: Path) -> None:
    liveness = Liveness(tmp_path, ProcessIdentity.of_this_process())
    assert liveness.is_alive("elsewhere", _labels())
    gone = _labels() | {"dev.longshore.process": "1:never"}
    assert not liveness.is_alive("elsewhere", gone)


@pytest.mark.parametrize("run", ["a\0b", "\ud800"])
def test_what_no_run_of_ours_can_be_called_is_left_alone(tmp_path: Path, run: str) -> None:
    """Engines take any text as a label, from anybody."""
    liveness = Liveness(tmp_path, ProcessIdentity.of_this_process())
    assert liveness.is_alive(run, _labels() | {"dev.longshore.boot": "another"})
    liveness.forget_all(but={run})


def test_a_run_before_the_last_reboot_is_dead(tmp_path: Path) -> None:
    liveness = Liveness(tmp_path, ProcessIdentity.of_this_process())
    assert not liveness.is_alive("old", _labels() | {"dev.longshore.boot": "another"})


def test_a_run_of_another_machine_is_left_alone(tmp_path: Path) -> None:
    liveness = Liveness(tmp_path, ProcessIdentity.of_this_process())
    assert liveness.is_alive("theirs", _labels() | {"dev.longshore.host": "another"})


def test_a_run_in_another_container_of_this_machine_is_left_alone(tmp_path: Path) -> None:
    liveness = Liveness(tmp_path, ProcessIdentity.of_this_process())
    elsewhere = {"dev.longshore.process": "1:never", "dev.longshore.pid-namespace": "pid:[1]"}
    assert liveness.is_alive("theirs", _labels() | elsewhere)
    assert not liveness.is_alive(
        "theirs", _labels() | elsewhere | {"dev.longshore.boot": "another"}
    )


def test_a_run_in_another_container_whose_lock_is_in_reach_is_told_by_it(tmp_path: Path) -> None:
    liveness = Liveness(tmp_path, ProcessIdentity.of_this_process())
    theirs = _labels() | {"dev.longshore.pid-namespace": "pid:[1]"}
    (tmp_path / "theirs.lock").touch()
    assert not liveness.is_alive("theirs", theirs)


def test_a_state_directory_that_cannot_be_made_is_told_with_the_remedy() -> None:
    with (
        pytest.raises(InvalidValue, match="cannot write /proc/none: No such file") as raised,
        held_lock(Path("/proc/none"), "run1"),
    ):
        pass
    assert raised.value.hint == "set XDG_STATE_HOME to a directory that can be written"
