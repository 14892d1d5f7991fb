"""The user's directories, whoever the user is."""

from __future__ import annotations

import pwd
from pathlib import Path
from typing import NoReturn

import pytest

from longshore.environment import Environment


def test_without_home_it_is_that_of_the_system_s_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME", raising=False)
    assert Environment({}).home == Path("~").expanduser()


def test_a_user_the_system_does_not_know_is_at_home_where_docker_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def getpwuid(number: int) -> NoReturn:
        raise KeyError(number)

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", getpwuid)
    assert Environment({}).home == Path("/")


@pytest.mark.parametrize("named", ["", "state", "./state", "../state"])
def test_a_base_directory_that_is_no_absolute_path_is_ignored(named: str) -> None:
    """It would lie in the project, and go into its images (XDG base directory specification)."""
    environment = Environment({"HOME": "/home/me", "XDG_STATE_HOME": named})
    assert environment.state_directory == Path("/home/me/.local/state/longshore")
    absolute = Environment({"HOME": "/home/me", "XDG_STATE_HOME": "/state"})
    assert absolute.state_directory == Path("/state/longshore")
