"""Starts of the embedded engine that fail."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from longshore.engine.embedded.bridge import chosen_bridge
from longshore.engine.embedded.engine import embedded_engine
from longshore.engine.embedded.home import Home
from longshore.environment import Environment
from longshore.errors import EngineUnavailable

needs_root = pytest.mark.skipif(
    os.getuid() != 0, reason="without root it is rootless Docker that is started"
)


@pytest.fixture
def environment() -> Iterator[Environment]:
    """A user with a directory of programs that come before the system's."""
    with tempfile.TemporaryDirectory(prefix="longshore-tests-", dir="/var/tmp") as data:
        programs = Path(data, "programs")
        programs.mkdir()
        path = f"{programs}:{os.environ['PATH']}"
        yield Environment({"XDG_DATA_HOME": data, "HOME": data, "PATH": path})


def _program(environment: Environment, name: str, text: str) -> None:
    path = environment.home / "programs" / name
    path.write_text(text)
    path.chmod(0o755)


async def _refusal(environment: Environment) -> EngineUnavailable:
    with pytest.raises(EngineUnavailable) as caught:
        async with embedded_engine(environment):
            pass
    return caught.value


def _bridge(environment: Environment) -> Path:
    name = chosen_bridge(Home.of(environment).data, "").name
    return Path("/sys/class/net", name)


@pytest.mark.engine
@needs_root
class TestStart:
    async def test_the_daemon_s_reason_to_end_stands_last(self, environment: Environment) -> None:
        _program(environment, "dockerd", "#!/bin/sh\necho the reason >&2\nexit 1\n")
        refusal = await _refusal(environment)
        assert (refusal.hint or "").splitlines()[-1] == "the reason"
        assert not _bridge(environment).exists()

    async def test_a_daemon_that_cannot_be_executed_is_named(
        self, environment: Environment
    ) -> None:
        _program(environment, "dockerd", "#!/nonexistent\n")
        refusal = await _refusal(environment)
        assert "programs/dockerd cannot be started" in (refusal.hint or "")
        assert not _bridge(environment).exists()

    @pytest.mark.parametrize("name", ["x" * 80, os.fsdecode(b"\xff")])
    async def test_a_place_where_no_daemon_could_listen_is_refused(
        self, environment: Environment, name: str
    ) -> None:
        runtime = str(environment.home / name)
        refusal = await _refusal(Environment({**environment.values, "XDG_RUNTIME_DIR": runtime}))
        assert runtime in refusal.message
        assert "XDG_RUNTIME_DIR" in (refusal.hint or "")


def test_its_home_does_not_depend_on_where_the_daemon_runs() -> None:
    environment = Environment({"XDG_DATA_HOME": "data", "XDG_RUNTIME_DIR": "run"})
    home = Home.of(environment)
    assert home.data == Path.cwd() / "data/longshore/engine"
    assert home.run.parent == Path.cwd() / "run"
