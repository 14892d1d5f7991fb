"""`scripts/as-root`, which lets users with sudo run the tests that need root."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

_SCRIPTS = Path(__file__).parents[2] / "scripts"

_OTHER = 4321 if os.geteuid() == 0 else os.geteuid()
"""Who calls: somebody else where we may give files away."""

_SUDO = f"""#!/bin/sh
shift
case $1 in --preserve-env=*) echo "${{1#*=}}" >kept; shift ;; esac
SUDO_UID={_OTHER} SUDO_GID={os.getegid()} exec "$@"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the script and programs that say another user calls."""
    shutil.copytree(_SCRIPTS, tmp_path / "scripts")
    (tmp_path / "bin").mkdir()
    _program(
        tmp_path / "bin" / "id", '#!/bin/sh\n[ -e kept ] && exec /usr/bin/id "$@"\necho 1000\n'
    )
    return tmp_path


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def _as_root(
    project: Path, *command: str, path: str, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (project / "scripts/as-root", *command),
        env={"PATH": path, "HOME": str(project), **(variables or {})},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_a_command_leaves_through_sudo_is_the_caller_s(project: Path) -> None:
    _program(project / "bin/sudo", _SUDO)
    done = _as_root(
        project, "sh", "-c", "mkdir new; echo $DOCKER_CONFIG >new/file; exit 3",
        path=f"{project}/bin:{os.environ['PATH']}",
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert (project / "new/file").read_text().strip() == f"{project}/.docker"
    assert {(project / name).stat().st_uid for name in ("new", "new/file")} == {_OTHER}


def test_the_caller_s_engine_is_known_to_root(project: Path) -> None:
    _program(project / "bin/sudo", _SUDO)
    _as_root(project, "true", path=f"{project}/bin:{os.environ['PATH']}")
    kept = (project / "kept").read_text().strip().split(",")
    assert {"CI", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG"} <= set(kept)


def test_without_root_and_sudo_it_says_what_can_be_run(project: Path) -> None:
    tools = project / "tools"
    tools.mkdir()
    for name in ("sh", "dirname", "basename"):
        (tools / name).symlink_to(shutil.which(name) or name)
    done = _as_root(project, "touch", "ran", path=f"{project}/bin:{tools}")
    assert done.returncode == 1
    assert "needs root" in done.stderr
    assert "make fast" in done.stderr
    assert not (project / "ran").exists()
