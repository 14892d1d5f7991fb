"""`scripts/apt-install`, in a mount namespace where /usr/sbin is a folder of the test."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

_SCRIPT = Path(__file__).parents[2] / "scripts/apt-install"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

_APT_GET = """#!/bin/sh
[ "$1" = install ] || exit 0
code=0; /usr/sbin/policy-rc.d || code=$?
echo "$code" >>told
exec sleep "$SECONDS_OF_APT"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What is bound over /usr/sbin, with an apt-get that says whether services may start."""
    (tmp_path / "apt-get").write_text(_APT_GET)
    (tmp_path / "apt-get").chmod(0o755)
    return tmp_path


def _start(folder: Path, seconds: int) -> subprocess.Popen[bytes]:
    script = 'mount --bind "$1" /usr/sbin && exec "$2" package'
    return subprocess.Popen(
        ["unshare", "--mount", "sh", "-ec", script, "sh", folder, _SCRIPT],
        env={"PATH": f"{folder}:{os.environ['PATH']}", "SECONDS_OF_APT": str(seconds)},
        cwd=folder,
        start_new_session=True,
    )


@pytest.fixture
def installing(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """An installation that goes on for long."""
    process = _start(folder, 60)
    try:
        while not (folder / "told").exists():
            assert process.poll() is None
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _may_start(folder: Path) -> bool:
    policy = folder / "policy-rc.d"
    return not policy.exists() or subprocess.run([policy], check=False).returncode == 0


def test_services_may_not_start_while_it_installs_and_may_afterwards(folder: Path) -> None:
    assert _start(folder, 0).wait(30) == 0
    assert (folder / "told").read_text() == "101\n"
    assert not (folder / "policy-rc.d").exists()


def test_a_policy_of_the_machine_s_own_stays(folder: Path) -> None:
    own = folder / "policy-rc.d"
    own.write_text("#!/bin/sh\nexit 104\n")
    own.chmod(0o755)
    assert _start(folder, 0).wait(30) == 0
    assert (folder / "told").read_text() == "104\n"
    assert own.exists()


@pytest.mark.parametrize("how", [signal.SIGHUP, signal.SIGKILL])
def test_services_may_start_again_after_it_was_killed(
    folder: Path, installing: subprocess.Popen[bytes], how: signal.Signals
) -> None:
    assert not _may_start(folder)
    os.killpg(installing.pid, how)
    installing.wait(30)
    assert _may_start(folder)
    (folder / "told").unlink()
    assert _start(folder, 0).wait(30) == 0
    assert (folder / "told").read_text() == "101\n"
    assert not (folder / "policy-rc.d").exists()
